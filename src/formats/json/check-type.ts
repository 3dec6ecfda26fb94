/** Which types JSON records can hold. */
import type { DataType } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'

/** @throws JSON_TYPE_UNSUPPORTED for INTERVAL types, the bare NULL, and maps whose keys are not strings */
export function checkJsonType(type: DataType, column: string): void {
  const refuse = (what: string): MillraceError =>
    new MillraceError('JSON_TYPE_UNSUPPORTED', {
      message: `column ${column}: JSON has no ${what}`,
      hint: 'declare the column as BIGINT or STRING and convert it in a computed column',
      facts: { column },
    })
  switch (type.kind) {
    case 'interval_day_second':
    case 'interval_year_month':
    case 'null':
      throw refuse(type.kind.replaceAll('_', ' ').toUpperCase())
    case 'row':
      for (const field of type.fields) checkJsonType(field.type, `${column}.${field.name}`)
      return
    case 'array':
      checkJsonType(type.element, column)
      return
    case 'map':
      if (type.key.kind !== 'varchar' && type.key.kind !== 'char')
        throw refuse(`MAP with ${type.key.kind.toUpperCase()} keys: its keys are strings`)
      checkJsonType(type.value, column)
  }
}
