/** A morning's orders for a new project, the same every time: in order but for some seconds, and one that comes three minutes late. */

const SHOPS = ['bergen', 'oslo', 'tromso'] as const
const ORDERS = 120
const START_MS = Date.UTC(2026, 0, 5, 8, 0, 0)
const SPACING_MS = 5000
const LATE_AT = 100
const LATE_MS = 180_000

/** JSON lines. */
export function sampleOrders(): string {
  const lines: string[] = []
  for (let index = 0; index < ORDERS; index++) {
    // A fixed shuffle of amounts and delays: 37 and 61 have no factor in common with what they wrap at.
    const cents = 250 + ((index * 37) % 100) * 35
    const jitterMs = ((index * 61) % 9) * 1000
    const lateMs = index === LATE_AT ? LATE_MS : 0
    const placedAt = new Date(START_MS + index * SPACING_MS - jitterMs - lateMs)
    const order = {
      id: index + 1,
      shop: SHOPS[(index * 7) % SHOPS.length],
      amount: (cents / 100).toFixed(2),
      // As Flink's JSON format writes TIMESTAMP_LTZ by default: a space, and Z.
      placed_at: placedAt.toISOString().replace('T', ' '),
    }
    lines.push(`${JSON.stringify(order).replace(/"amount":"([\d.]+)"/, '"amount":$1')}\n`)
  }
  return lines.join('')
}
