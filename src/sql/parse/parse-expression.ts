/** Expressions, by precedence (a Pratt parser): a prefix, then every operator that binds tighter than what stands left. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { ExpressionSyntax } from '../syntax.ts'
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
  nested,
  peek,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'
import { isBareFunction, parseCall } from './parse-call.ts'
import { parseLiteral } from './parse-literal.ts'
import { atSubquery, parseQuantified, parseSubquery } from './parse-subquery.ts'
import { parseType } from './parse-type.ts'
import { POWER } from './power.ts'
import { isCallable, isReserved } from './reserved.ts'
import { unsupported } from './unsupported.ts'

/** @throws SQL_SYNTAX */
export function parseExpression(cursor: Cursor, power: number = POWER.none): ExpressionSyntax {
  return nested(cursor, () => {
    let left = parsePrefix(cursor)
    for (let terms = 1; ; terms++) {
      const most = isList(left) ? LIST_MAX : TERMS_MAX
      if (terms > most) throw tooLong(cursor, most)
      const next = parseInfix(cursor, left, power)
      if (next === undefined) return left
      left = next
    }
  })
}

/** Each term but those of AND and OR, which are lists, is a level of its tree: a bound of the stack of all who walk it. */
const TERMS_MAX = 1000
const LIST_MAX = 2000

function isList(syntax: ExpressionSyntax): boolean {
  return syntax.kind === 'operator' && (syntax.function === 'AND' || syntax.function === 'OR')
}

function tooLong(cursor: Cursor, termsMax: number): SqlError {
  return new SqlError('SQL_SYNTAX', peek(cursor).at, {
    message: `this expression has more than ${termsMax} terms`,
    hint: 'write x IN (...), compute parts of it in views or WITH, or put the values in a table',
    facts: { termsMax },
  })
}

function operator(
  id: string,
  symbol: string,
  args: readonly ExpressionSyntax[],
  at: Place,
): ExpressionSyntax {
  return { kind: 'operator', function: id, symbol, args, at }
}

/** From `start` to what was taken last. */
function since(cursor: Cursor, start: Place): Place {
  return spanning(start, lastTaken(cursor).at)
}

function parsePrefix(cursor: Cursor): ExpressionSyntax {
  const token = peek(cursor)
  const { at } = token
  if (takeSymbol(cursor, '-')) {
    return operator('NEGATE', '-', [parseExpression(cursor, POWER.sign)], since(cursor, at))
  }
  if (takeSymbol(cursor, '+')) return parseExpression(cursor, POWER.sign)
  if (takeWords(cursor, 'NOT')) {
    return operator('NOT', 'NOT', [parseExpression(cursor, POWER.not)], since(cursor, at))
  }
  if (atSymbol(cursor, '(')) return parseParentheses(cursor)
  const literal = parseLiteral(cursor)
  if (literal !== undefined) return literal
  if (token.kind === 'quoted') return parseNamed(cursor)
  if (token.kind === 'word') return parseWord(cursor, token.upper)
  throw unexpected(cursor, 'an expression')
}

function parseWord(cursor: Cursor, word: string): ExpressionSyntax {
  const { at } = peek(cursor)
  switch (word) {
    case 'CASE':
      return parseCase(cursor)
    case 'CAST':
    case 'TRY_CAST':
      if (atSymbol(cursor, '(', 1)) return parseCast(cursor)
      return parseNamed(cursor)
    case 'ARRAY':
    case 'MAP':
      if (atSymbol(cursor, '[', 1)) return parseBracketed(cursor, word)
      return parseNamed(cursor)
    case 'ROW':
      if (!atSymbol(cursor, '(', 1)) return parseNamed(cursor)
      take(cursor)
      return parseItems(cursor, 'ROW', at, '(', ')')
    case 'RUNNING':
    case 'FINAL':
      return parseMode(cursor)
    case 'EXISTS':
      take(cursor)
      return { kind: 'exists', query: parseSubquery(cursor), at: since(cursor, at) }
    default:
      return parseNamed(cursor)
  }
}

