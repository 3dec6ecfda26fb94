/**
 * Which casts are: by hand (CAST) and silent (INSERT INTO, arguments).
 *
 * @see org.apache.flink.table.types.logical.utils.LogicalTypeCasts
 */
import type { DataType } from '../../data/types.ts'
import {
  isApproximate,
  isBinary,
  isExact,
  isInteger,
  isNumeric,
  isText,
  isTimestamp,
} from './coercion.ts'
import { typeText } from './type-text.ts'

/** undefined if CAST(from AS to) is possible, else why not. */
export function castRefusal(from: DataType, to: DataType): string | undefined {
  if (isTimestamp(from) && isNumeric(to)) {
    return from.kind === 'timestamp'
      ? "a TIMESTAMP can't be cast to a number: use UNIX_TIMESTAMP(CAST(timestamp AS STRING))"
      : "a TIMESTAMP_LTZ can't be cast to a number: use UNIX_TIMESTAMP(CAST(timestamp AS STRING))"
  }
  if (isNumeric(from) && isTimestamp(to)) {
    return to.kind === 'timestamp'
      ? "a number can't be cast to a TIMESTAMP: use TO_TIMESTAMP(FROM_UNIXTIME(number))"
      : "a number can't be cast to a TIMESTAMP_LTZ: use TO_TIMESTAMP_LTZ(number, precision)"
  }
  return isCastable(from, to) ? undefined : `${typeText(from)} can't be cast to ${typeText(to)}`
}

export function castable(from: DataType, to: DataType): boolean {
  return castRefusal(from, to) === undefined
}

function isCastable(from: DataType, to: DataType): boolean {
  if (from.kind === 'null') return true
  if (to.kind === 'null') return false
  if (from.kind === 'array' || from.kind === 'map' || from.kind === 'row') {
    return isText(to) || isNestedCastable(from, to)
  }
  if (isText(to)) return true
  if (isText(from)) return isScalarFromText(to)
  if (isBinary(from)) return isBinary(to)
  if (from.kind === 'boolean') return to.kind === 'boolean' || isNumeric(to)
  if (isNumeric(from)) return isNumeric(to) || to.kind === 'boolean'
  if (isTimestamp(from)) return to.kind === 'date' || to.kind === 'time' || isTimestamp(to)
  if (from.kind === 'date') return to.kind === 'date' || isTimestamp(to)
  if (from.kind === 'time') return to.kind === 'time' || isTimestamp(to)
  return from.kind === to.kind
}

function isScalarFromText(to: DataType): boolean {
  return (
    to.kind === 'boolean' ||
    isBinary(to) ||
    isNumeric(to) ||
    isTimestamp(to) ||
    to.kind === 'date' ||
    to.kind === 'time'
  )
}

function isNestedCastable(from: DataType, to: DataType): boolean {
  if (from.kind === 'array' && to.kind === 'array') return castable(from.element, to.element)
  if (from.kind === 'map' && to.kind === 'map') {
    return castable(from.key, to.key) && castable(from.value, to.value)
  }
  if (from.kind !== 'row' || to.kind !== 'row') return false
  return (
    from.fields.length === to.fields.length &&
    from.fields.every((field, index) => castable(field.type, to.fields[index]!.type))
  )
}

/** Whether INSERT INTO casts without being asked: no digits are lost but by the length of a text or the precision of a time. */
export function implicitlyCastable(from: DataType, to: DataType): boolean {
  if (from.kind === 'null') return true
  if (isText(from) && isText(to)) return true
  if (isBinary(from) && isBinary(to)) return true
  if (isExact(from)) return isImplicitNumber(from, to)
  if (from.kind === 'float') return to.kind === 'float' || to.kind === 'double'
  if (from.kind === 'double') return to.kind === 'double'
  if (from.kind === 'date') return to.kind === 'date' || isTimestamp(to)
  if (isTimestamp(from)) return isTimestamp(to)
  if (from.kind === 'array' && to.kind === 'array')
    return implicitlyCastable(from.element, to.element)
  if (from.kind === 'map' && to.kind === 'map') {
    return implicitlyCastable(from.key, to.key) && implicitlyCastable(from.value, to.value)
  }
  if (from.kind === 'row' && to.kind === 'row') {
    return (
      from.fields.length === to.fields.length &&
      from.fields.every((field, index) => implicitlyCastable(field.type, to.fields[index]!.type))
    )
  }
  return from.kind === to.kind
}

function isImplicitNumber(from: DataType, to: DataType): boolean {
  if (isApproximate(to) || to.kind === 'decimal') return true
  if (!isInteger(from) || !isInteger(to)) return false
  const order = ['tinyint', 'smallint', 'int', 'bigint']
  return order.indexOf(from.kind) <= order.indexOf(to.kind)
}
