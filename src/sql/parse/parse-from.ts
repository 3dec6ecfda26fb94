/** FROM: tables, queries, table functions, and the joins between them. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { AliasSyntax, Identifier, JoinSyntax, RelationSyntax } from '../syntax.ts'
import {
  atName,
  atSymbol,
  atWords,
  type Cursor,
  expectName,
  expectSymbol,
  expectWord,
  lastTaken,
  parenthesised,
  peek,
  qualifiedName,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { parseMatch } from './parse-match.ts'
import { parseHints } from './parse-options.ts'
import { parseProcess } from './parse-process.ts'
import { parseTableCall, WINDOW_FUNCTIONS } from './parse-window.ts'
import { unsupported } from './unsupported.ts'

const JOINS = ['JOIN', 'INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS', 'NATURAL', 'OUTER']

function since(cursor: Cursor, start: Place): Place {
  return spanning(start, lastTaken(cursor).at)
}

/** The cursor is behind FROM. @throws SQL_SYNTAX, SQL_UNSUPPORTED */
export function parseFrom(cursor: Cursor): RelationSyntax {
  let left = parseJoins(cursor)
  while (takeSymbol(cursor, ',')) {
    const right = parseJoins(cursor)
    left = {
      kind: 'join',
      type: 'cross',
      left,
      right,
      natural: false,
      at: spanning(left.at, right.at),
    }
  }
  return left
}

/** Joins bind tighter than commas. */
function parseJoins(cursor: Cursor): RelationSyntax {
  let left = parseRelation(cursor)
  while (JOINS.includes(peek(cursor).upper)) left = parseJoin(cursor, left)
  return left
}

function parseJoin(cursor: Cursor, left: RelationSyntax): RelationSyntax {
  const natural = takeWords(cursor, 'NATURAL')
  const type = parseJoinType(cursor)
  expectWord(cursor, 'JOIN', 'between two tables')
  const right = parseRelation(cursor)
  const join: JoinSyntax = { kind: 'join', type, left, right, natural, at: left.at }
  if (type === 'cross' || natural) return { ...join, at: since(cursor, left.at) }
  if (takeWords(cursor, 'USING')) {
    const using = parseNames(cursor, 'of columns in USING')
    return { ...join, using, at: since(cursor, left.at) }
  }
  if (!takeWords(cursor, 'ON'))
    throw unexpected(
      cursor,
      'ON or USING behind JOIN',
      ['ON', 'USING'],
      'write what joins the tables: ON a.id = b.id, USING (id), or CROSS JOIN for all pairs',
    )
  return { ...join, on: parseExpression(cursor), at: since(cursor, left.at) }
}

function parseJoinType(cursor: Cursor): JoinSyntax['type'] {
  if (takeWords(cursor, 'CROSS')) return 'cross'
  if (takeWords(cursor, 'INNER')) return 'inner'
  for (const [word, type] of [
    ['LEFT', 'left'],
    ['RIGHT', 'right'],
    ['FULL', 'full'],
  ] as const) {
    if (!takeWords(cursor, word)) continue
    takeWords(cursor, 'OUTER')
    return type
  }
  return 'inner'
}

function parseRelation(cursor: Cursor): RelationSyntax {
  const { at, upper } = peek(cursor)
  const lateral = takeWords(cursor, 'LATERAL')
  if (atWords(cursor, 'UNNEST')) return parseUnnest(cursor, at)
  if (atWords(cursor, 'TABLE') && atSymbol(cursor, '(', 1))
    return withAlias(cursor, parseTableCall(cursor, tableArgument), at)
  if (atSymbol(cursor, '(')) return parseParentheses(cursor, lateral, at)
  if (lateral) throw unexpected(cursor, 'TABLE(function(...)) or a query behind LATERAL', ['TABLE'])
  if (WINDOW_FUNCTIONS.includes(upper) && atSymbol(cursor, '(', 1)) {
    throw unexpected(
      cursor,
      'a table',
      [],
      `a window function stands in TABLE(...): FROM TABLE(${upper}(TABLE t, DESCRIPTOR(ts), ...))`,
    )
  }
  const relation = parseTable(cursor)
  if (atWords(cursor, 'MATCH_RECOGNIZE')) return withMatch(cursor, relation, at)
  if (atWords(cursor, 'TABLESAMPLE')) throw unsupported('TABLESAMPLE', peek(cursor).at)
  return withAlias(cursor, relation, at)
}

