/** Queries in expressions: (SELECT ...), and comparisons with ANY and ALL of one. */
import { spanning } from '../place.ts'
import type { ExpressionSyntax, QuerySyntax } from '../syntax.ts'
import { atSymbol, type Cursor, expectSymbol, lastTaken, peek, take } from './cursor.ts'
import { unsupported } from './unsupported.ts'

/** A query in parentheses. */
export function parseSubquery(cursor: Cursor): QuerySyntax {
  expectSymbol(cursor, '(', 'around the query')
  const query = cursor.query(cursor)
  expectSymbol(cursor, ')', 'to close the query')
  return query
}

/** `((SELECT ...) + 1)` is no query, `((SELECT ...) UNION ...)` is one. */
export function atSubquery(cursor: Cursor): boolean {
  if (!atSymbol(cursor, '(')) return false
  let ahead = 1
  while (atSymbol(cursor, '(', ahead)) ahead++
  if (!QUERY_WORDS.includes(peek(cursor, ahead).upper)) return false
  if (ahead === 1) return true
  const behind = peek(cursor, closing(cursor, ahead - 1) + 1)
  return behind.text === ')' || QUERY_ENDS.includes(behind.upper)
}

const QUERY_WORDS = ['SELECT', 'WITH', 'VALUES']
const QUERY_ENDS = ['UNION', 'INTERSECT', 'EXCEPT', 'MINUS', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH']

/** How far ahead the parenthesis is that closes the one `ahead`. */
function closing(cursor: Cursor, ahead: number): number {
  let depth = 0
  for (let at = ahead; ; at++) {
    if (peek(cursor, at).kind === 'end') return at
    if (atSymbol(cursor, '(', at)) depth++
    else if (atSymbol(cursor, ')', at) && --depth === 0) return at
  }
}

/** = ANY (query), = SOME (query), <> ALL (query): IN and NOT IN. */
export function parseQuantified(
  cursor: Cursor,
  left: ExpressionSyntax,
  comparison: string,
): ExpressionSyntax | undefined {
  const { upper, at } = peek(cursor)
  if (!['ANY', 'SOME', 'ALL'].includes(upper) || !atSymbol(cursor, '(', 1)) return undefined
  const isIn = comparison === 'EQUALS' && upper !== 'ALL'
  if (!isIn && !(comparison === 'NOT_EQUALS' && upper === 'ALL'))
    throw unsupported('comparison with ANY or ALL', at)
  take(cursor)
  const query = parseSubquery(cursor)
  return {
    kind: 'in-query',
    input: left,
    query,
    negated: !isIn,
    at: spanning(left.at, lastTaken(cursor).at),
  }
}
