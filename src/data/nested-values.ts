/** Encoded ARRAY and MAP cells as JavaScript values: what `ValueOptions.nested` is given. */
import { arrayEntries, mapEntries, type NestedEntries, nestedBytes, rowEntries } from './nested.ts'
import { type DataType, layoutOf } from './types.ts'
import { bytesValue, decimalText, integerValue, type Value, type ValueOptions } from './values.ts'

/** An array of values; an array of [key, value] pairs, in order of appearance, of equal keys the last. */
export function nestedValue(
  type: DataType,
  bytes: Uint8Array,
  options: Omit<ValueOptions, 'nested'> = {},
): Value {
  const block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return blockValue(type, block, {
    ...options,
    nested: (inner, at) => nestedValue(inner, at, options),
  })
}

function blockValue(type: DataType, block: DataView, options: ValueOptions): Value {
  switch (type.kind) {
    case 'array': {
      const elements = arrayEntries(type.element, block)
      return indices(elements).map((index) =>
        entryValue(type.element, block, elements, index, options),
      )
    }
    case 'map': {
      const { keys, values } = mapEntries(type.key, type.value, block)
      const last = new Map<string, readonly [Value, Value]>()
      for (const index of indices(keys)) {
        const key = entryValue(type.key, block, keys, index, options)
        last.set(String(key), [key, entryValue(type.value, block, values, index, options)])
      }
      return [...last.values()]
    }
    case 'row': {
      const entries = rowEntries(type.fields, block)
      const row: Record<string, Value> = Object.create(null)
      type.fields.forEach((field, index) => {
        row[field.name] = entryValue(field.type, block, entries, index, options)
      })
      return row
    }
    default:
      return bytesValue(
        type,
        new Uint8Array(block.buffer, block.byteOffset, block.byteLength),
        options,
      )
  }
}

function entryValue(
  type: DataType,
  block: DataView,
  entries: NestedEntries,
  index: number,
  options: ValueOptions,
): Value {
  if (entries.isNull(index)) return null
  const at = entries.cellAt(index)
  switch (layoutOf(type)) {
    case 'f64':
      return block.getFloat64(at, true)
    case 'i128': {
      const unscaled = (block.getBigInt64(at + 8, true) << 64n) | block.getBigUint64(at, true)
      return decimalText(unscaled, type.kind === 'decimal' ? type.scale : 0)
    }
    case 'bytes':
    case 'row':
      return blockValue(type, nestedBytes(block, at), options)
    default:
      return integerValue(type, block.getBigInt64(at, true), options)
  }
}

function indices({ count }: NestedEntries): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
