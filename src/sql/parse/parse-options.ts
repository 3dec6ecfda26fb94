/** Options: WITH ('k' = 'v', ...) and hints of the form OPTIONS('k' = 'v'). */
import { SqlError } from '../sql-error.ts'
import type { EmitHint, OptionSyntax, StateTtlHint } from '../syntax.ts'
import {
  atSymbol,
  type Cursor,
  commaSeparated,
  expectString,
  expectSymbol,
  peek,
  take,
  takeSymbol,
} from './cursor.ts'
import { lex } from './lexer.ts'

/** Between parentheses; may be empty. */
export function parseOptions(cursor: Cursor, context: string): OptionSyntax[] {
  expectSymbol(cursor, '(', context)
  if (takeSymbol(cursor, ')')) return []
  const options = commaSeparated(cursor, () => {
    const key = expectString(cursor, 'the name of an option in quotes')
    expectSymbol(cursor, '=', "between an option's name and its value")
    const value = expectString(cursor, `the value of '${key.text}' in quotes`)
    return { key: key.text, keyAt: key.at, value: value.text, valueAt: value.at }
  })
  expectSymbol(cursor, ')', 'to end the options')
  return options
}

export interface Hints {
  /** OPTIONS(...): of a table. */
  readonly options: readonly OptionSyntax[]
  readonly stateTtl: readonly StateTtlHint[]
  readonly emit?: EmitHint
}

/** The hints at the cursor. Those of the planner can't change a result: they are passed over. */
export function parseHints(cursor: Cursor): Hints {
  const options: OptionSyntax[] = []
  const stateTtl: StateTtlHint[] = []
  let emit: EmitHint | undefined
  while (peek(cursor).kind === 'hint') {
    const hint = take(cursor)
    const { tokens } = lex(hint.text)
    const inside: Cursor = {
      tokens: tokens.map((token) => ({ ...token, at: hint.at })),
      errors: cursor.errors,
      query: cursor.query,
      position: 0,
      depth: cursor.depth,
    }
    while (peek(inside).kind !== 'end') {
      const name = take(inside)
      if (name.upper === 'OPTIONS' && atSymbol(inside, '('))
        options.push(...parseOptions(inside, 'in OPTIONS'))
      else if (name.upper === 'STATE_TTL' && atSymbol(inside, '('))
        stateTtl.push({ times: parseOptions(inside, 'in STATE_TTL'), at: hint.at })
      else if (name.upper === 'EMIT' && atSymbol(inside, '('))
        emit = { options: parseOptions(inside, 'in EMIT'), at: hint.at }
      else if (name.kind === 'word' && /OPTION/.test(name.upper)) {
        throw new SqlError('SQL_SYNTAX', hint.at, {
          message: `there is no hint ${name.text}`,
          hint: "did you mean OPTIONS('name' = 'value')?",
        })
      }
    }
  }
  return { options, stateTtl, ...(emit && { emit }) }
}
