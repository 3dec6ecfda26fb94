/**
 * Calls, and the functions that SQL gives a syntax of their own: all become calls with plain arguments.
 *
 *   EXTRACT(DAY FROM x)                  EXTRACT('DAY', x)
 *   CEIL(x TO DAY), FLOOR(x TO DAY)      CEIL(x, 'DAY'), FLOOR(x, 'DAY')
 *   TIMESTAMPADD(DAY, n, x)              TIMESTAMPADD('DAY', n, x); TIMESTAMPDIFF likewise
 *   POSITION(a IN b)                     POSITION(a, b)
 *   SUBSTRING(x FROM a FOR b)            SUBSTRING(x, a, b)
 *   OVERLAY(x PLACING y FROM a FOR b)    OVERLAY(x, y, a, b)
 *   TRIM(x), TRIM(BOTH y FROM x)         TRIM('BOTH', ' ', x), TRIM('BOTH', y, x)
 *   JSON_VALUE(x, p RETURNING t ...)     JSON_VALUE(x, p, returning, wrapper, empty, empty default, error, error default):
 *                                        the clauses as text such as 'INT' and 'DEFAULT', NULL where absent; JSON_QUERY likewise
 *   CURRENT_TIMESTAMP                    CURRENT_TIMESTAMP()
 */
