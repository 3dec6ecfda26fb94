/** Lines of a bill: each a quantity of something that has a price in the book, and how the quantity came about. */
import type { Book } from './book.ts'

export type CostKind = 'compute' | 'ingress' | 'storage' | 'requests' | 'transfer' | 'operations'

export interface CostLine {
  readonly kind: CostKind
  /** In the book of prices; operating hours have none. */
  readonly sku?: string
  readonly item: string
  readonly quantity: number
  readonly unit: string
  /** USD a unit. */
  readonly price: number
  /** USD a month. */
  readonly monthly: number
  /** The arithmetic, in words and figures. */
  readonly how: string
  readonly asOf?: string
  readonly source?: string
  readonly confidence?: 'A' | 'B' | 'C'
  /** Paid whether or not this plan is followed, since the system runs already: the full price, counted as 0. */
  readonly alreadyPaid?: number
}

export function lineOf(
  book: Book,
  kind: CostKind,
  sku: string,
  quantity: number,
  how: string,
): CostLine {
  const { name, unit, price, asOf, source, confidence } = book.price(sku)
  const monthly = quantity * price
  return { kind, sku, item: name, quantity, unit, price, monthly, how, asOf, source, confidence }
}

/** Hours of `count` units, all month. */
export function hoursLine(
  book: Book,
  kind: CostKind,
  sku: string,
  count: number,
  what: string,
): CostLine {
  const hours = book.limit('hours-a-month')
  return lineOf(book, kind, sku, count * hours, `${figure(count)} ${what} × ${hours} h`)
}

export function totalOf(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { monthly }) => sum + monthly, 0)
}

/** The line as of a system that runs already. */
export function alreadyPaid(line: CostLine): CostLine {
  return { ...line, monthly: 0, alreadyPaid: line.monthly }
}

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const SMALL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 })

/** '1,234.5', and two digits of what is below one. */
export function figure(value: number): string {
  return Math.abs(value) < 1 && value !== 0 ? SMALL.format(value) : GROUPED.format(value)
}
