/**
 * Partition values as Delta's text, both ways, and the folders that carry them.
 *
 * @see Delta protocol, "Partition Value Serialization"
 */
import { dateText, parseDate, parseTimestamp, timestampText } from '../../data/civil.ts'
import type { DataType } from '../../data/types.ts'
import { decimalText } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import { logCorrupt } from './actions.ts'

/** A cell's value: what `memory.i64` and `f64` hold, or a string's text; null for NULL. */
export type CellValue = bigint | number | string | null

/** @throws DELTA_TYPE_UNSUPPORTED naming the column, for types that make no folder names (BINARY, ROW, ...) */
export function checkPartitionType(column: string, type: DataType): void {
  switch (type.kind) {
    case 'float':
    case 'double':
    case 'binary':
    case 'varbinary':
    case 'row':
    case 'array':
    case 'map':
      throw new MillraceError('DELTA_TYPE_UNSUPPORTED', {
        message: `column '${column}' is ${type.kind.toUpperCase()}, which can't partition a Delta table`,
        hint: 'partition by a STRING, DATE, BOOLEAN or integer column',
        facts: { column, type: type.kind },
      })
    default:
  }
}

/** Null for NULL, and for the empty string, which Delta can't tell from it. */
export function partitionText(type: DataType, value: CellValue): string | null {
  if (value === null || value === '') return null
  switch (type.kind) {
    case 'boolean':
      return value === 0n ? 'false' : 'true'
    case 'decimal':
      return decimalText(value as bigint, type.scale)
    case 'date':
      return dateText(Number(value))
    case 'timestamp':
      return timestampText(value as bigint, 6)
    case 'timestamp_ltz':
      return `${timestampText(value as bigint, 6, 'T')}Z`
    default:
      return String(value)
  }
}

/** The cell's value of a partition text of any writer; timestamps without a zone are taken as UTC. */
export function parsePartitionText(column: string, type: DataType, text: string | null): CellValue {
  if (text === null || text === '') return null
  const value = parsed(type, text)
  if (value !== undefined) return value
  throw logCorrupt(
    '_delta_log',
    `partition value '${text}' of '${column}' is no ${type.kind.toUpperCase()}`,
  )
}

function parsed(type: DataType, text: string): CellValue | undefined {
  switch (type.kind) {
    case 'boolean':
      return text === 'true' ? 1n : text === 'false' ? 0n : undefined
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined
    case 'decimal':
      return unscaled(text, type.scale)
    case 'float':
    case 'double':
      return text.trim() === '' || Number.isNaN(Number(text)) ? undefined : Number(text)
    case 'date': {
      const days = parseDate(text)
      return days === undefined ? undefined : BigInt(days)
    }
    case 'timestamp':
    case 'timestamp_ltz':
      return parseTimestamp(text.replace(/Z$/, ''))
    case 'char':
    case 'varchar':
      return text
    default:
      return undefined
  }
}

function unscaled(text: string, scale: number): bigint | undefined {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text)
  if (match === null) return undefined
  const [, sign, whole, fraction = ''] = match
  const digits = BigInt(whole! + fraction.slice(0, scale).padEnd(scale, '0'))
  return sign === '-' ? -digits : digits
}

/** The folder of a file, as Hive names it: 'day=2024-01-31/city=K%C3%B8ben/'; the log's values are what counts. */
export function partitionFolder(
  values: Readonly<Record<string, string | null>>,
  columns: readonly string[],
): string {
  return columns
    .map((name) => {
      const value = values[name] ?? '__HIVE_DEFAULT_PARTITION__'
      return `${hiveEscape(name)}=${hiveEscape(value)}/`
    })
    .join('')
}

/** What may stand in a file's name stays; all else as %XX of its UTF-8. */
function hiveEscape(text: string): string {
  let escaped = ''
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte)
    escaped += /[A-Za-z0-9_.\- ]/.test(char)
      ? char
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}

/** A key in the store to a path in the log: URI-encoded, slashes kept. */
export function pathOfKey(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/')
}

/**
 * A path in the log to a key in the store whose root is `tableUrl`.
 *
 * @throws DELTA_FEATURE_UNSUPPORTED for a file outside the table's own directory (shallow clones)
 */
export function keyOfPath(tableUrl: string, path: string): string {
  let inside = path
  if (/^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith('/')) {
    const root = tableUrl.endsWith('/') ? tableUrl : `${tableUrl}/`
    const bare = root.replace(/^file:\/\//, '')
    const start = [root, bare, `file:${bare}`].find((prefix) => path.startsWith(prefix))
    if (start === undefined) {
      throw new MillraceError('DELTA_FEATURE_UNSUPPORTED', {
        message: `the Delta table ${tableUrl} has a file outside its own directory: '${path}'`,
        hint: 'make a deep clone of the table, and use that',
        facts: { table: tableUrl, path },
      })
    }
    inside = path.slice(start.length)
  }
  return decodeURIComponent(inside)
}