function withMatch(cursor: Cursor, input: RelationSyntax, start: Place): RelationSyntax {
  const match = parseMatch(cursor)
  return withAlias(cursor, { kind: 'match', input, match, at: since(cursor, start) }, start)
}

/** A query, or joins in parentheses. */
function parseParentheses(cursor: Cursor, lateral: boolean, start: Place): RelationSyntax {
  const { at } = take(cursor)
  if (isQueryAhead(cursor)) {
    const query = cursor.query(cursor)
    expectSymbol(cursor, ')', 'to close the query')
    const relation: RelationSyntax = { kind: lateral ? 'lateral' : 'subquery', query, at }
    if (!lateral && atWords(cursor, 'MATCH_RECOGNIZE')) return withMatch(cursor, relation, start)
    return withAlias(cursor, relation, start)
  }
  const relation = parseFrom(cursor)
  expectSymbol(cursor, ')', 'to close the tables')
  return withAlias(cursor, relation, start)
}

function isQueryAhead(cursor: Cursor): boolean {
  let ahead = 0
  while (atSymbol(cursor, '(', ahead)) ahead++
  return ['SELECT', 'WITH', 'VALUES'].includes(peek(cursor, ahead).upper)
}

function parseTable(cursor: Cursor): RelationSyntax {
  const name = qualifiedName(cursor, 'a table')
  if (atSymbol(cursor, '(')) return parseProcess(cursor, name, tableArgument)
  const options = parseHints(cursor).options
  const asOf = parseAsOf(cursor)
  return { kind: 'table', name, options, ...(asOf && { asOf }), at: since(cursor, name.at) }
}

/** FOR SYSTEM_TIME AS OF moment. */
function parseAsOf(cursor: Cursor) {
  if (!takeWords(cursor, 'FOR')) return undefined
  expectWord(cursor, 'SYSTEM_TIME', 'behind FOR: FOR SYSTEM_TIME AS OF o.ts')
  expectWord(cursor, 'AS', 'in FOR SYSTEM_TIME AS OF')
  expectWord(cursor, 'OF', 'in FOR SYSTEM_TIME AS OF')
  return parseExpression(cursor)
}

function parseUnnest(cursor: Cursor, start: Place): RelationSyntax {
  take(cursor)
  expectSymbol(cursor, '(', 'behind UNNEST')
  const collection = parseExpression(cursor)
  if (atSymbol(cursor, ',')) {
    throw new SqlError('SQL_UNSUPPORTED', peek(cursor).at, {
      message: 'UNNEST takes one array or map',
      hint: 'write one CROSS JOIN UNNEST(...) for each',
    })
  }
  expectSymbol(cursor, ')', 'to end UNNEST(...)')
  const ordinality = takeWords(cursor, 'WITH', 'ORDINALITY')
  return withAlias(cursor, { kind: 'unnest', collection, ordinality, at: start }, start)
}

/** The input of a window function: TABLE t, or (query). */
function tableArgument(cursor: Cursor): RelationSyntax {
  const { at } = peek(cursor)
  if (takeSymbol(cursor, '(')) {
    const query = cursor.query(cursor)
    expectSymbol(cursor, ')', 'to close the query')
    return { kind: 'subquery', query, at: since(cursor, at) }
  }
  expectWord(cursor, 'TABLE', 'before the name of the table: TUMBLE(TABLE t, ...)')
  if (!takeSymbol(cursor, '(')) return parseTable(cursor)
  const query = cursor.query(cursor)
  expectSymbol(cursor, ')', 'to close the query')
  return { kind: 'subquery', query, at: since(cursor, at) }
}

function withAlias(cursor: Cursor, relation: RelationSyntax, start: Place): RelationSyntax {
  const named = takeWords(cursor, 'AS') || (atName(cursor) && !atWords(cursor, 'LIMIT'))
  if (!named) return { ...relation, at: since(cursor, start) }
  const name = expectName(cursor, 'the name of the table behind AS')
  const columns = atSymbol(cursor, '(') ? parseNames(cursor, 'of columns') : undefined
  const alias: AliasSyntax = { name, ...(columns && { columns }) }
  return { ...relation, alias, at: since(cursor, start) }
}

export function parseNames(cursor: Cursor, context: string): Identifier[] {
  return parenthesised(cursor, context, () => expectName(cursor, 'the name of a column'))
}
