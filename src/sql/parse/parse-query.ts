/** Queries: WITH, SELECT, VALUES, UNION, FROM with window table functions, ORDER BY, LIMIT. */
import { type Place, spanning } from '../place.ts'
import type {
  BodySyntax,
  CommonTable,
  ExpressionSyntax,
  QuerySyntax,
  SelectItem,
} from '../syntax.ts'
import {
  atName,
  atSymbol,
  atWords,
  type Cursor,
  commaSeparated,
  expectName,
  expectSymbol,
  expectWord,
  lastTaken,
  nested,
  peek,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { parseFrom, parseNames } from './parse-from.ts'
import { parseGroupBy } from './parse-group.ts'
import { parseHints } from './parse-options.ts'
import { parseOrder, parseWindowSpec } from './parse-over.ts'
import { unsupported } from './unsupported.ts'

function since(cursor: Cursor, start: Place): Place {
  return spanning(start, lastTaken(cursor).at)
}

/** @throws SQL_SYNTAX, SQL_UNSUPPORTED */
export function parseQuery(cursor: Cursor): QuerySyntax {
  return nested(cursor, () => {
    const start = peek(cursor).at
    const tables = takeWords(cursor, 'WITH') ? parseWith(cursor) : []
    const body = parseBody(cursor)
    const orderBy = takeWords(cursor, 'ORDER', 'BY')
      ? commaSeparated(cursor, () => parseOrder(cursor, parseExpression))
      : []
    const limits = parseLimits(cursor)
    return { with: tables, body, orderBy, ...limits, at: since(cursor, start) }
  })
}

export function atQuery(cursor: Cursor): boolean {
  return ['SELECT', 'WITH', 'VALUES'].includes(peek(cursor).upper) || atSymbol(cursor, '(')
}

function parseWith(cursor: Cursor): CommonTable[] {
  if (atWords(cursor, 'RECURSIVE')) throw unsupported('RECURSIVE', peek(cursor).at)
  return commaSeparated(cursor, () => {
    const name = expectName(cursor, 'the name of a table in WITH')
    const columns = atSymbol(cursor, '(') ? parseNames(cursor, 'of columns') : undefined
    expectWord(cursor, 'AS', 'in WITH name AS (query)')
    expectSymbol(cursor, '(', 'around the query')
    const query = parseQuery(cursor)
    expectSymbol(cursor, ')', 'to close the query')
    return { name, query, ...(columns === undefined ? {} : { columns }) }
  })
}

function parseBody(cursor: Cursor): BodySyntax {
  return parseSets(cursor, ['UNION', 'EXCEPT', 'MINUS'], () =>
    // INTERSECT binds tighter than the others.
    parseSets(cursor, ['INTERSECT'], () => parseTerm(cursor)),
  )
}

/** Terms with set operations between them, from left to right; neighbours that are alike are one. */
function parseSets(cursor: Cursor, words: readonly string[], term: () => BodySyntax): BodySyntax {
  let left = term()
  while (words.includes(peek(cursor).upper)) {
    const kind = SETS[take(cursor).upper]!
    const distinct = !takeWords(cursor, 'ALL')
    if (distinct) takeWords(cursor, 'DISTINCT')
    const right = term()
    const before = left.kind === 'union' && left.distinct === distinct ? left : undefined
    const inputs = kind === 'union' && before ? [...before.inputs, right] : [left, right]
    left = { kind, inputs, distinct, at: since(cursor, left.at) }
  }
  return left
}

const SETS: Readonly<Record<string, 'union' | 'intersect' | 'except'>> = {
  UNION: 'union',
  INTERSECT: 'intersect',
  EXCEPT: 'except',
  MINUS: 'except',
}

function parseTerm(cursor: Cursor): BodySyntax {
  const { at } = peek(cursor)
  if (takeSymbol(cursor, '(')) {
    const query = parseQuery(cursor)
    expectSymbol(cursor, ')', 'to close the query')
    return { kind: 'nested', query, at: since(cursor, at) }
  }
  if (takeWords(cursor, 'VALUES')) {
    const rows = commaSeparated(cursor, () => parseRow(cursor))
    return { kind: 'values', rows, at: since(cursor, at) }
  }
  if (takeWords(cursor, 'SELECT')) return parseSelect(cursor, at)
  throw unexpected(cursor, 'SELECT or VALUES', ['SELECT', 'VALUES'])
}

function parseRow(cursor: Cursor): readonly ExpressionSyntax[] {
  const row = parseExpression(cursor)
  return row.kind === 'constructor' && row.of === 'ROW' ? row.items : [row]
}

function parseSelect(cursor: Cursor, start: Place): BodySyntax {
  const { stateTtl, emit } = parseHints(cursor)
  const distinct = takeWords(cursor, 'DISTINCT')
  if (!distinct) takeWords(cursor, 'ALL')
  const items = commaSeparated(cursor, () => parseItem(cursor))
  const from = takeWords(cursor, 'FROM') ? parseFrom(cursor) : undefined
  const where = takeWords(cursor, 'WHERE') ? parseExpression(cursor) : undefined
  const groupBy = takeWords(cursor, 'GROUP', 'BY') ? parseGroupBy(cursor) : undefined
  const having = takeWords(cursor, 'HAVING') ? parseExpression(cursor) : undefined
  const windows = takeWords(cursor, 'WINDOW')
    ? commaSeparated(cursor, () => parseNamedWindow(cursor))
    : []
  const qualify = takeWords(cursor, 'QUALIFY') ? parseExpression(cursor) : undefined
  return {
    kind: 'select',
    distinct,
    items,
    windows,
    stateTtl,
    ...(emit && { emit }),
    ...(from && { from }),
    ...(where && { where }),
    ...(groupBy && { groupBy }),
    ...(having && { having }),
    ...(qualify && { qualify }),
    at: since(cursor, start),
  }
}

/** WINDOW name AS (...). */
function parseNamedWindow(cursor: Cursor) {
  const name = expectName(cursor, 'the name of a window')
  expectWord(cursor, 'AS', 'in WINDOW name AS (...)')
  const { at } = expectSymbol(cursor, '(', 'behind AS')
  return { name, over: parseWindowSpec(cursor, parseExpression, at) }
}

function parseItem(cursor: Cursor): SelectItem {
  const start = peek(cursor)
  if (takeSymbol(cursor, '*')) return { kind: 'star', at: start.at }
  if (atName(cursor) && atSymbol(cursor, '.', 1) && atSymbol(cursor, '*', 2)) {
    const qualifier = expectName(cursor, 'a table')
    cursor.position += 2
    return { kind: 'star', qualifier, at: since(cursor, start.at) }
  }
  if (start.upper === 'FROM')
    throw unexpected(
      cursor,
      'a column before FROM',
      [],
      'take away the comma before FROM, or write a column behind it',
    )
  const expression = parseExpression(cursor)
  const named = takeWords(cursor, 'AS') || atName(cursor)
  const alias = named ? expectName(cursor, 'the name of the column behind AS') : undefined
  return { kind: 'expression', expression, ...(alias && { alias }), at: since(cursor, start.at) }
}

function parseLimits(cursor: Cursor): { limit?: ExpressionSyntax; offset?: ExpressionSyntax } {
  const limits: { limit?: ExpressionSyntax; offset?: ExpressionSyntax } = {}
  for (;;) {
    if (takeWords(cursor, 'LIMIT')) {
      if (!takeWords(cursor, 'ALL')) limits.limit = parseExpression(cursor)
    } else if (takeWords(cursor, 'OFFSET')) {
      limits.offset = parseExpression(cursor)
      if (!takeWords(cursor, 'ROWS')) takeWords(cursor, 'ROW')
    } else if (takeWords(cursor, 'FETCH')) {
      if (!takeWords(cursor, 'FIRST')) expectWord(cursor, 'NEXT', 'behind FETCH')
      limits.limit = parseExpression(cursor)
      if (!takeWords(cursor, 'ROWS')) takeWords(cursor, 'ROW')
      expectWord(cursor, 'ONLY', 'to end FETCH')
    } else return limits
  }
}
