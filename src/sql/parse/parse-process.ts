/**
 * Process table functions: f(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), uid => 'name', more => 1), by name or by
 * place. Behind FROM, or in TABLE(...).
 */
import { spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type {
  ExpressionSyntax,
  Identifier,
  ProcessArgument,
  QualifiedName,
  RelationSyntax,
} from '../syntax.ts'
import {
  atSymbol,
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
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'

type TableArgument = (cursor: Cursor) => RelationSyntax

/** Whether the cursor is at the name of a function whose first argument is a table. */
export function isProcessAhead(cursor: Cursor): boolean {
  if (!atSymbol(cursor, '(', 1)) return false
  const first = atSymbol(cursor, '=>', 3) ? 4 : 2
  return peek(cursor, first).upper === 'TABLE'
}

/** The cursor is at the parenthesis behind `name`. @throws SQL_SYNTAX, SQL_UNSUPPORTED */
export function parseProcess(
  cursor: Cursor,
  name: QualifiedName,
  tableArgument: TableArgument,
): RelationSyntax {
  expectSymbol(cursor, '(', 'behind the function')
  const args = atSymbol(cursor, ')')
    ? []
    : commaSeparated(cursor, () => parseArgument(cursor, tableArgument))
  expectSymbol(cursor, ')', `to end ${name.parts.at(-1)!.name}(...)`)
  return { kind: 'process', name, args, at: spanning(name.at, lastTaken(cursor).at) }
}

function parseArgument(cursor: Cursor, tableArgument: TableArgument): ProcessArgument {
  const { at } = peek(cursor)
  let name: Identifier | undefined
  if (atSymbol(cursor, '=>', 1)) {
    name = expectName(cursor, 'the name of the argument')
    take(cursor)
  }
  const named = name === undefined ? {} : { name }
  if (atWords(cursor, 'TABLE')) {
    const relation = tableArgument(cursor)
    const partition = parsePartition(cursor)
    return { kind: 'table', ...named, relation, ...(partition && { partition }), at }
  }
  if (takeWords(cursor, 'DEFAULT')) return { kind: 'default', ...named, at }
  if (!atWords(cursor, 'DESCRIPTOR'))
    return { kind: 'value', ...named, value: parseExpression(cursor), at }
  take(cursor)
  expectSymbol(cursor, '(', 'behind DESCRIPTOR')
  const column = expectName(cursor, 'the time column')
  expectSymbol(cursor, ')', 'to end DESCRIPTOR: it names one column')
  return { kind: 'descriptor', ...named, column, at }
}

/** PARTITION BY a, or PARTITION BY (a, b). */
function parsePartition(cursor: Cursor): readonly ExpressionSyntax[] | undefined {
  if (atWords(cursor, 'ORDER'))
    throw new SqlError('SQL_UNSUPPORTED', peek(cursor).at, {
      message: 'ORDER BY within the argument of a process function is not supported',
      hint: 'rows come as they arrive; order them by time before: TABLE (SELECT * FROM t ORDER BY ts)',
    })
  if (!takeWords(cursor, 'PARTITION')) return undefined
  expectWord(cursor, 'BY', 'behind PARTITION')
  if (!takeSymbol(cursor, '(')) return [parseExpression(cursor)]
  const keys = commaSeparated(cursor, () => parseExpression(cursor))
  expectSymbol(cursor, ')', 'to end PARTITION BY (...)')
  return keys
}
