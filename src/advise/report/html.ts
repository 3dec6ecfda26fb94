/** The advice as one HTML file: no script, no font, nothing from elsewhere; light and dark, and it prints. */
import { figure } from '../cost/lines.ts'
import { capital, secondsText, unitsText, usd } from '../plan/words.ts'
import { alternativesChart, costChart, curveChart } from './charts.ts'
import { escapeHtml as e } from './escape.ts'
import { availabilityText, pricedText, shortAvailability } from './priced.ts'
import type { Advice } from './shape.ts'
import { STYLE } from './style.ts'

export function htmlOf(advice: Advice): string {
  const sections = [
    header(advice),
    section('Top priorities', `<ol class="priorities">${items(advice.priorities)}</ol>`),
    section('Verdicts', advice.outputs.map(output).join('')),
    section('The plan', plan(advice)),
    section('Cost', costs(advice)),
    section('Why not something else', others(advice)),
    section('Capacity', capacity(advice)),
    section('If figures were others', sensitivity(advice)),
    section('Risks', `<ul>${items(advice.risks)}</ul>`),
    section('Taken for granted', `<ul>${items(advice.assumptions)}</ul>`),
    doubts(advice),
    section('Next steps', steps(advice)),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Advice for ${e(advice.name)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${sections.filter((each) => each !== '').join('\n')}
<footer>Made by <code>millrace advise</code> from list prices of ${e(advice.pricesAsOf.oldest)} to ${e(advice.pricesAsOf.newest)}. Every price, limit and rule stands in a data file with its source: disagree with one, and change it.</footer>
</main>
</body>
</html>
`
}

function header({ name, plan: { design, pattern, format }, outputs }: Advice): string {
  const strictest = ['streaming', 'micro-batch', 'batch'].find((verdict) =>
    outputs.some((each) => each.verdict === verdict),
  )!
  const facts =
    design === undefined
      ? [['plan', 'nothing meets all constraints']]
      : [
          ['platform and engine', design.names],
          ['pattern', pattern],
          ['tables', format],
          ['a month', usd(design.total)],
          ['of it operating', `${usd(design.total - design.money)} (${figure(design.hours)} h)`],
          ['availability', shortAvailability(design)],
        ]
  const cells = facts.map(([term, value]) => `<div><dt>${e(term!)}</dt><dd>${e(value!)}</dd></div>`)
  return `<header><p class="kicker">Advice for ${e(name)}</p><h1><span class="verdict ${strictest}">${strictest}</span> ${e(HEADLINES[strictest]!)}</h1><dl class="facts">${cells.join('')}</dl></header>`
}

const HEADLINES: Readonly<Record<string, string>> = {
  batch: 'Streaming is not warranted.',
  'micro-batch': 'Small batches are enough.',
  streaming: 'Streaming is warranted.',
}

function section(title: string, body: string): string {
  return `<section><h2>${e(title)}</h2>${body}</section>`
}

function items(texts: readonly string[]): string {
  return texts.length === 0
    ? '<li>None.</li>'
    : texts.map((each) => `<li>${marked(each)}</li>`).join('')
}

/** Escaped, with `code` set as such. */
function marked(text: string): string {
  return e(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function output(each: Advice['outputs'][number]): string {
  const cadence = each.cadence === undefined ? '' : `, ${each.cadence}`
  const flips = each.flips.map(
    ({ question, verdict }) =>
      `<li>${e(question)} <span class="verdict ${verdict}">${verdict}</span></li>`,
  )
  return `<article><h3>${e(each.name)} <span class="verdict ${each.verdict}">${each.verdict}${cadence}</span></h3>
<p class="asked">What breaks if it is one hour old? <b>${e(each.ifOneHourOld)}</b></p>
<ol class="trail"><li>acted on by ${e(each.actor)}, wanted within ${secondsText(each.freshnessSeconds)}</li><li>consequence: ${e(each.consequence)}</li><li>rule <code>${e(each.rule)}</code>: ${e(each.because)}</li><li>verdict: ${each.verdict}, at most ${secondsText(each.plannedSeconds)} old${each.runsOn === undefined ? '' : `, on ${e(each.runsOn)}`}</li></ol>
<p>What would change it:</p><ul>${flips.join('')}</ul>
<p class="source">${e(each.source)}</p></article>`
}

function plan({ plan: { pattern, format, reasons, design, nearest, ...sides } }: Advice): string {
  const head = `<p><b>Pattern: ${e(pattern)}</b> (<code>${e(reasons.pattern.rule)}</code>), because ${e(reasons.pattern.because)}; ${e(reasons.pattern.tradeOff)}. It would change with ${e(reasons.pattern.flip)}.</p><ul>${items(reasons.pattern.inYourFigures)}</ul><p><b>Tables: ${e(format)}</b> (<code>${e(reasons.format.rule)}</code>), because ${e(reasons.format.because)}.</p>`
  if (design !== undefined)
    return `${head}<p><b>${e(design.names)}</b></p><div class="sides"><div><h4>For</h4><ul>${items(sides.for)}</ul></div><div><h4>Against</h4><ul>${items(sides.against)}</ul></div></div>`
  const rows = nearest.map(
    (each) => `${each.names}, ${pricedText(each)}: ${each.breaks.join('; ')}`,
  )
  return `${head}<p><b>Nothing meets all constraints.</b> Nearest:</p><ul>${items(rows)}</ul>`
}

function costs(advice: Advice): string {
  const {
    costs: lines,
    plan: { design },
    saving,
    curve,
  } = advice
  const rows = lines.map((line) => [
    e(line.kind),
    `${e(line.item)}<small>${e(line.how)}</small>`,
    `${figure(line.quantity)} ${e(line.unit)}`,
    `$${line.price}`,
    line.alreadyPaid === undefined
      ? usd(line.monthly)
      : `${usd(0)}<small>paid already: ${usd(line.alreadyPaid)}</small>`,
    `<span class="nowrap" title="${e(line.source ?? '')}">${e(line.asOf ?? '')} ${e(line.confidence ?? '')}</span>`,
  ])
  const total =
    design === undefined
      ? ''
      : `<tfoot><tr><td colspan="4">total: ${e(availabilityText(design))}</td><td>${usd(design.total)}</td><td></td></tr></tfoot>`
  const points = curve.map(({ seconds, best, managed }) => [
    secondsText(seconds),
    best === undefined
      ? 'nothing meets all constraints'
      : `${e(best.names)}<small>${e(availabilityText(best))}</small>`,
    best === undefined ? '' : usd(best.total),
    managed === undefined
      ? ''
      : `${usd(managed.total)}<small>${e(shortAvailability(managed))}</small>`,
  ])
  return `<p class="says">${e(capital(saving.says))}.</p>
<h3>Over freshness</h3><figure>${curveChart(advice)}<figcaption><span class="key best"></span> cheapest that meets the constraints <span class="key managed"></span> a managed Kafka with a managed Flink</figcaption></figure>
${table(['at most this old', 'cheapest', 'a month', 'managed'], points)}
<h3>Where it goes</h3><figure>${costChart(advice)}</figure>
${table(['kind', 'item', 'quantity', 'price', 'a month', 'as of'], rows, total)}
<p class="source">Confidence: A the vendor's own page, B its samples or a copy of its documents, C third parties and our own judgement.</p>`
}

function others(advice: Advice): string {
  const { alternatives, eliminated, flips } = advice
  const lost = alternatives.map((each) => [
    `${e(each.names)}<small>${e(availabilityText(each))}</small>`,
    usd(each.total),
    e(each.why),
  ])
  const out = eliminated.map(({ candidate, constraints }) => [
    e(candidate),
    constraints.map(({ id, says }) => `${e(says)} <code>${e(id)}</code>`).join('<br>'),
  ])
  const cheaper = flips.map(
    ({ says, instead, saves }) =>
      `${says}: ${instead.names} for ${pricedText(instead)}, ${usd(saves)} less`,
  )
  return `${alternatives.length === 0 ? '' : `<figure>${alternativesChart(advice)}</figure>${table(['runner-up', 'a month', 'why it lost'], lost)}`}
${cheaper.length === 0 ? '' : `<h3>What constraints cost</h3><ul>${items(cheaper)}</ul>`}
${out.length === 0 ? '' : `<h3>Ruled out</h3>${table(['candidate', 'constraint'], out)}`}`
}

function capacity({ capacity: systems }: Advice): string {
  const rows = systems.flatMap(({ of, units, exceeds }) =>
    units.map(({ name, count, binding }) => [
      e(of),
      e(unitsText(count, name)),
      e(exceeds ?? binding),
    ]),
  )
  return table(['system', 'units', 'what binds'], rows)
}

function sensitivity({ sensitivity: variations }: Advice): string {
  const rows = variations.map(({ change, design, changes }) => [
    e(change),
    design === undefined
      ? 'nothing meets all constraints'
      : `${e(design.names)}<small>${e(availabilityText(design))}</small>`,
    design === undefined ? '' : usd(design.total),
    changes ? 'another plan' : '',
  ])
  return table(['if', 'plan', 'a month', ''], rows)
}

function doubts(advice: Advice): string {
  if (advice.doubts.length === 0) return ''
  const rows = advice.doubts.map(
    ({ file, line, column, message, hint }) => `${file}:${line}:${column} ${message}: ${hint}`,
  )
  return section('In doubt', `<ul>${items(rows)}</ul>`)
}

function steps({ nextSteps: { commands, files } }: Advice): string {
  const run = commands.map(
    ({ run: command, why }) => `<li><code>${e(command)}</code> ${e(why)}</li>`,
  )
  const blocks = files.map(
    ({ path, text }) =>
      `<details open><summary><code>${e(path)}</code></summary><pre><code>${e(text)}</code></pre></details>`,
  )
  return `<ul>${run.join('')}</ul>${blocks.join('')}`
}

function table(heads: readonly string[], rows: readonly (readonly string[])[], foot = ''): string {
  const cells = (row: readonly string[]) => row.map((cell) => `<td>${cell}</td>`).join('')
  return `<div class="scroll"><table><thead><tr>${heads.map((head) => `<th>${e(head)}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody>${foot}</table></div>`
}
