/** A SQL text to statements: what can't be read is told, and reading goes on at the next statement. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { Explained, Insert, Statement } from '../statements.ts'
import { nearest } from '../suggest.ts'
import {
  atSymbol,
  type Cursor,
  expectName,
  expectString,
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
import { lex } from './lexer.ts'
import { parseExpression } from './parse-expression.ts'
import { parseNames } from './parse-from.ts'
import { parseCreateFunction } from './parse-function.ts'
import { parseHints } from './parse-options.ts'
import { atQuery, parseQuery } from './parse-query.ts'
import { parseCreateTable, skipComment } from './parse-table.ts'
import { type Unsupported, unsupported, unsupportedAt } from './unsupported.ts'

export interface ParsedScript {
  readonly statements: readonly Statement[]
  /** In the order of their places. */
  readonly errors: readonly SqlError[]
}

/** Never throws for what the text says: every error has its place in `text`. */
export function parseScript(text: string): ParsedScript {
  const { tokens, errors } = lex(text)
  const cursor: Cursor = { tokens, errors: [...errors], query: parseQuery, position: 0, depth: 0 }
  const statements: Statement[] = []
  for (;;) {
    while (takeSymbol(cursor, ';'));
    if (peek(cursor).kind === 'end') break
    statements.push(parseStatementSafely(cursor))
  }
  const ordered = cursor.errors.toSorted((a, b) => a.place.offset - b.place.offset)
  return { statements, errors: ordered }
}

function parseStatementSafely(cursor: Cursor): Statement {
  const start = peek(cursor).at
  const first = cursor.position
  const errorsBefore = cursor.errors.length
  try {
    const statement = parseStatement(cursor)
    if (!atSymbol(cursor, ';') && peek(cursor).kind !== 'end')
      throw unexpected(cursor, '`;` or the end of the text', CLAUSES)
    if (cursor.errors.length === errorsBefore) return statement
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    cursor.errors.push(error)
    cursor.depth = 0
    while (!atSymbol(cursor, ';') && peek(cursor).kind !== 'end') take(cursor)
  }
  const creates = createdName(cursor, first)
  return {
    kind: 'broken',
    ...(creates !== undefined && { creates }),
    at: spanning(start, lastTaken(cursor).at),
  }
}

const CLAUSES = [
  'FROM',
  'WHERE',
  'GROUP',
  'HAVING',
  'ORDER',
  'LIMIT',
  'UNION',
  'WITH',
  'AS',
  'AND',
  'OR',
]

/** The name that a broken CREATE would have given. */
function createdName(cursor: Cursor, first: number): string | undefined {
  const tokens = cursor.tokens.slice(first, first + 8)
  if (tokens[0]?.upper !== 'CREATE') return undefined
  const skipped = ['CREATE', 'OR', 'REPLACE', 'TEMPORARY', 'TABLE', 'VIEW', 'IF', 'NOT', 'EXISTS']
  return tokens.find(
    (token) => token.kind === 'quoted' || (token.kind === 'word' && !skipped.includes(token.upper)),
  )?.text
}

const STATEMENTS = [
  'CREATE',
  'DROP',
  'SET',
  'RESET',
  'INSERT',
  'EXECUTE',
  'BEGIN',
  'EXPLAIN',
  'SELECT',
  'WITH',
  'VALUES',
]
const REFUSED: Readonly<Record<string, Unsupported>> = {
  ALTER: 'ALTER statement',
  USE: 'USE',
  SHOW: 'SHOW',
  DESCRIBE: 'DESCRIBE',
  DESC: 'DESCRIBE',
  ANALYZE: 'ANALYZE',
  LOAD: 'LOAD',
  UNLOAD: 'UNLOAD',
  CALL: 'CALL',
  ADD: 'ADD',
  REMOVE: 'REMOVE',
  DELETE: 'DELETE',
  UPDATE: 'UPDATE',
  MERGE: 'MERGE',
  UPSERT: 'UPSERT',
  TRUNCATE: 'TRUNCATE',
  COMPILE: 'COMPILE',
}

