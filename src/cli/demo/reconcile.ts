/**
 * Holds a table against the truth: what is missing, what is there twice, and where each order that is not in the table went.
 * Pure: it is given what independent readers read and what the generator remembers, and decides.
 */
import type { Order } from './shop.ts'

/** A row of the revenue table, read by whoever. */
export interface RevenueRow {
  readonly shop: string
  /** 'YYYY-MM-DD HH:MM' */
  readonly minute: string
  readonly orders: number
  readonly cents: number
}

export interface Routed {
  /** Ids of orders that came after their window. */
  readonly late: readonly string[]
  /** Ids of real orders that were set aside (a clock a day ahead). */
  readonly dead: readonly string[]
}

export interface Difference {
  readonly shop: string
  readonly minute: string
  readonly expected: number
  readonly found: number
  /** Money that is missing; below zero if there is too much. */
  readonly centsShort: number
  /** Orders without money: something in it was no number. */
  readonly isSpoiled: boolean
}

export interface Verdict {
  readonly orders: number
  readonly cents: number
  /** Orders that are nowhere. */
  readonly lost: number
  /** Orders that are there more often than once. */
  readonly duplicated: number
  /** The rows of the table that are not what they should be. */
  readonly differences: readonly Difference[]
  /** Rows for a shop and minute beyond the first. */
  readonly repeatedRows: number
}

/** Revenue by shop and minute as it should stand in a table, without the orders that were routed elsewhere. */
export function expectedRevenue(orders: readonly Order[], routed: Routed): Map<string, RevenueRow> {
  const elsewhere = new Set([...routed.late, ...routed.dead])
  const rows = new Map<string, RevenueRow>()
  for (const { id, shop, cents, placedMs } of orders) {
    if (elsewhere.has(id)) continue
    const minute = minuteOf(placedMs)
    const key = keyOf(shop, minute)
    const row = rows.get(key) ?? { shop, minute, orders: 0, cents: 0 }
    rows.set(key, { ...row, orders: row.orders + 1, cents: row.cents + cents })
  }
  return rows
}

/** `table` against the truth: every order must be counted once in its own shop and minute, or be routed once. */
export function reconcile(
  table: readonly RevenueRow[],
  orders: readonly Order[],
  routed: Routed,
): Verdict {
  const expected = expectedRevenue(orders, routed)
  const found = new Map<string, RevenueRow>()
  let repeatedRows = 0
  for (const row of table) {
    const key = keyOf(row.shop, row.minute)
    const before = found.get(key)
    if (before !== undefined) repeatedRows++
    found.set(key, {
      ...row,
      orders: row.orders + (before?.orders ?? 0),
      cents: row.cents + (before?.cents ?? 0),
    })
  }
  const differences = differencesOf(expected, found)
  const twice = repeatsOf(routed)
  return {
    orders: sum(table, ({ orders }) => orders),
    cents: sum(table, ({ cents }) => cents),
    lost: sum(differences, ({ expected, found }) => Math.max(0, expected - found)),
    duplicated: sum(differences, ({ expected, found }) => Math.max(0, found - expected)) + twice,
    differences,
    repeatedRows,
  }
}

export interface Missing {
  readonly orders: number
  readonly cents: number
}

/** What is missing in the rows whose minute `is` asked for, spoiled ones aside. Per row: what is there twice may hide some. */
export function missingIn({ differences }: Verdict, is: (minute: string) => boolean): Missing {
  const short = differences.filter(
    (row) => !row.isSpoiled && row.found < row.expected && is(row.minute),
  )
  return {
    orders: sum(short, ({ expected, found }) => expected - found),
    cents: sum(short, ({ centsShort }) => Math.max(0, centsShort)),
  }
}

export function minuteOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}

/** Rows whose count or money is wrong; where only the money is, one order stands for it. */
function differencesOf(
  expected: ReadonlyMap<string, RevenueRow>,
  found: ReadonlyMap<string, RevenueRow>,
): Difference[] {
  const differences: Difference[] = []
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    const wanted = expected.get(key)
    const there = found.get(key)
    if (wanted?.orders === there?.orders && wanted?.cents === there?.cents) continue
    const { shop, minute } = (wanted ?? there)!
    const counts = { expected: wanted?.orders ?? 0, found: there?.orders ?? 0 }
    const sameCount = counts.expected === counts.found
    const moneyIsShort = (there?.cents ?? 0) < (wanted?.cents ?? 0)
    differences.push({
      shop,
      minute,
      expected: counts.expected + (sameCount && moneyIsShort ? 1 : 0),
      found: counts.found + (sameCount && !moneyIsShort ? 1 : 0),
      isSpoiled: (there?.orders ?? 0) > 0 && there?.cents === 0,
      centsShort: (wanted?.cents ?? 0) - (there?.cents ?? 0),
    })
  }
  return differences.sort((left, right) => (left.minute < right.minute ? -1 : 1))
}

function repeatsOf({ late, dead }: Routed): number {
  const all = [...late, ...dead]
  return all.length - new Set(all).size
}

function keyOf(shop: string, minute: string): string {
  return `${shop} ${minute}`
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