/** RUNNING f(x) and FINAL f(x), of MATCH_RECOGNIZE; or a name like others. */
function parseMode(cursor: Cursor): ExpressionSyntax {
  const { text, upper } = peek(cursor, 1)
  const isCall = atSymbol(cursor, '(', 2) && isCallable(text) && !INFIX_WORDS.includes(upper)
  if (peek(cursor, 1).kind !== 'word' || !isCall) return parseNamed(cursor)
  const name = nameOf(take(cursor))
  const call = { name, args: [parseNamed(cursor)], star: false, distinct: false }
  return { kind: 'call', call, at: since(cursor, name.at) }
}

/** A call, or a column. */
function parseNamed(cursor: Cursor): ExpressionSyntax {
  const token = peek(cursor)
  const isCall = atSymbol(cursor, '(', 1) && (token.kind === 'quoted' || isCallable(token.text))
  if (isCall || isBareFunction(token.upper)) return parseCall(cursor, parseExpression)
  if (token.kind === 'word' && isReserved(token.text) && !isCallable(token.text)) {
    throw unexpected(cursor, 'an expression')
  }
  const name = expectName(cursor, 'an expression')
  return { kind: 'reference', parts: [name], at: name.at }
}

/** (x), or the row (x, y). */
function parseParentheses(cursor: Cursor): ExpressionSyntax {
  const start = peek(cursor).at
  if (atSubquery(cursor))
    return { kind: 'scalar-query', query: parseSubquery(cursor), at: since(cursor, start) }
  take(cursor)
  const items = commaSeparated(cursor, () => parseExpression(cursor))
  expectSymbol(cursor, ')', 'to close the parenthesis')
  const at = since(cursor, start)
  return items.length === 1 ? items[0]! : { kind: 'constructor', of: 'ROW', items, at }
}

function parseBracketed(cursor: Cursor, of: 'ARRAY' | 'MAP'): ExpressionSyntax {
  const { at } = take(cursor)
  const made = parseItems(cursor, of, at, '[', ']')
  if (of === 'MAP' && made.kind === 'constructor' && made.items.length % 2 === 1) {
    throw new SqlError('SQL_SYNTAX', made.at, {
      message: `MAP[...] has ${made.items.length} items`,
      hint: "write keys and values by turns: MAP['a', 1, 'b', 2]",
    })
  }
  return made
}

function parseItems(
  cursor: Cursor,
  of: 'ARRAY' | 'MAP' | 'ROW',
  start: Place,
  open: string,
  close: string,
): ExpressionSyntax {
  expectSymbol(cursor, open, `behind ${of}`)
  const items = atSymbol(cursor, close) ? [] : commaSeparated(cursor, () => parseExpression(cursor))
  expectSymbol(cursor, close, `to end ${of}${open}...${close}`)
  return { kind: 'constructor', of, items, at: since(cursor, start) }
}

function parseCase(cursor: Cursor): ExpressionSyntax {
  const start = take(cursor).at
  const operand = atWords(cursor, 'WHEN') ? undefined : parseExpression(cursor)
  const branches = []
  while (takeWords(cursor, 'WHEN')) {
    if (branches.length === LIST_MAX) throw tooLong(cursor, LIST_MAX)
    const when = parseExpression(cursor)
    expectWord(cursor, 'THEN', 'behind the condition of WHEN')
    // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
    branches.push({ when, then: parseExpression(cursor) })
  }
  if (branches.length === 0) throw unexpected(cursor, 'WHEN in CASE', ['WHEN'])
  const otherwise = takeWords(cursor, 'ELSE') ? parseExpression(cursor) : undefined
  expectWord(cursor, 'END', 'to end CASE')
  return {
    kind: 'case',
    branches,
    ...(operand === undefined ? {} : { operand }),
    ...(otherwise === undefined ? {} : { otherwise }),
    at: since(cursor, start),
  }
}

function parseCast(cursor: Cursor): ExpressionSyntax {
  const { at, upper } = take(cursor)
  expectSymbol(cursor, '(', `behind ${upper}`)
  const input = parseExpression(cursor)
  expectWord(cursor, 'AS', `in ${upper}(value AS type)`)
  const type = parseType(cursor)
  expectSymbol(cursor, ')', `to end ${upper}`)
  return { kind: 'cast', input, type, safe: upper === 'TRY_CAST', at: since(cursor, at) }
}

