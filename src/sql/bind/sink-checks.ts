/** How SET says that a sink's types are enforced. */
import type { SinkChecks } from '../../plan/sink-checks.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'

const NOT_NULL = 'table.exec.sink.not-null-enforcer'
const LENGTH = 'table.exec.sink.type-length-enforcer'
const NESTED = 'table.exec.sink.nested-constraint-enforcer'

/** undefined where all is as it is by default. @throws SQL_OPTION_INVALID */
export function sinkChecksOf(
  settings: ReadonlyMap<string, string>,
  at: Place,
): SinkChecks | undefined {
  const checks: SinkChecks = {
    notNull: chosen(settings, NOT_NULL, { ERROR: 'error', DROP: 'drop' }, at),
    length: chosen(
      settings,
      LENGTH,
      { IGNORE: 'ignore', ERROR: 'error', TRIM_PAD: 'trim-pad' },
      at,
    ),
    nested: chosen(
      settings,
      NESTED,
      { IGNORE: 'ignore', ROWS: 'rows', ROWS_AND_COLLECTIONS: 'all' },
      at,
    ),
  }
  const { notNull, length, nested } = checks
  return notNull === 'error' && length === 'ignore' && nested === 'ignore' ? undefined : checks
}

/** The first choice is what holds unless told. */
function chosen<Choice extends string>(
  settings: ReadonlyMap<string, string>,
  name: string,
  choices: Readonly<Record<string, Choice>>,
  at: Place,
): Choice {
  const [first] = Object.values(choices)
  const value = settings.get(name)
  if (value === undefined) return first!
  const choice = Object.hasOwn(choices, value.toUpperCase())
    ? choices[value.toUpperCase()]
    : undefined
  if (choice !== undefined) return choice
  throw new SqlError('SQL_OPTION_INVALID', at, {
    message: `'${name}' can't be '${value}'`,
    hint: `it is ${Object.keys(choices).join(', ')}`,
    facts: { option: name, value },
  })
}