import { typeText } from '../../plan/functions/type-text.ts'
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { ExpressionSyntax, Identifier } from '../syntax.ts'
import {
  atSymbol,
  atWords,
  type Cursor,
  commaSeparated,
  expectName,
  expectSymbol,
  expectWord,
  lastTaken,
  nameOf,
  peek,
  skipParentheses,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'
import { parseJsonArray, parseJsonObject } from './parse-json-constructor.ts'
import { unitOf } from './parse-literal.ts'
import { parseOver } from './parse-over.ts'
import { parseType } from './parse-type.ts'
import { POWER } from './power.ts'
import { unsupported } from './unsupported.ts'

/** Reads an expression of operators that bind tighter than `power`. */
export type ParseExpression = (cursor: Cursor, power?: number) => ExpressionSyntax

/** Functions that are called without parentheses. */
const BARE = new Set([
  'CURRENT_DATE',
  'CURRENT_TIME',
  'CURRENT_TIMESTAMP',
  'LOCALTIME',
  'LOCALTIMESTAMP',
])

export function isBareFunction(word: string): boolean {
  return BARE.has(word)
}

/** A call; the cursor is at its name, which `(` follows unless it is a bare function. */
export function parseCall(cursor: Cursor, expression: ParseExpression): ExpressionSyntax {
  const name = nameOf(take(cursor))
  const upper = lastTaken(cursor).upper
  if (!takeSymbol(cursor, '(')) {
    if (atSymbol(cursor, '(')) skipParentheses(cursor)
    return callOf(name, [], name.at)
  }
  const args = parseSpecial(cursor, upper, expression)
  if (args === undefined) return parsePlain(cursor, name, expression)
  expectSymbol(cursor, ')', `to end ${name.name}(...)`)
  return suffixed(cursor, callOf(name, args, spanning(name.at, lastTaken(cursor).at)), expression)
}

/** The plain arguments of a function with a syntax of its own; undefined if this is not one. */
function parseSpecial(
  cursor: Cursor,
  name: string,
  expression: ParseExpression,
): ExpressionSyntax[] | undefined {
  switch (name) {
    case 'EXTRACT':
      return parseExtract(cursor, expression)
    case 'CEIL':
    case 'CEILING':
    case 'FLOOR':
      return parseRounding(cursor, expression)
    case 'TIMESTAMPADD':
    case 'TIMESTAMPDIFF':
      return parseUnitFirst(cursor, expression)
    case 'POSITION':
      return parsePosition(cursor, expression)
    case 'SUBSTRING':
      return parseSubstring(cursor, expression)
    case 'OVERLAY':
      return parseOverlay(cursor, expression)
    case 'TRIM':
      return parseTrim(cursor, expression)
    case 'JSON_VALUE':
    case 'JSON_QUERY':
    case 'JSON_EXISTS':
      return parseJson(cursor, expression)
    case 'JSON_OBJECT':
    case 'JSON_OBJECTAGG':
      return parseJsonObject(cursor, expression)
    case 'JSON_ARRAY':
    case 'JSON_ARRAYAGG':
      return parseJsonArray(cursor, expression)
    default:
      return undefined
  }
}

function parsePlain(
  cursor: Cursor,
  name: Identifier,
  expression: ParseExpression,
): ExpressionSyntax {
  const star = atSymbol(cursor, '*') && atSymbol(cursor, ')', 1)
  let distinct = false
  let args: ExpressionSyntax[] = []
  if (star) take(cursor)
  else if (isStarOfName(cursor)) return parseStarOfName(cursor, name)
  else if (!atSymbol(cursor, ')')) {
    distinct = takeWords(cursor, 'DISTINCT')
    if (!distinct) takeWords(cursor, 'ALL')
    args = commaSeparated(cursor, () => parseArgument(cursor, expression))
    if (atWords(cursor, 'ORDER', 'BY'))
      throw unsupported('ORDER BY in an aggregate', peek(cursor).at)
  }
  expectSymbol(cursor, ')', `to end ${name.name}(...)`)
  const call = { name, args, star, distinct }
  const at = spanning(name.at, lastTaken(cursor).at)
  return suffixed(cursor, { kind: 'call', call, at }, expression)
}

/** A.*, in COUNT(A.*). */
function isStarOfName(cursor: Cursor): boolean {
  return ['.', '*', ')'].every((symbol, index) => atSymbol(cursor, symbol, index + 1))
}

function parseStarOfName(cursor: Cursor, name: Identifier): ExpressionSyntax {
  const of = expectName(cursor, 'a name before `.*`')
  const args: ExpressionSyntax[] = [{ kind: 'reference', parts: [of], at: of.at }]
  cursor.position += 3
  const call = { name, args, star: true, distinct: false }
  return { kind: 'call', call, at: spanning(name.at, lastTaken(cursor).at) }
}

function parseArgument(cursor: Cursor, expression: ParseExpression): ExpressionSyntax {
  if (atWords(cursor, 'TABLE') || atWords(cursor, 'DESCRIPTOR')) {
    throw new SqlError('SQL_SYNTAX', peek(cursor).at, {
      message: `${peek(cursor).upper} stands only in a window function in FROM`,
      hint: "write FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
    })
  }
  return expression(cursor)
}

/** FILTER (WHERE ...); and what may stand behind a call in Flink but not here. */
function suffixed(
  cursor: Cursor,
  call: ExpressionSyntax,
  expression: ParseExpression,
): ExpressionSyntax {
  if (atWords(cursor, 'WITHIN', 'GROUP')) {
    cursor.errors.push(unsupported('WITHIN GROUP', peek(cursor).at))
    cursor.position += 2
    skipParentheses(cursor)
  }
  if (call.kind === 'call' && atWords(cursor, 'FILTER') && atSymbol(cursor, '(', 1)) {
    cursor.position += 2
    expectWord(cursor, 'WHERE', 'in FILTER (WHERE condition)')
    const filter = expression(cursor)
    expectSymbol(cursor, ')', 'to end FILTER (...)')
    const at = spanning(call.at, lastTaken(cursor).at)
    call = { kind: 'call', call: { ...call.call, filter }, at }
  }
  if (call.kind === 'call' && takeWords(cursor, 'OVER')) {
    const over = parseOver(cursor, expression)
    const at = spanning(call.at, lastTaken(cursor).at)
    return { kind: 'call', call: { ...call.call, over }, at }
  }
  return call
}

function callOf(name: Identifier, args: readonly ExpressionSyntax[], at: Place): ExpressionSyntax {
  return { kind: 'call', call: { name, args, star: false, distinct: false }, at }
}

function symbolOf(text: string, at: Place): ExpressionSyntax {
  return { kind: 'literal', literal: { kind: 'string', value: text }, at }
}

const EXTRACT_UNITS = [
  'YEAR',
  'QUARTER',
  'MONTH',
  'WEEK',
  'DAY',
  'HOUR',
  'MINUTE',
  'SECOND',
  'MILLISECOND',
  'MICROSECOND',
  'NANOSECOND',
  'DOW',
  'DOY',
  'ISODOW',
  'ISOYEAR',
  'EPOCH',
  'CENTURY',
  'DECADE',
  'MILLENNIUM',
]

function takeUnit(cursor: Cursor, what: string): ExpressionSyntax {
  const token = peek(cursor)
  const word =
    token.kind === 'string' ? token.text.toUpperCase() : token.upper.replace(/^SQL_TSI_/, '')
  const unit = EXTRACT_UNITS.includes(word) ? word : unitOf(word)
  if (unit === undefined) throw unexpected(cursor, `a unit of time ${what}`, EXTRACT_UNITS)
  take(cursor)
  return symbolOf(unit, token.at)
}

function parseExtract(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const unit = takeUnit(cursor, 'such as DAY in EXTRACT(DAY FROM ...)')
  expectWord(cursor, 'FROM', 'in EXTRACT(unit FROM moment)')
  return [unit, expression(cursor)]
}

function parseRounding(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const args = commaSeparated(cursor, () => expression(cursor))
  if (takeWords(cursor, 'TO')) args.push(takeUnit(cursor, 'behind TO'))
  return args
}

function parseUnitFirst(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const unit = takeUnit(cursor, 'such as DAY')
  expectSymbol(cursor, ',', 'behind the unit')
  return [unit, ...commaSeparated(cursor, () => expression(cursor))]
}

function parsePosition(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const found = expression(cursor, POWER.operand)
  if (!takeWords(cursor, 'IN')) expectSymbol(cursor, ',', 'or IN in POSITION(part IN text)')
  return [found, ...commaSeparated(cursor, () => expression(cursor))]
}

function parseSubstring(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const args = [expression(cursor)]
  if (takeWords(cursor, 'FROM')) {
    args.push(expression(cursor))
    if (takeWords(cursor, 'FOR')) args.push(expression(cursor))
    return args
  }
  while (takeSymbol(cursor, ',')) args.push(expression(cursor))
  return args
}

function parseOverlay(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const args = [expression(cursor)]
  if (takeWords(cursor, 'PLACING')) {
    args.push(expression(cursor))
    expectWord(cursor, 'FROM', 'in OVERLAY(text PLACING new FROM start)')
    args.push(expression(cursor))
    if (takeWords(cursor, 'FOR')) args.push(expression(cursor))
    return args
  }
  while (takeSymbol(cursor, ',')) args.push(expression(cursor))
  return args
}

/** TRIM([BOTH | LEADING | TRAILING] [characters] FROM text), TRIM(text). */
function parseTrim(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const { at, upper } = peek(cursor)
  const side = ['BOTH', 'LEADING', 'TRAILING'].includes(upper) ? take(cursor).upper : undefined
  const sideArgument = symbolOf(side ?? 'BOTH', at)
  const space = symbolOf(' ', at)
  if (side !== undefined && takeWords(cursor, 'FROM'))
    return [sideArgument, space, expression(cursor)]
  const first = expression(cursor)
  if (takeWords(cursor, 'FROM')) return [sideArgument, first, expression(cursor)]
  if (side === undefined) return [sideArgument, space, first]
  throw unexpected(cursor, `FROM in TRIM(${side} characters FROM text)`)
}

function parseJson(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const args = [expression(cursor)]
  while (takeSymbol(cursor, ',')) args.push(expression(cursor))
  if (atSymbol(cursor, ')')) return args
  const { at } = peek(cursor)
  const nothing: ExpressionSyntax = { kind: 'literal', literal: { kind: 'null' }, at }
  const clauses = {
    returning: nothing,
    wrapper: nothing,
    empty: nothing,
    emptyDefault: nothing,
    error: nothing,
    errorDefault: nothing,
  }
  while (!atSymbol(cursor, ')')) parseJsonClause(cursor, expression, clauses)
  const { returning, wrapper, empty, emptyDefault, error, errorDefault } = clauses
  return [...args, returning, wrapper, empty, emptyDefault, error, errorDefault]
}

type JsonClauses = Record<
  'returning' | 'wrapper' | 'empty' | 'emptyDefault' | 'error' | 'errorDefault',
  ExpressionSyntax
>

function parseJsonClause(cursor: Cursor, expression: ParseExpression, clauses: JsonClauses): void {
  const token = peek(cursor)
  if (takeWords(cursor, 'RETURNING')) {
    clauses.returning = symbolOf(typeText(parseType(cursor)), token.at)
    return
  }
  if (takeWords(cursor, 'WITHOUT')) {
    takeWords(cursor, 'ARRAY')
    expectWord(cursor, 'WRAPPER', 'behind WITHOUT')
    clauses.wrapper = symbolOf('WITHOUT', token.at)
    return
  }
  if (takeWords(cursor, 'WITH')) {
    const conditional = takeWords(cursor, 'CONDITIONAL')
    if (!conditional) takeWords(cursor, 'UNCONDITIONAL')
    takeWords(cursor, 'ARRAY')
    expectWord(cursor, 'WRAPPER', 'behind WITH')
    clauses.wrapper = symbolOf(conditional ? 'CONDITIONAL' : 'UNCONDITIONAL', token.at)
    return
  }
  const [behaviour, value] = parseJsonBehaviour(cursor, expression)
  expectWord(cursor, 'ON', 'EMPTY or ON ERROR')
  const on = peek(cursor).upper
  if (on !== 'EMPTY' && on !== 'ERROR') throw unexpected(cursor, 'EMPTY or ERROR behind ON')
  take(cursor)
  const key = on === 'EMPTY' ? 'empty' : 'error'
  clauses[key] = symbolOf(behaviour, token.at)
  if (value !== undefined) clauses[`${key}Default`] = value
}

function parseJsonBehaviour(
  cursor: Cursor,
  expression: ParseExpression,
): [behaviour: string, value?: ExpressionSyntax] {
  if (takeWords(cursor, 'DEFAULT')) return ['DEFAULT', expression(cursor)]
  if (takeWords(cursor, 'EMPTY', 'ARRAY')) return ['EMPTY ARRAY']
  if (takeWords(cursor, 'EMPTY', 'OBJECT')) return ['EMPTY OBJECT']
  const words = ['NULL', 'ERROR', 'TRUE', 'FALSE', 'UNKNOWN']
  const { upper } = peek(cursor)
  if (!words.includes(upper))
    throw unexpected(cursor, 'RETURNING, NULL ON EMPTY or NULL ON ERROR', words)
  return [take(cursor).upper]
}
