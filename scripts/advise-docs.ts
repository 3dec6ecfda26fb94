/** Writes docs/advise-rules.md from the rules, limits, prices and candidates of `millrace advise`, and docs/schemas. `test/advise/docs.test.ts` holds them to the data. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { openBook } from '../src/advise/cost/book.ts'
import { readNeeds } from '../src/advise/needs/read.ts'
import { secondsText } from '../src/advise/plan/words.ts'
import { advise } from '../src/advise/report/advice.ts'
import { SCHEMAS, schemaText } from '../src/advise/report/schemas.ts'
import type { Advice } from '../src/advise/report/shape.ts'
import { CANDIDATES, type Condition, RULES } from '../src/advise/rules/rules.ts'
import { adviceLines } from '../src/cli/render/advice.ts'
import { PLAIN } from '../src/cli/render/style.ts'
import { CONNECTORS } from '../src/run/connectors.ts'
import { nearest } from '../src/sql/suggest.ts'

const EXAMPLE = 'examples/needs/hourly-dashboard.yaml'
const EXAMPLE_COLUMNS = 110

/** The advice on a file of examples/needs. */
export function adviceOn(file: string): Advice {
  const book = openBook()
  const measure = () => {
    throw new Error(`${file} measures nothing`)
  }
  const { needs, findings } = readNeeds(file, readFileSync(file, 'utf8'), {
    book,
    nearest,
    measure,
  })
  if (needs === undefined) throw new Error(findings.map(({ text }) => text).join('\n'))
  const connectors = CONNECTORS.map(({ name }) => name)
  return advise({ needs, book, doubts: findings, connectors })
}

/** docs/advise.md with its example as the command prints it. */
export function withExample(page: string): string {
  const lines = adviceLines(adviceOn(EXAMPLE), PLAIN, EXAMPLE_COLUMNS)
  return page.replace(
    /(<!-- example: [^\n]*-->\n)[\s\S]*?(<!-- end -->)/,
    (_, start: string, end: string) => `${start}\`\`\`text\n${lines.join('\n')}\n\`\`\`\n${end}`,
  )
}

export function rulesPage(): string {
  return [
    INTRODUCTION,
    '## Verdicts',
    'The first rule whose conditions all hold decides.',
    ...RULES.verdicts.map(
      (rule, index) =>
        `### ${index + 1}. ${rule.title}: ${rule.verdict}\n\n\`${rule.id}\`. If ${conditions(rule.when)}: **${rule.verdict}**, because ${rule.because}.\n\nWhat would change it:\n\n${rule.flips.map(({ question, verdict }) => `- ${question} (${verdict})`).join('\n')}\n\nSource: ${rule.source}, ${rule.asOf}.`,
    ),
    `Batch is daily if what is needed is ${secondsText(RULES.cadence.dailyFromSeconds)} old or older, else hourly. Micro-batch is planned at ${secondsText(RULES.cadence.microBatchSecondsLeast)} at least, however fresh a report is wished for.`,
    '## Pattern',
    'For all outputs together; the first that holds.',
    table(
      ['rule', 'if', 'pattern', 'because', 'it would change with'],
      RULES.patterns.map((rule) => [
        `\`${rule.id}\``,
        conditions(rule.when),
        rule.pattern,
        `${rule.because}; ${rule.tradeOff}`,
        rule.flip,
      ]),
    ),
    '## Table format',
    table(
      ['rule', 'if', 'format', 'because', 'source'],
      RULES.formats.map((rule) => [
        `\`${rule.id}\``,
        conditions(rule.when),
        rule.format,
        rule.because,
        rule.source,
      ]),
    ),
    '## Constraints',
    'A design that breaks one is out, whatever it costs. Of the others the one with the lowest sum of money and operating hours is advised.',
    table(
      ['constraint', 'a design', 'is told as'],
      RULES.constraints.map(({ id, title, says }) => [`\`${id}\``, title, says]),
    ),
    '## Candidates',
    `Operating hours a month, for who runs it already, who takes it up, and more for who has none of the skills. They are ${CANDIDATES.hoursSource}.`,
    '### Platforms',
    candidates(CANDIDATES.platforms),
    '### Engines',
    candidates(CANDIDATES.engines),
    '## Limits and assumptions',
    table(
      ['id', 'value', 'what', 'source', 'as of', ''],
      openBook().limits.map((each) => [
        `\`${each.id}\``,
        `${each.value} ${each.unit}`,
        `${each.what}${each.note === undefined ? '' : `; ${each.note}`}`,
        each.source,
        each.asOf,
        each.confidence,
      ]),
    ),
    '## Prices',
    table(
      ['sku', 'what', 'USD', 'region', 'source', 'as of', ''],
      openBook().prices.map((each) => [
        `\`${each.sku}\``,
        `${each.name}${each.note === undefined ? '' : `; ${each.note}`}`,
        `${each.price} a ${each.unit}`,
        each.region,
        each.source,
        each.asOf,
        each.confidence,
      ]),
    ),
  ]
    .join('\n\n')
    .concat('\n')
}

const INTRODUCTION = `# The rules of \`millrace advise\`

Made from \`src/advise/data\` by \`node scripts/advise-docs.ts\`: do not edit. If you disagree with a rule, change it there; with a price, a limit or an hour, give your own with \`--prices\`.

Confidence: A the vendor's own page or price interface, B the vendor's samples or a copy of its documents, C third parties and our own judgement.`

const FACTS: Readonly<Record<string, string>> = {
  consequence: 'the consequence of data an hour old',
  freshnessSeconds: 'the freshness needed',
  anyContinuous: 'whether some output needs more than batch',
  anyTable: 'whether some result is a table',
  batchLayer: 'the batch layer that is there',
  historyDays: 'the history to compute anew',
  tableFormat: 'the table format in use',
  uses: 'clouds, engines and readers',
}

function conditions(all: readonly Condition[]): string {
  if (all.length === 0) return 'nothing above holds'
  return all.map(conditionText).join(' and ')
}

function conditionText(condition: Condition): string {
  const fact = FACTS[condition.fact] ?? condition.fact
  const quantity = (value: number) =>
    condition.fact === 'historyDays' ? `${value} d` : secondsText(value)
  if ('isOneOf' in condition) return `${fact} is ${condition.isOneOf.join(' or ')}`
  if ('has' in condition) return `${fact} have ${condition.has.join(' or ')}`
  if ('atMost' in condition) return `${fact} is ${quantity(condition.atMost)} at most`
  if ('atLeast' in condition) return `${fact} is ${quantity(condition.atLeast)} at least`
  return `${fact} is above ${quantity(condition.above)}`
}

function candidates(all: typeof CANDIDATES.platforms | typeof CANDIDATES.engines): string {
  return table(
    ['id', 'what', 'where', 'availability', 'hours', 'skills', 'for', 'against'],
    all.map((each) => [
      `\`${each.id}\``,
      each.name,
      each.clouds.join(', '),
      each.availability,
      `${each.hours.run} / ${each.hours.adopt} / +${each.hours.withoutSkill}`,
      each.skills.join(', '),
      each.for.join('; '),
      each.against.join('; '),
    ]),
  )
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n')
}

if (import.meta.main) {
  mkdirSync('docs/schemas', { recursive: true })
  writeFileSync('docs/advise-rules.md', rulesPage())
  writeFileSync('docs/advise.md', withExample(readFileSync('docs/advise.md', 'utf8')))
  for (const name of Object.keys(SCHEMAS))
    writeFileSync(`docs/schemas/${name}.schema.json`, schemaText(name))
}
