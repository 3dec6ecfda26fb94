/** The closing screen: naive, Millrace and the truth side by side, and what one can do next. */
import { countText } from '../render/quantity.ts'
import type { Style } from '../render/style.ts'
import { tableLines } from '../render/table.ts'
import type { Verdict } from './reconcile.ts'
import type { Order } from './shop.ts'

export interface Closing {
  readonly orders: readonly Order[]
  readonly naive: Verdict
  readonly millrace: Verdict
  readonly late: readonly string[]
  readonly quarantined: readonly string[]
  readonly poison: number
  readonly retries: number
}

export function closingLines(closing: Closing, style: Style): string[] {
  const { orders, naive, millrace, late, quarantined } = closing
  const cents = new Map(orders.map((order) => [order.id, order.cents]))
  const centsOf = (ids: readonly string[]): number =>
    ids.reduce((sum, id) => sum + (cents.get(id) ?? 0), 0)
  const total = orders.reduce((sum, order) => sum + order.cents, 0)
  const elsewhere = [...late, ...quarantined]
  const good = (text: string): string => style.good(text)
  const bad = (isBad: boolean, text: string): string => (isBad ? style.bad(text) : good(text))
  const rows = [
    [
      'orders in the table',
      bad(naive.orders !== orders.length, countText(naive.orders)),
      good(countText(millrace.orders)),
      countText(orders.length),
    ],
    [
      'revenue in the table',
      bad(naive.cents !== total, money(naive.cents)),
      good(money(millrace.cents)),
      money(total),
    ],
    [
      'late orders, set aside and kept',
      style.bad('none'),
      good(`${countText(late.length)}  ${money(centsOf(late))}`),
      '',
    ],
    [
      'clock a day ahead, quarantined',
      naive.tomorrowRows > 0 ? style.bad(`${naive.tomorrowRows} rows of tomorrow`) : '0',
      good(`${countText(quarantined.length)}  ${money(centsOf(quarantined))}`),
      '',
    ],
    [
      'accounted for',
      bad(naive.cents !== total, money(naive.cents)),
      bad(
        millrace.cents + centsOf(elsewhere) !== total,
        money(millrace.cents + centsOf(elsewhere)),
      ),
      money(total),
    ],
    [
      'lost',
      bad(naive.lost > 0, countText(naive.lost)),
      bad(millrace.lost > 0, countText(millrace.lost)),
      '0',
    ],
    [
      'counted twice',
      bad(naive.duplicated > 0, countText(naive.duplicated)),
      bad(millrace.duplicated > 0, countText(millrace.duplicated)),
      '0',
    ],
  ]
  const columns = [
    { name: '' },
    { name: 'naive', align: 'right' as const },
    { name: 'Millrace', align: 'right' as const },
    { name: 'truth', align: 'right' as const },
  ]
  return tableLines(columns, rows, style)
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

/** 'EUR 1,234.50' would say which; the shops are everywhere: '1,234.50'. */
export function money(cents: number): string {
  return (cents / 100).toLocaleString('en-US', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  })
}
