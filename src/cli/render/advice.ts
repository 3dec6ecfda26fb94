/** Advice on a terminal: verdicts, the plan, what it costs and over what, then what to do. */
import { figure } from '../../advise/cost/lines.ts'
import { capital, secondsText, usd } from '../../advise/plan/words.ts'
import { availabilityText, pricedText, shortAvailability } from '../../advise/report/priced.ts'
import type { Advice } from '../../advise/report/shape.ts'
import type { Style } from './style.ts'
import { cut, padded, tableLines, visible } from './table.ts'
import { wrapText } from './wrap.ts'

const BAR_WIDTH = 24
const INDENT = '  '
const COSTS_MAX = 12
/** Of a line of the plan: indent, name and a blank. */
const NAME_WIDTH = 15
/** Of a cost's line: indent, date and what is between its cells. */
const COSTS_BESIDE = 20
const PAID = 'paid already'
/** Where a cost comes from is left out before it says nothing. */
const FROM_LEAST = 24
/** Of a point of the curve: indent, age, bar, price and what is between them. */
const CURVE_BESIDE = 46
const COLUMNS_LEAST = 60
const COLUMNS_MAX = 110

export function adviceLines(advice: Advice, style: Style, columns: number): string[] {
  const width = Math.max(COLUMNS_LEAST, Math.min(columns, COLUMNS_MAX))
  const prose = (text: string, indent = INDENT) => wrapText(visible(text), width, indent)
  const heading = (title: string) => ['', style.strong(title)]
  const { plan, saving } = advice
  return [
    ...advice.outputs.flatMap((each) => outputLines(each, style, prose)),
    ...heading('plan'),
    ...planLines(advice, style, prose, width),
    ...heading('cost a month'),
    ...costLines(advice, style, width),
    ...prose(`${capital(saving.says)}.`),
    ...heading('cost over freshness'),
    ...curveLines(advice, style, prose, width),
    ...managedLines(advice, prose).map(style.faint),
    ...(advice.alternatives.length === 0
      ? []
      : [
          ...heading('why not'),
          ...advice.alternatives
            .slice(0, 3)
            .flatMap((each) => prose(`${each.names}, ${pricedText(each)}: ${each.why}`)),
        ]),
    ...advice.flips
      .slice(0, 2)
      .flatMap(({ says, instead, saves }) =>
        prose(`${says}: ${instead.names}, ${pricedText(instead)}, ${usd(saves)} less`),
      ),
    ...heading('what to do'),
    ...advice.priorities.flatMap((each, index) => prose(`${index + 1}. ${each}`)),
    ...(advice.risks.length === 0 ? [] : heading('risks')),
    ...advice.risks.flatMap((each) => prose(`- ${each}`)),
    '',
    ...wrapText(
      `${advice.assumptions.length} assumptions, ${plan.design === undefined ? 'no plan' : `prices of ${advice.pricesAsOf.oldest} to ${advice.pricesAsOf.newest}`}: all of it with --format md, html or json; ready files with --write`,
      width,
      '',
    ).map(style.faint),
  ]
}

type Prose = (text: string, indent?: string) => string[]

function outputLines(each: Advice['outputs'][number], style: Style, prose: Prose): string[] {
  const paint = { batch: style.good, 'micro-batch': style.warning, streaming: style.name }
  const cadence = each.cadence === undefined ? '' : ` ${each.cadence}`
  const verdict = paint[each.verdict](`${each.verdict.toUpperCase()}${cadence}`)
  const flip = each.flips[0]
  return [
    `${style.strong(each.name)}  ${verdict}  ${style.faint(each.rule)}`,
    ...prose(`one hour old: ${each.ifOneHourOld}. ${capital(each.because)}.`),
    ...(flip === undefined ? [] : prose(`? ${flip.question}`).map(style.faint)),
  ]
}

