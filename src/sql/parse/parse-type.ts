/** SQL types: `DECIMAL(10, 2) NOT NULL`, `ROW<a INT, b ARRAY<STRING>>`. */
import { type DataType, type Field, STRING_LENGTH_MAX, withNullability } from '../../data/types.ts'
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import {
  atSymbol,
  atWords,
  type Cursor,
  commaSeparated,
  expectInteger,
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
import { unsupported } from './unsupported.ts'

/** Of other dialects. */
const OTHER_TYPES = ['ENUM', 'GEOGRAPHY', 'GEOMETRY', 'INET', 'JSON', 'JSONB', 'UUID', 'XML']

const TYPE_NAMES = [
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INT',
  'INTEGER',
  'BIGINT',
  'FLOAT',
  'DOUBLE',
  'DECIMAL',
  'DEC',
  'NUMERIC',
  'CHAR',
  'VARCHAR',
  'STRING',
  'BINARY',
  'VARBINARY',
  'BYTES',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'TIMESTAMP_LTZ',
  'INTERVAL',
  'ARRAY',
  'MAP',
  'ROW',
] as const

/** @throws SQL_SYNTAX, SQL_UNSUPPORTED */
export function parseType(cursor: Cursor): DataType {
  return nested(cursor, () => {
    let type = withNull(cursor, parseBare(cursor))
    while (atWords(cursor, 'ARRAY')) {
      take(cursor)
      type = withNull(cursor, { kind: 'array', element: type, nullable: true })
    }
    if (atWords(cursor, 'MULTISET')) throw unsupported('MULTISET', peek(cursor).at)
    return type
  })
}

/** NOT NULL, or NULL, which is what a type is without. */
function withNull(cursor: Cursor, type: DataType): DataType {
  if (takeWords(cursor, 'NOT', 'NULL')) return withNullability(type, false)
  takeWords(cursor, 'NULL')
  return type
}

function parseBare(cursor: Cursor): DataType {
  const token = peek(cursor)
  if (token.kind !== 'word') throw unexpected(cursor, 'a type')
  take(cursor)
  switch (token.upper) {
    case 'BOOLEAN':
      return { kind: 'boolean', nullable: true }
    case 'TINYINT':
    case 'SMALLINT':
    case 'BIGINT':
      return { kind: token.upper.toLowerCase() as 'bigint', nullable: true }
    case 'INT':
    case 'INTEGER':
      return { kind: 'int', nullable: true }
    case 'FLOAT':
      return { kind: 'float', nullable: true }
    case 'DOUBLE':
      takeWords(cursor, 'PRECISION')
      return { kind: 'double', nullable: true }
    case 'DECIMAL':
    case 'DEC':
    case 'NUMERIC':
      return parseDecimal(cursor)
    case 'STRING':
      return { kind: 'varchar', length: STRING_LENGTH_MAX, nullable: true }
    case 'BYTES':
      return { kind: 'varbinary', length: STRING_LENGTH_MAX, nullable: true }
    case 'CHAR':
    case 'BINARY':
      return parseLength(cursor, token.upper === 'CHAR' ? 'char' : 'binary')
    case 'VARCHAR':
    case 'VARBINARY':
      return parseLength(cursor, token.upper === 'VARCHAR' ? 'varchar' : 'varbinary')
    default:
      return parseTimeOrNested(cursor, token.upper, token.at)
  }
}

function parseTimeOrNested(cursor: Cursor, name: string, at: Place): DataType {
  switch (name) {
    case 'DATE':
      return { kind: 'date', nullable: true }
    case 'TIME':
      return parseTime(cursor)
    case 'TIMESTAMP':
      return parseTimestamp(cursor)
    case 'TIMESTAMP_LTZ':
      return { kind: 'timestamp_ltz', precision: precisionOf(cursor, 6), nullable: true }
    case 'INTERVAL':
      return parseIntervalType(cursor)
    case 'ARRAY':
      return parseArray(cursor)
    case 'MAP':
      return parseMap(cursor)
    case 'ROW':
      return parseRow(cursor)
    case 'MULTISET':
    case 'RAW':
    case 'STRUCTURED':
    case 'VARIANT':
      throw unsupported(name, at)
    default:
      throw new SqlError('SQL_SYNTAX', at, {
        message: `there is no type ${name}`,
        hint: OTHER_TYPES.includes(name)
          ? 'supported instead: STRING, with functions over its text'
          : suggestion(name, TYPE_NAMES, 'types'),
        facts: { type: name },
      })
  }
}

function parseDecimal(cursor: Cursor): DataType {
  if (!takeSymbol(cursor, '(')) return { kind: 'decimal', precision: 10, scale: 0, nullable: true }
  const precision = bounded(cursor, 'the precision of a DECIMAL', 1, 38)
  const scale = takeSymbol(cursor, ',')
    ? bounded(cursor, 'the scale of this DECIMAL', 0, precision)
    : 0
  expectSymbol(cursor, ')', 'to end DECIMAL(precision, scale)')
  return { kind: 'decimal', precision, scale, nullable: true }
}

function parseLength(cursor: Cursor, kind: 'char' | 'varchar' | 'binary' | 'varbinary'): DataType {
  // Flink's defaults in SQL: VARCHAR alone is STRING, CHAR alone is CHAR(1).
  let length = kind.startsWith('var') ? STRING_LENGTH_MAX : 1
  if (takeSymbol(cursor, '(')) {
    length = bounded(cursor, `the length of ${kind.toUpperCase()}`, 1, STRING_LENGTH_MAX)
    expectSymbol(cursor, ')', 'behind the length')
  }
  return { kind, length, nullable: true }
}

function parseTime(cursor: Cursor): DataType {
  const precision = precisionOf(cursor, 0)
  if (takeWords(cursor, 'WITHOUT')) expectZone(cursor)
  return { kind: 'time', precision, nullable: true }
}

function parseTimestamp(cursor: Cursor): DataType {
  const precision = precisionOf(cursor, 6)
  if (takeWords(cursor, 'WITHOUT')) expectZone(cursor)
  if (!atWords(cursor, 'WITH')) return { kind: 'timestamp', precision, nullable: true }
  const { at } = take(cursor)
  const local = takeWords(cursor, 'LOCAL')
  expectZone(cursor)
  if (!local) throw unsupported('TIMESTAMP WITH TIME ZONE', at)
  return { kind: 'timestamp_ltz', precision, nullable: true }
}

function expectZone(cursor: Cursor): void {
  expectWord(cursor, 'TIME', 'ZONE')
  expectWord(cursor, 'ZONE', 'behind TIME')
}

function precisionOf(cursor: Cursor, fallback: number): number {
  if (!takeSymbol(cursor, '(')) return fallback
  const precision = bounded(cursor, 'the number of fractional digits of seconds', 0, 9)
  expectSymbol(cursor, ')', 'behind the precision')
  return precision
}

const MONTH_UNITS = ['YEAR', 'QUARTER', 'MONTH']

function parseIntervalType(cursor: Cursor): DataType {
  const unit = (): string => {
    const token = take(cursor)
    if (takeSymbol(cursor, '(')) {
      commaSeparated(cursor, () => expectInteger(cursor, 'a number of digits'))
      expectSymbol(cursor, ')', 'behind the precision')
    }
    return token.upper
  }
  const units = ['YEAR', 'QUARTER', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND']
  if (!units.includes(peek(cursor).upper)) throw unexpected(cursor, 'a unit such as DAY', units)
  const first = unit()
  if (takeWords(cursor, 'TO')) unit()
  const kind = MONTH_UNITS.includes(first) ? 'interval_year_month' : 'interval_day_second'
  return { kind, nullable: true }
}

function parseArray(cursor: Cursor): DataType {
  expectSymbol(cursor, '<', 'behind ARRAY')
  const element = parseType(cursor)
  expectSymbol(cursor, '>', 'to end ARRAY<...>')
  return { kind: 'array', element, nullable: true }
}

function parseMap(cursor: Cursor): DataType {
  expectSymbol(cursor, '<', 'behind MAP')
  const key = parseType(cursor)
  expectSymbol(cursor, ',', 'between the types of key and value')
  const value = parseType(cursor)
  expectSymbol(cursor, '>', 'to end MAP<...>')
  return { kind: 'map', key, value, nullable: true }
}

/** ROW<name type ['comment'], ...> or ROW(name type, ...). */
function parseRow(cursor: Cursor): DataType {
  const close = atSymbol(cursor, '(') ? ')' : '>'
  expectSymbol(cursor, close === ')' ? '(' : '<', 'behind ROW')
  const fields: Field[] = []
  const seen = new Set<string>()
  commaSeparated(cursor, () => {
    const name = expectName(cursor, 'the name of a field')
    const type = parseType(cursor)
    if (peek(cursor).kind === 'string') take(cursor)
    if (seen.has(name.name)) {
      throw new SqlError('SQL_NAME_TAKEN', name.at, {
        message: `this ROW has two fields \`${name.name}\``,
        hint: 'give each field a name of its own',
      })
    }
    seen.add(name.name)
    fields.push({ name: name.name, type })
  })
  expectSymbol(cursor, close, 'to end ROW')
  return { kind: 'row', fields, nullable: true }
}

function bounded(cursor: Cursor, what: string, least: number, most: number): number {
  const start = peek(cursor).at
  const { value } = expectInteger(cursor, what)
  if (value >= least && value <= most) return value
  throw new SqlError('SQL_SYNTAX', spanning(start, lastTaken(cursor).at), {
    message: `${what} is ${value}`,
    hint: `it must be from ${least} to ${most}`,
    facts: { value },
  })
}
