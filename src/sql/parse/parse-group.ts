/** GROUP BY: expressions, GROUPING SETS, ROLLUP and CUBE. */
import { spanning } from '../place.ts'
import type { ExpressionSyntax, GroupItem } from '../syntax.ts'
import {
  atSymbol,
  atWords,
  type Cursor,
  commaSeparated,
  lastTaken,
  parenthesised,
  peek,
  take,
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'

/** The cursor is behind GROUP BY. @throws SQL_SYNTAX */
export function parseGroupBy(cursor: Cursor): GroupItem[] {
  if (atSymbol(cursor, '(') && atSymbol(cursor, ')', 1)) {
    cursor.position += 2
    return []
  }
  return commaSeparated(cursor, () => parseItem(cursor))
}

function parseItem(cursor: Cursor): GroupItem {
  const start = peek(cursor).at
  if (atWords(cursor, 'GROUPING', 'SETS')) {
    cursor.position += 2
    const sets = parenthesised(cursor, 'of grouping sets', () => parseSet(cursor))
    return { kind: 'sets', sets, at: spanning(start, lastTaken(cursor).at) }
  }
  const { upper } = peek(cursor)
  if ((upper === 'ROLLUP' || upper === 'CUBE') && atSymbol(cursor, '(', 1)) {
    take(cursor)
    const items = parenthesised(cursor, `of ${upper}`, () => rowItems(parseExpression(cursor)))
    const kind = upper === 'ROLLUP' ? 'rollup' : 'cube'
    return { kind, items, at: spanning(start, lastTaken(cursor).at) }
  }
  return { kind: 'plain', expression: parseExpression(cursor) }
}

/** One of GROUPING SETS: (a, b), a, (), or one that stands for several. */
function parseSet(cursor: Cursor): GroupItem[] {
  if (atSymbol(cursor, '(') && atSymbol(cursor, ')', 1)) {
    cursor.position += 2
    return []
  }
  const item = parseItem(cursor)
  if (item.kind !== 'plain') return [item]
  return rowItems(item.expression).map((expression) => ({ kind: 'plain', expression }))
}

/** (a, b) is two expressions here, not a row of two. */
function rowItems(expression: ExpressionSyntax): readonly ExpressionSyntax[] {
  return expression.kind === 'constructor' && expression.of === 'ROW'
    ? expression.items
    : [expression]
}
