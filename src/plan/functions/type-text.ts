/** Types as SQL writes them: 'DECIMAL(10, 2) NOT NULL'. */
import { type DataType, STRING_LENGTH_MAX } from '../../data/types.ts'

/** With `NOT NULL` where it applies, as Flink's asSummaryString. */
export function typeText(type: DataType): string {
  const text = bareText(type)
  return type.nullable ? text : `${text} NOT NULL`
}

function bareText(type: DataType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`
    case 'char':
    case 'binary':
      return `${type.kind.toUpperCase()}(${type.length})`
    case 'varchar':
      return type.length === STRING_LENGTH_MAX ? 'STRING' : `VARCHAR(${type.length})`
    case 'varbinary':
      return type.length === STRING_LENGTH_MAX ? 'BYTES' : `VARBINARY(${type.length})`
    case 'time':
    case 'timestamp':
    case 'timestamp_ltz':
      return `${type.kind.toUpperCase()}(${type.precision})`
    case 'interval_day_second':
      return 'INTERVAL DAY TO SECOND'
    case 'interval_year_month':
      return 'INTERVAL YEAR TO MONTH'
    case 'array':
      return `ARRAY<${typeText(type.element)}>`
    case 'map':
      return `MAP<${typeText(type.key)}, ${typeText(type.value)}>`
    case 'row':
      return `ROW<${type.fields.map(({ name, type }) => `\`${name}\` ${typeText(type)}`).join(', ')}>`
    default:
      return type.kind.toUpperCase()
  }
}