function parseStatement(cursor: Cursor): Statement {
  const token = peek(cursor)
  if (atQuery(cursor)) {
    const query = parseQuery(cursor)
    return { kind: 'query', query, at: query.at }
  }
  const refused = Object.hasOwn(REFUSED, token.upper) ? REFUSED[token.upper] : undefined
  if (refused !== undefined) throw unsupported(refused, token.at)
  if (!STATEMENTS.includes(token.upper)) {
    const construct = unsupportedAt(token.upper, '')
    if (construct !== undefined) throw unsupported(construct, token.at)
    const hint = `statements begin with ${STATEMENTS.join(', ')}`
    throw unexpected(cursor, 'a statement', STATEMENTS, hint)
  }
  if (token.upper === 'INSERT') return parseInsert(cursor)
  take(cursor)
  switch (token.upper) {
    case 'CREATE':
      return parseCreate(cursor, token.at)
    case 'DROP':
      return parseDrop(cursor, token.at)
    case 'SET':
      return parseSet(cursor, token.at)
    case 'RESET': {
      const key = peek(cursor).kind === 'string' ? take(cursor).text : undefined
      return { kind: 'reset', ...(key !== undefined && { key }), at: token.at }
    }
    case 'EXPLAIN':
      return parseExplain(cursor, token.at)
    case 'EXECUTE':
      if (takeWords(cursor, 'PLAN')) throw unsupported('EXECUTE PLAN', lastTaken(cursor).at)
      if (!takeWords(cursor, 'STATEMENT', 'SET')) return parseExecuted(cursor)
      expectWord(cursor, 'BEGIN', 'behind EXECUTE STATEMENT SET')
      return parseSetOfStatements(cursor, token.at)
    default:
      expectWord(cursor, 'STATEMENT', 'behind BEGIN')
      expectWord(cursor, 'SET', 'behind BEGIN STATEMENT')
      takeSymbol(cursor, ';')
      return parseSetOfStatements(cursor, token.at)
  }
}

function parseExecuted(cursor: Cursor): Statement {
  if (peek(cursor).upper === 'INSERT') return parseInsert(cursor)
  const query = parseQuery(cursor)
  return { kind: 'query', query, at: query.at }
}

function parseCreate(cursor: Cursor, start: Place): Statement {
  const orReplace = takeWords(cursor, 'OR')
  if (orReplace) expectWord(cursor, 'REPLACE', 'behind CREATE OR')
  if (takeWords(cursor, 'TEMPORARY')) takeWords(cursor, 'SYSTEM')
  const token = peek(cursor)
  if (takeWords(cursor, 'TABLE')) return parseCreateTable(cursor, start)
  if (takeWords(cursor, 'VIEW')) return parseCreateView(cursor, start)
  if (takeWords(cursor, 'FUNCTION')) return parseCreateFunction(cursor, start)
  const refused: Readonly<Record<string, Unsupported>> = {
    CATALOG: 'CREATE CATALOG',
    DATABASE: 'CREATE DATABASE',
    MODEL: 'CREATE MODEL',
    CONNECTION: 'CREATE CONNECTION',
    MATERIALIZED: 'CREATE MATERIALIZED TABLE',
  }
  const construct = Object.hasOwn(refused, token.upper) ? refused[token.upper] : undefined
  if (construct !== undefined) throw unsupported(construct, token.at)
  const created = ['TABLE', 'VIEW', 'FUNCTION', 'TEMPORARY']
  if (token.kind === 'word' && nearest(token.text, created) === undefined)
    throw unsupported('CREATE statement of this kind', token.at)
  throw unexpected(cursor, 'TABLE, VIEW or FUNCTION behind CREATE', created)
}

function parseCreateView(cursor: Cursor, start: Place): Statement {
  const ifNotExists = takeWords(cursor, 'IF', 'NOT', 'EXISTS')
  const name = qualifiedName(cursor, 'the name of the view')
  const columns = atSymbol(cursor, '(') ? parseNames(cursor, 'of columns') : undefined
  skipComment(cursor)
  expectWord(cursor, 'AS', 'before the query of the view')
  const query = parseQuery(cursor)
  return {
    kind: 'create-view',
    name,
    ifNotExists,
    query,
    ...(columns && { columns }),
    at: spanning(start, query.at),
  }
}

