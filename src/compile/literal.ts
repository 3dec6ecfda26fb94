/** Literals of a plan as values. */
import type { DataType } from '../data/types.ts'
import type { LiteralValue } from '../plan/expressions.ts'
import { parseDecimal } from './decimals.ts'
import type { Value } from './value.ts'
import { type Compiled, filled } from './vectors.ts'

export function literalOf(value: LiteralValue, type: DataType): Compiled {
  const constant = literalValue(value, type)
  return {
    type,
    mark: 'kernel',
    jsBecause: [],
    constant,
    evaluate: (frame) => filled(frame, type, constant),
  }
}

/** As plan/expressions.ts says how each type's literals are written. */
export function literalValue(value: LiteralValue, type: DataType): Value {
  if (value === null) return null
  switch (type.kind) {
    case 'boolean':
      return value === true
    case 'float':
    case 'double':
      return Number(value)
    case 'char':
    case 'varchar':
      return String(value)
    case 'binary':
    case 'varbinary':
      return new Uint8Array(Buffer.from(String(value), 'base64'))
    case 'decimal':
      return parseDecimal(String(value), type.scale) ?? null
    case 'array':
      return (value as readonly LiteralValue[]).map((each) => literalValue(each, type.element))
    case 'row':
      return (value as readonly LiteralValue[]).map((each, index) =>
        literalValue(each, type.fields[index]!.type),
      )
    case 'map':
      return (value as readonly (readonly LiteralValue[])[]).map(([key, each]) => [
        literalValue(key ?? null, type.key),
        literalValue(each ?? null, type.value),
      ])
    case 'null':
      return null
    default:
      return BigInt(String(value))
  }
}