function planLines({ plan }: Advice, style: Style, prose: Prose, width: number): string[] {
  const { design, pattern, format, reasons } = plan
  const line = (name: string, text: string) =>
    NAME_WIDTH + text.length <= width
      ? [`${INDENT}${style.faint(padded(name, 12))} ${text}`]
      : prose(`${name} ${text}`)
  const common = [
    ...line('pattern', `${pattern}: ${reasons.pattern.because}`),
    ...line('tables', `${format}: ${reasons.format.because}`),
  ]
  if (design === undefined)
    return [
      ...common,
      `${INDENT}${style.bad('nothing meets all constraints')}; nearest:`,
      ...plan.nearest.flatMap((each) =>
        prose(`${each.names}, ${pricedText(each)}: ${each.breaks.join('; ')}`, '    '),
      ),
    ]
  return [
    ...line('systems', design.names).map((each) => each.replace(design.names, style.strong)),
    ...common,
    ...prose(`availability ${availabilityText(design)}`),
  ]
}

function costLines({ costs, plan: { design } }: Advice, style: Style, width: number): string[] {
  if (design === undefined) return []
  const shown = [...costs].sort((left, right) => right.monthly - left.monthly).slice(0, COSTS_MAX)
  const price = ({ alreadyPaid, monthly }: (typeof shown)[number]) =>
    alreadyPaid === undefined ? usd(monthly) : PAID
  const widest = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length))
  const prices = [...shown.map(price), usd(design.total)]
  const room = width - COSTS_BESIDE - widest(shown.map(({ item }) => item)) - widest(prices)
  const hasRoom = room >= FROM_LEAST
  const rows = shown.map((each) => [
    each.item,
    ...(hasRoom ? [cut(each.how, room)] : []),
    each.alreadyPaid === undefined ? price(each) : style.faint(PAID),
    style.faint(`${each.asOf ?? ''} ${each.confidence ?? ''}`),
  ])
  const total = [
    style.strong('total'),
    ...(hasRoom ? [`${usd(design.money)} and ${figure(design.hours)} h`] : []),
    style.strong(usd(design.total)),
    '',
  ]
  const head = [
    { name: 'item' },
    ...(hasRoom ? [{ name: 'from' }] : []),
    { name: 'USD', align: 'right' as const },
    { name: 'as of' },
  ]
  return tableLines(head, [...rows, total], style).map((each) => `${INDENT}${each}`)
}

function curveLines({ curve }: Advice, style: Style, prose: Prose, width: number): string[] {
  const most = Math.max(
    1,
    ...curve.flatMap(({ best, managed }) => [best?.total ?? 0, managed?.total ?? 0]),
  )
  return curve.flatMap(({ seconds, best }) => {
    const age = padded(secondsText(seconds), 7)
    if (best === undefined)
      return [`${INDENT}${age} ${style.faint('nothing meets all constraints')}`]
    const filled = Math.max(1, Math.round((best.total / most) * BAR_WIDTH))
    const bar = style.name('█'.repeat(filled)) + style.faint('·'.repeat(BAR_WIDTH - filled))
    const price = `${INDENT}${age} ${bar} ${padded(usd(best.total), 8, 'right')}`
    const says = `${best.names}, ${shortAvailability(best)}`
    return CURVE_BESIDE + says.length <= width
      ? [`${price}  ${says}`]
      : [price, ...prose(says, ' '.repeat(10))]
  })
}

/** What is often bought instead, at the ends of the curve. */
function managedLines({ curve }: Advice, prose: Prose): string[] {
  const all = curve.flatMap(({ seconds, managed }) =>
    managed === undefined ? [] : [{ seconds, managed }],
  )
  const [first, last] = [all[0], all.at(-1)]
  if (first === undefined || last === undefined) return []
  const price = ({ seconds, managed }: typeof first) =>
    `${usd(managed.total)} for ${secondsText(seconds)}`
  return prose(
    `beside it, a managed Kafka with a managed Flink (${first.managed.names}, ${shortAvailability(first.managed)}): ${price(first)}, ${price(last)}`,
  )
}