function parseDrop(cursor: Cursor, start: Place): Statement {
  takeWords(cursor, 'TEMPORARY')
  const object = peek(cursor)
  if (object.upper !== 'TABLE' && object.upper !== 'VIEW')
    throw unsupported('DROP statement of this kind', object.at)
  take(cursor)
  const ifExists = takeWords(cursor, 'IF', 'EXISTS')
  const name = qualifiedName(cursor, `the name of the ${object.upper.toLowerCase()}`)
  return {
    kind: 'drop',
    object: object.upper === 'TABLE' ? 'table' : 'view',
    name,
    ifExists,
    at: spanning(start, name.at),
  }
}

function parseSet(cursor: Cursor, start: Place): Statement {
  if (peek(cursor).kind === 'end' || atSymbol(cursor, ';')) return { kind: 'set', at: start }
  const key = expectString(
    cursor,
    "the name of a setting in quotes: SET 'pipeline.name' = 'orders'",
  )
  expectSymbol(cursor, '=', "between a setting's name and its value")
  const value = expectString(cursor, 'the value in quotes')
  const option = { key: key.text, keyAt: key.at, value: value.text, valueAt: value.at }
  return { kind: 'set', option, at: spanning(start, value.at) }
}

function parseExplain(cursor: Cursor, start: Place): Statement {
  if (takeWords(cursor, 'PLAN')) expectWord(cursor, 'FOR', 'behind EXPLAIN PLAN')
  else
    while (
      ['ESTIMATED_COST', 'CHANGELOG_MODE', 'JSON_EXECUTION_PLAN', 'PLAN_ADVICE'].includes(
        peek(cursor).upper,
      )
    ) {
      take(cursor)
      takeSymbol(cursor, ',')
    }
  const statement = parseExplained(cursor)
  return { kind: 'explain', statement, at: spanning(start, lastTaken(cursor).at) }
}

function parseExplained(cursor: Cursor): Explained {
  const { at } = peek(cursor)
  if (peek(cursor).upper === 'INSERT') return parseInsert(cursor)
  if (takeWords(cursor, 'STATEMENT', 'SET')) {
    expectWord(cursor, 'BEGIN', 'behind STATEMENT SET')
    return parseSetOfStatements(cursor, at)
  }
  const query = parseQuery(cursor)
  return { kind: 'query', query, at: query.at }
}

function parseSetOfStatements(
  cursor: Cursor,
  start: Place,
): Extract<Explained, { kind: 'statement-set' }> {
  const inserts: Insert[] = []
  while (!takeWords(cursor, 'END')) {
    if (peek(cursor).upper !== 'INSERT')
      throw unexpected(cursor, 'INSERT INTO or END in the statement set', ['INSERT', 'END'])
    inserts.push(parseInsert(cursor))
    expectSymbol(cursor, ';', 'behind each INSERT of a statement set')
  }
  if (inserts.length === 0) throw unexpected(cursor, 'at least one INSERT in the statement set')
  return { kind: 'statement-set', inserts, at: spanning(start, lastTaken(cursor).at) }
}

function parseInsert(cursor: Cursor): Insert {
  const start = take(cursor).at
  if (takeWords(cursor, 'OVERWRITE')) throw unsupported('INSERT OVERWRITE', lastTaken(cursor).at)
  expectWord(cursor, 'INTO', 'behind INSERT')
  const table = qualifiedName(cursor, 'the name of the table')
  const { options } = parseHints(cursor)
  const partition = takeWords(cursor, 'PARTITION')
    ? parenthesised(cursor, 'of PARTITION', () => {
        const name = expectName(cursor, 'a column that the table is partitioned by')
        return takeSymbol(cursor, '=') ? { name, value: parseExpression(cursor) } : { name }
      })
    : undefined
  const columns = isColumnList(cursor) ? parseNames(cursor, 'of columns') : undefined
  const query = parseQuery(cursor)
  return {
    kind: 'insert',
    table,
    options,
    query,
    ...(partition && { partition }),
    ...(columns && { columns }),
    at: spanning(start, query.at),
  }
}

function isColumnList(cursor: Cursor): boolean {
  return (
    atSymbol(cursor, '(') &&
    !atSymbol(cursor, '(', 1) &&
    !['SELECT', 'WITH', 'VALUES'].includes(peek(cursor, 1).upper)
  )
}
