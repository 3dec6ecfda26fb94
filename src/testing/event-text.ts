/** Rows as the library tells them, to the JSON that the given tables decode. */
import type { DataType, Field, Schema } from '../data/types.ts'
import { jsonText, type Row, type Value } from '../data/values.ts'
import { MillraceError } from '../errors.ts'

/**
 * `row` by the names of columns; what it leaves out is NULL. BIGINT may be a number, a time a Date, or text with a space or a T between
 * date and time, MAP an object.
 *
 * @throws TEST_INVALID if a name is no column's
 */
export function eventText(
  table: string,
  schema: Schema,
  row: Row,
  timestamps: 'SQL' | 'ISO-8601',
): string {
  return rowText(table, schema, row, timestamps === 'SQL' ? ' ' : 'T')
}

function rowText(table: string, fields: readonly Field[], row: Row, separator: string): string {
  const members = Object.entries(row).map(([name, value]) => {
    const field = fields.find((each) => each.name === name)
    if (field === undefined) throw columnUnknown(table, fields, name)
    return `${JSON.stringify(name)}:${valueText(table, field.type, value, separator)}`
  })
  return `{${members.join(',')}}`
}

function valueText(table: string, type: DataType, value: Value, separator: string): string {
  if (value === null || value === undefined) return 'null'
  switch (type.kind) {
    case 'timestamp':
      return JSON.stringify(timeText(value, separator))
    case 'timestamp_ltz': {
      const text = timeText(value, separator)
      return JSON.stringify(/[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`)
    }
    case 'row':
      return rowText(table, type.fields, value as Row, separator)
    case 'array': {
      const elements = value as readonly Value[]
      return `[${elements.map((each) => valueText(table, type.element, each, separator)).join(',')}]`
    }
    case 'map': {
      const entries = Array.isArray(value)
        ? (value as readonly (readonly [string, Value])[])
        : Object.entries(value as Row)
      return `{${entries
        .map(
          ([key, each]) =>
            `${JSON.stringify(String(key))}:${valueText(table, type.value, each, separator)}`,
        )
        .join(',')}}`
    }
    case 'varchar':
    case 'char':
      return JSON.stringify(String(value))
    default:
      return jsonText(value)
  }
}

/** Without a zone, which is UTC. */
function timeText(value: Value, separator: string): string {
  const text = value instanceof Date ? value.toISOString() : String(value)
  return text.replace(/^(\d{4,}-\d\d-\d\d)[ T]/, `$1${separator}`).replace(/Z$/, '')
}

function columnUnknown(table: string, fields: readonly Field[], name: string): MillraceError {
  return new MillraceError('TEST_INVALID', {
    message: `table ${table} has no column ${name} to give`,
    hint: `its columns are ${fields.map((field) => field.name).join(', ')}; computed ones are not given`,
    facts: { table, column: name },
  })
}