const BINARY: Readonly<Record<string, readonly [id: string, power: number]>> = {
  OR: ['OR', POWER.or],
  AND: ['AND', POWER.and],
  '=': ['EQUALS', POWER.comparison],
  '<>': ['NOT_EQUALS', POWER.comparison],
  '!=': ['NOT_EQUALS', POWER.comparison],
  '<': ['LESS', POWER.comparison],
  '<=': ['LESS_OR_EQUAL', POWER.comparison],
  '>': ['GREATER', POWER.comparison],
  '>=': ['GREATER_OR_EQUAL', POWER.comparison],
  '+': ['PLUS', POWER.sum],
  '-': ['MINUS', POWER.sum],
  '*': ['TIMES', POWER.product],
  '/': ['DIVIDE', POWER.product],
  '%': ['MOD', POWER.product],
  '||': ['CONCAT', POWER.concat],
}

/** `left` with the operator at the cursor; undefined if none that binds tighter than `power` is there. */
function parseInfix(
  cursor: Cursor,
  left: ExpressionSyntax,
  power: number,
): ExpressionSyntax | undefined {
  const token = peek(cursor)
  if (token.kind !== 'word' && token.kind !== 'symbol') return undefined
  const symbol = token.kind === 'word' ? token.upper : token.text
  const binary = Object.hasOwn(BINARY, symbol) ? BINARY[symbol] : undefined
  if (binary !== undefined) {
    if (binary[1] <= power) return undefined
    take(cursor)
    const quantified = parseQuantified(cursor, left, binary[0])
    if (quantified !== undefined) return quantified
    const right = parseExpression(cursor, binary[1])
    const at = spanning(left.at, right.at)
    if (left.kind === 'operator' && left.function === binary[0] && isList(left))
      return operator(binary[0], symbol, [...left.args, right], at)
    return operator(binary[0], symbol, [left, right], at)
  }
  if (token.kind === 'symbol') return parseAccess(cursor, left, symbol, power)
  return parseWordInfix(cursor, left, symbol, power)
}

function parseAccess(
  cursor: Cursor,
  left: ExpressionSyntax,
  symbol: string,
  power: number,
): ExpressionSyntax | undefined {
  if (power >= POWER.access) return undefined
  if (symbol === '[') {
    take(cursor)
    const index = parseExpression(cursor)
    expectSymbol(cursor, ']', 'behind the index')
    return operator('ITEM', '[]', [left, index], since(cursor, left.at))
  }
  if (symbol === '.') {
    take(cursor)
    const field = expectName(cursor, 'a name behind the point')
    const at = since(cursor, left.at)
    if (left.kind === 'reference') return { kind: 'reference', parts: [...left.parts, field], at }
    return { kind: 'field', input: left, field, at }
  }
  if (symbol === '::') {
    throw new SqlError('SQL_SYNTAX', peek(cursor).at, {
      message: '`::` is not a cast in this dialect',
      hint: 'write CAST(value AS type)',
    })
  }
  if (symbol === '->' || symbol === '=>') return undefined
  return undefined
}

const INFIX_WORDS = ['IN', 'BETWEEN', 'LIKE', 'SIMILAR', 'OVERLAPS', 'COLLATE', 'RLIKE', 'ILIKE']

function parseWordInfix(
  cursor: Cursor,
  left: ExpressionSyntax,
  word: string,
  power: number,
): ExpressionSyntax | undefined {
  if (word === 'IS') return power >= POWER.is ? undefined : parseIs(cursor, left)
  if (power >= POWER.range) return undefined
  const negated = word === 'NOT'
  const verb = negated ? peek(cursor, 1).upper : word
  if (!INFIX_WORDS.includes(verb)) return undefined
  if (negated) take(cursor)
  const { at } = take(cursor)
  switch (verb) {
    case 'IN':
      return parseIn(cursor, left, negated)
    case 'BETWEEN':
      return parseBetween(cursor, left, negated)
    case 'LIKE':
      return parseLike(cursor, left, negated)
    case 'SIMILAR':
      throw unsupported('SIMILAR TO', at)
    case 'OVERLAPS':
    case 'COLLATE':
      throw unsupported(verb, at)
    default:
      throw new SqlError('SQL_SYNTAX', at, {
        message: `${verb} is not an operator of this dialect`,
        hint: 'write REGEXP(text, pattern), or LOWER(text) LIKE pattern',
      })
  }
}

