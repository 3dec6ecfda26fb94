/**
 * Two hours of a shop's orders, as they arrive, with everything that goes wrong on the way, and the truth beside them.
 *
 * The truth is the generator's own record: every order once, at the moment it was really placed. Nothing that reads
 * arrivals sees it.
 */

export interface ShopOptions {
  readonly seed: number
  readonly orders: number
  /** When the last order is placed; the first is two hours earlier. */
  readonly endMs: number
}

export interface Arrival {
  /** One line of JSON, or what a broken producer sent instead. */
  readonly line: string
  /** The till it came from: tills are the keys of the topic. */
  readonly till: string
}

/** One order, as it was. */
export interface Order {
  readonly id: string
  readonly shop: string
  readonly cents: number
  readonly placedMs: number
  /** What went wrong with it, if anything. */
  readonly fate: 'on-time' | 'phone' | 'fast-clock'
}

export interface ShopDay {
  readonly arrivals: readonly Arrival[]
  readonly orders: readonly Order[]
  readonly poison: number
  readonly retries: number
}

export const SHOPS = ['bergen', 'lisbon', 'osaka', 'quito', 'tromso'] as const
export const SPAN_MS = 2 * 3_600_000
/** What the pipeline waits for stragglers, and how late the tills' own events get at most. */
export const DELAY_SECONDS = 5
const JITTER_MS = 4_000
const PHONE_LATE_MS = { least: 120_000, most: 1_200_000 }
const PHONE_SHARE = 0.015
/** Till 1 loses its answers for a while, again and again, and sends all of it twice. */
const RETRY_BURST = { every: 20_000, from: 7_000, orders: 400 }
const RETRY_AFTER_MS = 2_000
const POISON_SHARE = 0.0004
const FAST_CLOCK_ORDERS = 24
const DAY_MS = 86_400_000
/** Till 4 closes early: its partition is idle from then on. */
const CLOSING_SHARE = 0.3

interface Timed {
  readonly arrivesMs: number
  readonly arrival: Arrival
}

export function shopDay(options: ShopOptions): ShopDay {
  const random = mulberry(options.seed)
  const orders = ordersOf(options, random)
  const timed: Timed[] = []
  let retries = 0
  let poison = 0
  for (const [index, order] of orders.entries()) {
    const till = tillOf(order, options, random)
    const arrival = { line: lineOf(order), till }
    const arrivesMs = arrivalOf(order, random)
    timed.push({ arrivesMs, arrival })
    const inBurst = index % RETRY_BURST.every
    const isBurst = inBurst >= RETRY_BURST.from && inBurst < RETRY_BURST.from + RETRY_BURST.orders
    if (order.fate === 'on-time' && till === 'till-1' && isBurst) {
      retries++
      timed.push({ arrivesMs: arrivesMs + RETRY_AFTER_MS, arrival })
    }
    if (random() < POISON_SHARE) {
      timed.push({ arrivesMs, arrival: { line: poisonOf(arrival.line, poison), till } })
      poison++
    }
  }
  timed.sort((left, right) => left.arrivesMs - right.arrivesMs)
  return { arrivals: timed.map(({ arrival }) => arrival), orders, poison, retries }
}

function ordersOf({ orders, endMs }: ShopOptions, random: () => number): Order[] {
  const startMs = endMs - SPAN_MS
  const fastFrom = Math.floor(orders * 0.4)
  return Array.from({ length: orders }, (_, index) => {
    const placedMs = Math.floor(startMs + (SPAN_MS * index) / orders)
    const isFast = index >= fastFrom && index < fastFrom + FAST_CLOCK_ORDERS
    const fate = isFast ? 'fast-clock' : random() < PHONE_SHARE ? 'phone' : 'on-time'
    return {
      id: `o-${String(index + 1).padStart(7, '0')}`,
      shop: SHOPS[Math.floor(random() * SHOPS.length)]!,
      cents: 100 + Math.floor(random() ** 3 * 20_000),
      placedMs,
      fate,
    }
  })
}

function arrivalOf(order: Order, random: () => number): number {
  if (order.fate !== 'phone') return order.placedMs + random() * JITTER_MS
  const { least, most } = PHONE_LATE_MS
  return order.placedMs + least + random() * (most - least)
}

function tillOf(order: Order, { endMs }: ShopOptions, random: () => number): string {
  if (order.fate === 'fast-clock') return 'till-2'
  const open = order.placedMs < endMs - SPAN_MS * (1 - CLOSING_SHARE) ? 4 : 3
  return `till-${1 + Math.floor(random() * open)}`
}

function lineOf({ id, shop, cents, placedMs, fate }: Order): string {
  const stamp = new Date(fate === 'fast-clock' ? placedMs + DAY_MS : placedMs).toISOString()
  return `{"id":"${id}","shop":"${shop}","amount":${(cents / 100).toFixed(2)},"placed_at":"${stamp}"}`
}

/** What no parser should take for an order. None of it is one. */
function poisonOf(line: string, index: number): string {
  const kinds = [
    line.slice(0, line.length >> 1),
    line.replace(/"amount":[^,]+/, '"amount":"twelve"'),
    line.replace(/"placed_at":"[^"]+"/, '"placed_at":null'),
    '<html><body>502 Bad Gateway</body></html>',
    line.replace(/"amount":[^,]+/, '"amount":1e400'),
  ]
  return kinds[index % kinds.length]!
}

/** Mulberry32: small, seeded, good enough to shuffle orders. */
function mulberry(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), 1 | state)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296
  }
}
