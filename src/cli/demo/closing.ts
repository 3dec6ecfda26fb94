/** The closing screen: naive, Millrace and the truth side by side, and what one can do next. */
import { countText } from '../render/quantity.ts'
import type { Style } from '../render/style.ts'
import { tableLines } from '../render/table.ts'
import { missingIn, type Verdict } from './reconcile.ts'
import type { Order } from './shop.ts'

export interface Closing {
  readonly orders: readonly Order[]
  readonly naive: Verdict
  readonly millrace: Verdict
  readonly late: readonly string[]
  readonly quarantined: readonly string[]
  readonly poison: number
  /** Minutes from the first order of the fast clock to the crash. */
  readonly isHijacked: (minute: string) => boolean
}

export function closingLines(closing: Closing, style: Style): string[] {
  const columns = [
    { name: '' },
    { name: 'naive', align: 'right' as const },
    { name: 'Millrace', align: 'right' as const },
    { name: 'truth', align: 'right' as const },
  ]
  return tableLines(columns, [...totals(closing, style), ...faults(closing, style)], style)
}

/** A cell that is good or bad by whether it is as it should be. */
function judged(style: Style, isRight: boolean, text: string): string {
  return isRight ? style.good(text) : style.bad(text)
}

function totals({ orders, naive, millrace, late, quarantined }: Closing, style: Style): string[][] {
  const total = orders.reduce((sum, order) => sum + order.cents, 0)
  const told = millrace.cents + centsOf(orders, late) + centsOf(orders, quarantined)
  const count = millrace.orders + late.length + quarantined.length
  return [
    [
      'orders in the table',
      judged(style, naive.orders === orders.length, countText(naive.orders)),
      style.good(countText(millrace.orders)),
      countText(orders.length),
    ],
    [
      'and set aside, with reason',
      style.bad('none'),
      style.good(countText(late.length + quarantined.length)),
      '',
    ],
    [
      'orders accounted for',
      judged(style, naive.orders === orders.length, countText(naive.orders)),
      judged(style, count === orders.length, countText(count)),
      countText(orders.length),
    ],
    [
      'money accounted for',
      judged(style, naive.cents === total, money(naive.cents)),
      judged(style, told === total, money(told)),
      money(total),
    ],
  ]
}

function faults(closing: Closing, style: Style): string[][] {
  const { orders, naive, millrace, late, quarantined, poison, isHijacked } = closing
  const stuck = missingIn(naive, isHijacked)
  const gone = missingIn(naive, (minute) => !isHijacked(minute))
  const spoiled = naive.differences.filter(({ isSpoiled }) => isSpoiled)
  const bad = (count: number, text: string): string => judged(style, count === 0, text)
  return [
    [
      'late orders, from phones',
      bad(gone.orders, `${countText(gone.orders)} gone`),
      style.good(`${countText(late.length)} kept`),
      '',
    ],
    [
      '  in money',
      bad(gone.cents, `${money(gone.cents)} gone`),
      style.good(`${money(centsOf(orders, late))} kept`),
      '',
    ],
    [
      'a clock a day ahead',
      bad(stuck.orders, `${countText(stuck.orders)} gone`),
      style.good(`${countText(quarantined.length)} quarantined`),
      '',
    ],
    [
      '  in money',
      bad(stuck.cents, `${money(stuck.cents)} gone`),
      money(centsOf(orders, quarantined)),
      '',
    ],
    [
      'lines that are no orders',
      bad(spoiled.length, `${countText(spoiled.length)} rows spoiled`),
      style.good(`${countText(poison)} quarantined`),
      '',
    ],
    [
      'lost',
      bad(naive.lost, atLeast(naive.lost)),
      bad(millrace.lost, countText(millrace.lost)),
      '0',
    ],
    [
      'counted twice',
      bad(naive.duplicated, atLeast(naive.duplicated)),
      bad(millrace.duplicated, countText(millrace.duplicated)),
      '0',
    ],
  ]
}

/** In one row, what is lost and what is there twice hide each other. */
function atLeast(count: number): string {
  return count === 0 ? '0' : `at least ${countText(count)}`
}

function centsOf(orders: readonly Order[], ids: readonly string[]): number {
  const wanted = new Set(ids)
  return orders.reduce((sum, { id, cents }) => sum + (wanted.has(id) ? cents : 0), 0)
}

/** The rows of the table that are wrong, a few of them. */
export function differenceLines({ differences }: Verdict, style: Style): string[] {
  const shown = differences.slice(0, 10).map(({ shop, minute, expected, found }) => {
    const what = found < expected ? 'lost' : 'too many'
    return `  ${shop} ${minute}  ${style.bad(what)}: ${countText(found)} orders, ${countText(expected)} in truth`
  })
  const more = differences.length - shown.length
  return more > 0 ? [...shown, style.faint(`  and ${countText(more)} rows more`)] : shown
}

/** '1,234.50': without a currency, for the shops are everywhere. */
export function money(cents: number): string {
  return (cents / 100).toLocaleString('en-US', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  })
}