const IS_TESTS: Readonly<Record<string, string>> = {
  NULL: 'NULL',
  UNKNOWN: 'NULL',
  TRUE: 'TRUE',
  FALSE: 'FALSE',
}

/** IS [NOT] NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM x | JSON. */
function parseIs(cursor: Cursor, left: ExpressionSyntax): ExpressionSyntax {
  take(cursor)
  const not = takeWords(cursor, 'NOT')
  const prefix = not ? 'IS_NOT_' : 'IS_'
  if (takeWords(cursor, 'DISTINCT', 'FROM')) {
    const right = parseExpression(cursor, POWER.comparison)
    const id = `${prefix}DISTINCT_FROM`
    return operator(id, id.replaceAll('_', ' '), [left, right], spanning(left.at, right.at))
  }
  const word = peek(cursor).upper
  if (takeWords(cursor, 'JSON')) {
    const kind = ['VALUE', 'OBJECT', 'ARRAY', 'SCALAR'].includes(peek(cursor).upper)
      ? take(cursor)
      : undefined
    const at = since(cursor, left.at)
    const what: ExpressionSyntax = {
      kind: 'literal',
      literal: { kind: 'string', value: kind?.upper ?? 'VALUE' },
      at,
    }
    const test = operator('IS_JSON', 'IS JSON', [left, what], at)
    return not ? operator('NOT', 'NOT', [test], at) : test
  }
  const test = Object.hasOwn(IS_TESTS, word) ? IS_TESTS[word] : undefined
  if (test === undefined) {
    throw unexpected(cursor, 'NULL, TRUE, FALSE or DISTINCT FROM behind IS', [
      'NULL',
      'NOT',
      'TRUE',
      'FALSE',
      'DISTINCT',
    ])
  }
  take(cursor)
  return operator(
    prefix + test,
    `${prefix}${test}`.replaceAll('_', ' '),
    [left],
    since(cursor, left.at),
  )
}

function parseIn(cursor: Cursor, input: ExpressionSyntax, negated: boolean): ExpressionSyntax {
  if (atSubquery(cursor)) {
    const query = parseSubquery(cursor)
    return { kind: 'in-query', input, query, negated, at: since(cursor, input.at) }
  }
  expectSymbol(cursor, '(', 'behind IN')
  const list = commaSeparated(cursor, () => parseExpression(cursor))
  expectSymbol(cursor, ')', 'to end the list of IN')
  return { kind: 'in', input, list, negated, at: since(cursor, input.at) }
}

function parseBetween(cursor: Cursor, input: ExpressionSyntax, negated: boolean): ExpressionSyntax {
  const symmetric = takeWords(cursor, 'SYMMETRIC')
  if (!symmetric) takeWords(cursor, 'ASYMMETRIC')
  const low = parseExpression(cursor, POWER.operand)
  expectWord(cursor, 'AND', 'in BETWEEN low AND high')
  const high = parseExpression(cursor, POWER.operand)
  return { kind: 'between', input, low, high, negated, symmetric, at: since(cursor, input.at) }
}

function parseLike(cursor: Cursor, input: ExpressionSyntax, negated: boolean): ExpressionSyntax {
  const args = [input, parseExpression(cursor, POWER.operand)]
  if (takeWords(cursor, 'ESCAPE')) args.push(parseExpression(cursor, POWER.operand))
  const at = since(cursor, input.at)
  const like = operator('LIKE', 'LIKE', args, at)
  return negated ? operator('NOT', 'NOT LIKE', [like], at) : like
}
