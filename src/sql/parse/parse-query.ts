/** Queries: WITH, SELECT, VALUES, UNION, FROM with window table functions, ORDER BY, LIMIT. */
import { type Place, spanning } from '../place.ts'
import type {
  AliasSyntax,
  BodySyntax,
  CommonTable,
  ExpressionSyntax,
  Identifier,
  OptionSyntax,
  OrderItem,
  QuerySyntax,
  RelationSyntax,
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
  parenthesised,
  peek,
  qualifiedName,
  skipParentheses,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { parseHints } from './parse-options.ts'
import { parseWindow } from './parse-window.ts'
import { type Unsupported, unsupported } from './unsupported.ts'

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
      ? commaSeparated(cursor, () => parseOrder(cursor))
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

export function parseNames(cursor: Cursor, context: string): Identifier[] {
  return parenthesised(cursor, context, () => expectName(cursor, 'the name of a column'))
}

function parseBody(cursor: Cursor): BodySyntax {
  const first = parseTerm(cursor)
  let inputs = [first]
  let distinct: boolean | undefined
  for (;;) {
    const { upper, at } = peek(cursor)
    if (upper === 'INTERSECT' || upper === 'EXCEPT' || upper === 'MINUS') {
      cursor.errors.push(unsupported(upper === 'INTERSECT' ? 'INTERSECT' : 'EXCEPT', at))
      take(cursor)
      takeWords(cursor, 'ALL')
      parseTerm(cursor)
      continue
    }
    if (!takeWords(cursor, 'UNION')) break
    const all = takeWords(cursor, 'ALL')
    if (!all) takeWords(cursor, 'DISTINCT')
    const next = parseTerm(cursor)
    if (distinct !== undefined && distinct === all) {
      inputs = [{ kind: 'union', inputs, distinct, at: since(cursor, first.at) }]
    }
    distinct = !all
    inputs.push(next)
  }
  if (distinct === undefined) return inputs[0]!
  return { kind: 'union', inputs, distinct, at: since(cursor, first.at) }
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
  parseHints(cursor)
  const distinct = takeWords(cursor, 'DISTINCT')
  if (!distinct) takeWords(cursor, 'ALL')
  const items = commaSeparated(cursor, () => parseItem(cursor))
  const from = takeWords(cursor, 'FROM') ? parseFrom(cursor) : undefined
  const where = takeWords(cursor, 'WHERE') ? parseExpression(cursor) : undefined
  const groupBy = takeWords(cursor, 'GROUP', 'BY') ? parseGroupBy(cursor) : undefined
  const having = takeWords(cursor, 'HAVING') ? parseExpression(cursor) : undefined
  for (const [word, construct] of [
    ['WINDOW', 'WINDOW clause'],
    ['QUALIFY', 'QUALIFY'],
  ] as const) {
    if (atWords(cursor, word)) throw unsupported(construct, peek(cursor).at)
  }
  return {
    kind: 'select',
    distinct,
    items,
    ...(from && { from }),
    ...(where && { where }),
    ...(groupBy && { groupBy }),
    ...(having && { having }),
    at: since(cursor, start),
  }
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

function parseGroupBy(cursor: Cursor): ExpressionSyntax[] {
  for (const [word, construct] of [
    ['GROUPING', 'GROUPING SETS'],
    ['CUBE', 'CUBE'],
    ['ROLLUP', 'ROLLUP'],
  ] as const) {
    if (atWords(cursor, word)) throw unsupported(construct, peek(cursor).at)
  }
  if (atSymbol(cursor, '(') && atSymbol(cursor, ')', 1)) {
    cursor.position += 2
    return []
  }
  return commaSeparated(cursor, () => {
    const { upper, at } = peek(cursor)
    if (['TUMBLE', 'HOP', 'SESSION'].includes(upper) && atSymbol(cursor, '(', 1))
      throw unsupported('group window function', at)
    return parseExpression(cursor)
  })
}

const JOINS = ['JOIN', 'INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS', 'NATURAL', 'OUTER']

function parseFrom(cursor: Cursor): RelationSyntax {
  const first = parseRelation(cursor)
  for (;;) {
    const { at, upper } = peek(cursor)
    if (takeSymbol(cursor, ',')) refuse(cursor, 'JOIN', at)
    else if (JOINS.includes(upper)) {
      while (JOINS.includes(peek(cursor).upper)) take(cursor)
      refuse(cursor, 'JOIN', since(cursor, at))
    } else return first
    parseRelation(cursor)
    if (takeWords(cursor, 'ON')) parseExpression(cursor)
    else if (takeWords(cursor, 'USING')) skipParentheses(cursor)
  }
}

function refuse(cursor: Cursor, construct: Unsupported, at: Place): void {
  cursor.errors.push(unsupported(construct, at))
}

function parseRelation(cursor: Cursor): RelationSyntax {
  const { at, upper } = peek(cursor)
  if (upper === 'LATERAL' || upper === 'UNNEST') {
    throw unsupported(upper, at)
  }
  if (upper === 'TABLE' && atSymbol(cursor, '(', 1))
    return withAlias(cursor, parseWindow(cursor, tableArgument), at)
  if (takeSymbol(cursor, '(')) {
    const query = parseQuery(cursor)
    expectSymbol(cursor, ')', 'to close the query')
    return withAlias(cursor, { kind: 'subquery', query, at }, at)
  }
  if (['TUMBLE', 'HOP', 'CUMULATE', 'SESSION'].includes(upper) && atSymbol(cursor, '(', 1)) {
    throw unexpected(
      cursor,
      'a table',
      [],
      `a window function stands in TABLE(...): FROM TABLE(${upper}(TABLE t, DESCRIPTOR(ts), ...))`,
    )
  }
  const relation = parseTable(cursor)
  if (atWords(cursor, 'FOR', 'SYSTEM_TIME')) throw unsupported('TEMPORAL JOIN', peek(cursor).at)
  if (atWords(cursor, 'MATCH_RECOGNIZE')) throw unsupported('MATCH_RECOGNIZE', peek(cursor).at)
  if (atWords(cursor, 'TABLESAMPLE')) throw unsupported('TABLESAMPLE', peek(cursor).at)
  return withAlias(cursor, relation, at)
}

function parseTable(cursor: Cursor): RelationSyntax {
  const name = qualifiedName(cursor, 'a table')
  if (atSymbol(cursor, '(')) throw unsupported('process table function', name.at)
  const options: readonly OptionSyntax[] = parseHints(cursor)
  return { kind: 'table', name, options, at: name.at }
}

/** The input of a window function: TABLE t, or (query). */
function tableArgument(cursor: Cursor): RelationSyntax {
  const { at } = peek(cursor)
  if (takeSymbol(cursor, '(')) {
    const query = parseQuery(cursor)
    expectSymbol(cursor, ')', 'to close the query')
    return { kind: 'subquery', query, at: since(cursor, at) }
  }
  expectWord(cursor, 'TABLE', 'before the name of the table: TUMBLE(TABLE t, ...)')
  return parseTable(cursor)
}

function withAlias(cursor: Cursor, relation: RelationSyntax, start: Place): RelationSyntax {
  const named = takeWords(cursor, 'AS') || (atName(cursor) && !atWords(cursor, 'LIMIT'))
  if (!named) return { ...relation, at: since(cursor, start) }
  const name = expectName(cursor, 'the name of the table behind AS')
  const columns = atSymbol(cursor, '(') ? parseNames(cursor, 'of columns') : undefined
  const alias: AliasSyntax = { name, ...(columns && { columns }) }
  return { ...relation, alias, at: since(cursor, start) }
}

function parseOrder(cursor: Cursor): OrderItem {
  const expression = parseExpression(cursor)
  const descending = takeWords(cursor, 'DESC')
  if (!descending) takeWords(cursor, 'ASC')
  if (takeWords(cursor, 'NULLS', 'FIRST')) return { expression, descending, nullsFirst: true }
  if (takeWords(cursor, 'NULLS', 'LAST')) return { expression, descending, nullsFirst: false }
  return { expression, descending }
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
