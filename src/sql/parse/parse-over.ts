/** What stands behind OVER and in the WINDOW clause: PARTITION BY, ORDER BY and a frame, or the name of such a window. */
import { type Place, spanning } from '../place.ts'
import type { ExpressionSyntax, FrameBound, FrameSyntax, OrderItem, OverSyntax } from '../syntax.ts'
import {
  atName,
  atWords,
  type Cursor,
  commaSeparated,
  expectName,
  expectSymbol,
  expectWord,
  lastTaken,
  peek,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'

type ParseExpression = (cursor: Cursor, power?: number) => ExpressionSyntax

/** The cursor is behind OVER. @throws SQL_SYNTAX */
export function parseOver(cursor: Cursor, expression: ParseExpression): OverSyntax {
  const { at } = peek(cursor)
  if (takeSymbol(cursor, '(')) return parseWindowSpec(cursor, expression, at)
  const name = expectName(cursor, 'the name of a window, or ( behind OVER')
  return { name, partition: [], order: [], at }
}

/** The cursor is behind the parenthesis, which stood at `start`. */
export function parseWindowSpec(
  cursor: Cursor,
  expression: ParseExpression,
  start: Place,
): OverSyntax {
  const isNamed = atName(cursor) && !atWords(cursor, 'PARTITION')
  const name = isNamed ? expectName(cursor, 'the name of a window') : undefined
  const partition = takeWords(cursor, 'PARTITION', 'BY')
    ? commaSeparated(cursor, () => expression(cursor))
    : []
  const order = takeWords(cursor, 'ORDER', 'BY')
    ? commaSeparated(cursor, () => parseOrder(cursor, expression))
    : []
  const frame = parseFrame(cursor, expression)
  expectSymbol(cursor, ')', 'to end OVER (...)')
  return {
    ...(name && { name }),
    partition,
    order,
    ...(frame && { frame }),
    at: spanning(start, lastTaken(cursor).at),
  }
}

function parseFrame(cursor: Cursor, expression: ParseExpression): FrameSyntax | undefined {
  const { upper, at } = peek(cursor)
  if (upper !== 'ROWS' && upper !== 'RANGE') return undefined
  take(cursor)
  const isBetween = takeWords(cursor, 'BETWEEN')
  const start = parseBound(cursor, expression)
  if (isBetween) expectWord(cursor, 'AND', 'in BETWEEN start AND end')
  const end: FrameBound = isBetween
    ? parseBound(cursor, expression)
    : { kind: 'current', at: start.at }
  const unit = upper === 'ROWS' ? 'rows' : 'range'
  return { unit, start, end, at: spanning(at, lastTaken(cursor).at) }
}

function parseBound(cursor: Cursor, expression: ParseExpression): FrameBound {
  const { at } = peek(cursor)
  if (takeWords(cursor, 'CURRENT', 'ROW')) return { kind: 'current', at }
  const distance = takeWords(cursor, 'UNBOUNDED') ? undefined : expression(cursor)
  const { upper } = peek(cursor)
  if (upper !== 'PRECEDING' && upper !== 'FOLLOWING')
    throw unexpected(cursor, 'PRECEDING or FOLLOWING', ['PRECEDING', 'FOLLOWING'])
  take(cursor)
  return {
    kind: upper === 'PRECEDING' ? 'preceding' : 'following',
    ...(distance && { distance }),
    at: spanning(at, lastTaken(cursor).at),
  }
}

/** One item of ORDER BY. */
export function parseOrder(cursor: Cursor, expression: ParseExpression): OrderItem {
  const item = expression(cursor)
  const descending = takeWords(cursor, 'DESC')
  if (!descending) takeWords(cursor, 'ASC')
  if (takeWords(cursor, 'NULLS', 'FIRST')) return { expression: item, descending, nullsFirst: true }
  if (takeWords(cursor, 'NULLS', 'LAST')) return { expression: item, descending, nullsFirst: false }
  return { expression: item, descending }
}
