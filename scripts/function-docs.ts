/** Writes the parts of `docs/sql.md` that the code knows: settings, functions, what is refused. `test/cli/sql-docs.test.ts` holds it to them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { aggregates } from '../src/plan/functions/aggregates.ts'
import { collectionFunctions } from '../src/plan/functions/collection.ts'
import { conditionals } from '../src/plan/functions/conditional.ts'
import { jsonFunctions } from '../src/plan/functions/json.ts'
import { numberFunctions } from '../src/plan/functions/number.ts'
import { operators } from '../src/plan/functions/operators.ts'
import type { FunctionSignature } from '../src/plan/functions/signature.ts'
import { textFunctions } from '../src/plan/functions/text.ts'
import { timeFunctions } from '../src/plan/functions/time.ts'
import { SETTINGS } from '../src/run/settings.ts'
import { INSTEAD } from '../src/sql/parse/unsupported.ts'

const GROUPS: readonly (readonly [string, readonly FunctionSignature[]])[] = [
  ['Aggregates', aggregates],
  ['Operators', operators],
  ['Conditions', conditionals],
  ['Numbers', numberFunctions],
  ['Text', textFunctions],
  ['Times', timeFunctions],
  ['JSON', jsonFunctions],
  ['Arrays and maps', collectionFunctions],
]

/** `text` with its generated parts as the code has them now. */
export function withGenerated(text: string): string {
  return Object.entries(PARTS).reduce((all, [name, write]) => {
    const part = new RegExp(`(<!-- ${name}: [^\\n]*-->\\n)[\\s\\S]*?(<!-- end -->)`)
    return all.replace(part, (_, start: string, end: string) => `${start}${write()}${end}`)
  }, text)
}

const PARTS = { settings, functions, unsupported }

function settings(): string {
  const rows = SETTINGS.map(({ name, fallback, summary }) => [
    `\`${name}\``,
    `\`${fallback}\``,
    summary,
  ])
  return table(['setting', 'unless set', 'meaning'], rows)
}

function functions(): string {
  const groups = GROUPS.map(([title, list]) => {
    const rows = list
      .toSorted((left, right) => (left.name < right.name ? -1 : 1))
      .map(({ name, aliases = [], summary }) => [
        [name, ...aliases].map((each) => `\`${each}\``).join(', '),
        summary,
      ])
    return `### ${title}\n\n${table(['function', 'result'], rows)}`
  })
  return groups.join('\n')
}

function unsupported(): string {
  return table(['construct', 'instead'], Object.entries(INSTEAD))
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return `${line(heads)}|${'---|'.repeat(heads.length)}\n${rows.map(line).join('')}`
}

if (import.meta.main) {
  writeFileSync('docs/sql.md', withGenerated(readFileSync('docs/sql.md', 'utf8')))
}
