/** CREATE TABLE: columns, watermark, key, options. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { ColumnSyntax, CreateTable } from '../statements.ts'
import type { Identifier, QualifiedName } from '../syntax.ts'
import {
  atSymbol,
  atWords,
  type Cursor,
  commaSeparated,
  expectName,
  expectString,
  expectSymbol,
  expectWord,
  lastTaken,
  peek,
  qualifiedName,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { parseNames } from './parse-from.ts'
import { parseOptions } from './parse-options.ts'
import { parseType } from './parse-type.ts'
import { unsupported } from './unsupported.ts'

type Watermark = NonNullable<CreateTable['watermark']>

interface Declared {
  readonly columns: ColumnSyntax[]
  watermark?: Watermark
  primaryKey?: readonly Identifier[]
}

/** Behind CREATE [TEMPORARY] TABLE. @throws SQL_SYNTAX, SQL_UNSUPPORTED */
export function parseCreateTable(cursor: Cursor, start: Place): CreateTable {
  const ifNotExists = takeWords(cursor, 'IF', 'NOT', 'EXISTS')
  const name = qualifiedName(cursor, 'the name of the table')
  const declared: Declared = { columns: [] }
  if (takeSymbol(cursor, '(') && !takeSymbol(cursor, ')')) {
    do parseElementSafely(cursor, declared)
    while (takeSymbol(cursor, ','))
    expectSymbol(cursor, ')', 'or a comma behind the column')
  }
  skipComment(cursor)
  if (atWords(cursor, 'DISTRIBUTED')) throw unsupported('DISTRIBUTED BY', peek(cursor).at)
  const partitionedBy = takeWords(cursor, 'PARTITIONED', 'BY')
    ? parseNames(cursor, 'of PARTITIONED BY')
    : undefined
  const options = takeWords(cursor, 'WITH') ? parseOptions(cursor, 'behind WITH') : []
  const like = takeWords(cursor, 'LIKE') ? parseLike(cursor) : undefined
  if (atWords(cursor, 'AS')) throw unsupported('CREATE TABLE AS', peek(cursor).at)
  return {
    kind: 'create-table',
    name,
    ifNotExists,
    options,
    ...declared,
    ...(partitionedBy && { partitionedBy }),
    ...(like && { like }),
    at: spanning(start, lastTaken(cursor).at),
  }
}

/** An element that can't be read is told, and the next one is tried: several errors come at once. */
function parseElementSafely(cursor: Cursor, declared: Declared): void {
  const start = cursor.position
  try {
    parseElement(cursor, declared)
    if (!atSymbol(cursor, ',') && !atSymbol(cursor, ')'))
      throw unexpected(cursor, '`,` or `)` behind the column', ['NOT', 'COMMENT', 'METADATA'])
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    cursor.errors.push(error)
    cursor.position = Math.max(start, cursor.position)
    skipElement(cursor)
  }
}

function skipElement(cursor: Cursor): void {
  let depth = 0
  for (;;) {
    const token = peek(cursor)
    if (token.kind === 'end' || (token.kind === 'symbol' && token.text === ';')) return
    if (depth === 0 && (atSymbol(cursor, ',') || atSymbol(cursor, ')'))) return
    if (atSymbol(cursor, '(') || atSymbol(cursor, '<')) depth++
    if (atSymbol(cursor, ')') || atSymbol(cursor, '>')) depth = Math.max(0, depth - 1)
    take(cursor)
  }
}

function parseElement(cursor: Cursor, declared: Declared): void {
  const { at } = peek(cursor)
  if (takeWords(cursor, 'WATERMARK', 'FOR')) {
    const column = qualifiedName(cursor, 'the time column')
    expectWord(cursor, 'AS', 'in WATERMARK FOR column AS expression')
    const expression = parseExpression(cursor)
    if (declared.watermark !== undefined)
      throw new SqlError('SQL_WATERMARK_INVALID', at, {
        message: 'the table has two watermarks',
        hint: 'keep one of them',
      })
    declared.watermark = { column, expression, at: spanning(at, lastTaken(cursor).at) }
    return
  }
  if (takeWords(cursor, 'CONSTRAINT')) expectName(cursor, 'the name of the constraint')
  if (takeWords(cursor, 'PRIMARY', 'KEY')) {
    declared.primaryKey = parseNames(cursor, 'of the primary key')
    expectNotEnforced(cursor)
    return
  }
  if (atWords(cursor, 'UNIQUE')) throw unsupported('column constraint', at)
  declared.columns.push(parseColumn(cursor))
}

function expectNotEnforced(cursor: Cursor): void {
  if (takeWords(cursor, 'NOT', 'ENFORCED')) return
  throw unexpected(
    cursor,
    'NOT ENFORCED behind the primary key',
    [],
    'write PRIMARY KEY (...) NOT ENFORCED: keys are trusted, not checked',
  )
}

function parseColumn(cursor: Cursor): ColumnSyntax {
  const name = expectName(cursor, 'the name of a column')
  if (takeWords(cursor, 'AS')) {
    const expression = parseExpression(cursor)
    skipComment(cursor)
    return { kind: 'computed', name, expression, at: spanning(name.at, lastTaken(cursor).at) }
  }
  const type = parseType(cursor)
  if (takeWords(cursor, 'METADATA')) {
    const key = takeWords(cursor, 'FROM')
      ? expectString(cursor, "the metadata's key in quotes").text
      : undefined
    const virtual = takeWords(cursor, 'VIRTUAL')
    skipComment(cursor)
    return {
      kind: 'metadata',
      name,
      type,
      virtual,
      ...(key !== undefined && { key }),
      at: spanning(name.at, lastTaken(cursor).at),
    }
  }
  if (takeWords(cursor, 'CONSTRAINT')) expectName(cursor, 'the name of the constraint')
  const primaryKey = takeWords(cursor, 'PRIMARY', 'KEY')
  if (primaryKey) expectNotEnforced(cursor)
  skipComment(cursor)
  if (atWords(cursor, 'UNIQUE') || atWords(cursor, 'DEFAULT'))
    throw unsupported('column constraint', peek(cursor).at)
  return { kind: 'physical', name, type, primaryKey, at: spanning(name.at, lastTaken(cursor).at) }
}

export function skipComment(cursor: Cursor): void {
  if (takeWords(cursor, 'COMMENT')) expectString(cursor, 'the comment in quotes')
}

/** LIKE t [( {INCLUDING | EXCLUDING | OVERWRITING} feature ... )]: the features are not told apart. */
function parseLike(cursor: Cursor): QualifiedName {
  const name = qualifiedName(cursor, 'the table behind LIKE')
  if (takeSymbol(cursor, '(')) {
    commaSeparated(cursor, () => {
      while (
        [
          'INCLUDING',
          'EXCLUDING',
          'OVERWRITING',
          'ALL',
          'CONSTRAINTS',
          'GENERATED',
          'METADATA',
          'OPTIONS',
          'PARTITIONS',
          'WATERMARKS',
        ].includes(peek(cursor).upper)
      )
        take(cursor)
    })
    expectSymbol(cursor, ')', 'to end LIKE')
  }
  return name
}
