/** The advice as a written plan in Markdown: top priorities first, then what they rest on. */
import { figure } from '../cost/lines.ts'
import { capital, secondsText, unitsText, usd } from '../plan/words.ts'
import { availabilityText, pricedText } from './priced.ts'
import type { Advice } from './shape.ts'

export function markdownOf(advice: Advice): string {
  const sections = [
    `# Advice for ${text(advice.name)}`,
    summary(advice),
    '## Top priorities',
    advice.priorities.map((each, index) => `${index + 1}. ${text(each)}`).join('\n'),
    '## Verdicts',
    verdicts(advice),
    '## The plan',
    plan(advice),
    '## Cost',
    costs(advice),
    '### Over freshness',
    curve(advice),
    '### If figures were others',
    sensitivity(advice),
    '## Why not something else',
    others(advice),
    '## Capacity',
    capacity(advice),
    '## Risks',
    list(advice.risks),
    '## Taken for granted',
    list(advice.assumptions),
    ...(advice.doubts.length === 0
      ? []
      : [
          '## In doubt',
          list(
            advice.doubts.map(
              (each) => `${each.file}:${each.line}:${each.column} ${each.message}: ${each.hint}`,
            ),
          ),
        ]),
    '## Next steps',
    steps(advice),
  ]
  return `${sections.filter((each) => each !== '').join('\n\n')}\n`
}

function summary({ plan, pricesAsOf }: Advice): string {
  const { design } = plan
  if (design === undefined) return '**Nothing meets all constraints.**'
  return `**${text(design.names)}**, ${plan.pattern}${plan.format === 'none' ? '' : ` with ${plan.format} tables`}: ${usd(design.total)} a month, of which ${usd(design.total - design.money)} are ${figure(design.hours)} operating hours. ${text(capital(availabilityText(design)))}. List prices of ${pricesAsOf.oldest} to ${pricesAsOf.newest}.`
}

function verdicts({ outputs }: Advice): string {
  return outputs
    .map(
      (each) =>
        `### ${each.name}: ${each.verdict}${each.cadence === undefined ? '' : `, ${each.cadence}`}\n\n` +
        `*What breaks if it is one hour old?* ${text(each.ifOneHourOld)} (${each.consequence}; ${text(each.actor)} acts on it, wanted within ${secondsText(each.freshnessSeconds)})\n\n` +
        `Rule \`${each.rule}\`: ${each.because}. Source: ${each.source}.${each.runsOn === undefined ? '' : ` Runs on: ${text(each.runsOn)}.`}\n\n` +
        `What would change it:\n\n${list(each.flips.map(({ question, verdict }) => `${question} → ${verdict}`))}`,
    )
    .join('\n\n')
}

function plan({ plan: { pattern, format, reasons, design, nearest, ...sides } }: Advice): string {
  const parts = [
    `**Pattern: ${pattern}** (\`${reasons.pattern.rule}\`), because ${reasons.pattern.because}; ${reasons.pattern.tradeOff}. It would change with ${reasons.pattern.flip}.`,
    list(reasons.pattern.inYourFigures),
    `**Tables: ${format}** (\`${reasons.format.rule}\`), because ${reasons.format.because}.`,
  ]
  if (design !== undefined)
    return [
      ...parts,
      `**${text(design.names)}**`,
      `For: ${sides.for.join('; ')}.`,
      `Against: ${sides.against.join('; ')}.`,
    ].join('\n\n')
  const near = nearest.map(
    (each) => `${each.names}, ${pricedText(each)}: ${each.breaks.join('; ')}`,
  )
  return [...parts, '**Nothing meets all constraints.** Nearest:', list(near)].join('\n\n')
}

function costs({ costs: lines, plan: { design }, saving }: Advice): string {
  const rows = lines.map((line) => [
    line.kind,
    line.item,
    line.how,
    `${figure(line.quantity)} ${line.unit}`,
    `$${line.price}`,
    line.alreadyPaid === undefined
      ? usd(line.monthly)
      : `${usd(0)} (paid already: ${usd(line.alreadyPaid)})`,
    `${line.asOf ?? ''} ${line.confidence ?? ''}`.trim(),
  ])
  if (design !== undefined)
    rows.push(['**total**', '', availabilityText(design), '', '', `**${usd(design.total)}**`, ''])
  const table = tableOf(['kind', 'item', 'from', 'quantity', 'price', 'a month', 'as of'], rows)
  const sources = [
    ...new Set(lines.map(({ source }) => source).filter((each) => each !== undefined)),
  ]
  return `${table}\n\n${text(capital(saving.says))}.\n\nSources: ${sources.map(text).join('; ')}. Confidence: A the vendor's own page, B its samples or a copy of its documents, C third parties and our own judgement.`
}

function curve({ curve: points }: Advice): string {
  const rows = points.map(({ seconds, best, managed }) => [
    secondsText(seconds),
    best === undefined ? 'nothing meets all constraints' : best.names,
    best === undefined ? '' : usd(best.total),
    best === undefined ? '' : availabilityText(best),
    managed === undefined ? '' : pricedText(managed),
  ])
  return tableOf(
    ['at most this old', 'cheapest', 'a month', 'availability', 'managed Kafka and Flink'],
    rows,
  )
}

function sensitivity({ sensitivity: variations }: Advice): string {
  const rows = variations.map(({ change, design, changes }) => [
    change,
    design === undefined ? 'nothing meets all constraints' : design.names,
    design === undefined ? '' : usd(design.total),
    design === undefined ? '' : availabilityText(design),
    changes ? 'another plan' : '',
  ])
  return tableOf(['if', 'plan', 'a month', 'availability', ''], rows)
}

function others({ alternatives, eliminated, flips }: Advice): string {
  const lost = alternatives.map((each) => `${each.names}, ${pricedText(each)}: ${each.why}`)
  const out = eliminated.map(
    ({ candidate, constraints }) =>
      `${candidate}: ${constraints.map(({ id, says }) => `${says} (\`${id}\`)`).join('; ')}`,
  )
  const cheaper = flips.map(
    ({ says, instead, saves }) =>
      `${says}: ${instead.names} for ${pricedText(instead)}, ${usd(saves)} less`,
  )
  return [
    lost.length === 0 ? '' : `Runners-up:\n\n${list(lost)}`,
    out.length === 0 ? '' : `Ruled out:\n\n${list(out)}`,
    cheaper.length === 0 ? '' : `What constraints cost:\n\n${list(cheaper)}`,
  ]
    .filter((each) => each !== '')
    .join('\n\n')
}

function capacity({ capacity: systems }: Advice): string {
  const rows = systems.flatMap(({ of, units, exceeds }) =>
    units.map(({ name, count, binding }) => [of, unitsText(count, name), exceeds ?? binding]),
  )
  return tableOf(['system', 'units', 'what binds'], rows)
}

function steps({ nextSteps: { commands, files } }: Advice): string {
  const run = commands.map(({ run: command, why }) => `- \`${command}\`: ${text(why)}`).join('\n')
  const blocks = files.map(({ path, text: content }) => {
    const language = path.endsWith('.sql') ? 'sql' : 'ini'
    return `\`${path}\`\n\n\`\`\`${language}\n${content}\`\`\``
  })
  return [run, ...blocks].join('\n\n')
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'None.' : items.map((each) => `- ${text(each)}`).join('\n')
}

function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => text(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n')
}

/** What users wrote stays text: no HTML, no line of its own. */
function text(value: string): string {
  return value.replace(/\s*\n\s*/g, ' ').replaceAll('<', '&lt;')
}
