/** Values of ARRAY and MAP to their encoded cells and back: the layout is told in data/nested.ts. */
import { arrayEntries, mapEntries, type NestedEntries, nestedBytes, rowEntries } from './nested.ts'
import { cellBytes, type DataType, layoutOf } from './types.ts'

/** What a cell holds, as JavaScript: see cells.ts for which type is which. */
export type CellValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | readonly CellValue[]

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function decodeNested(type: DataType, block: DataView): CellValue {
  switch (type.kind) {
    case 'array': {
      const entries = arrayEntries(type.element, block)
      return valuesOf(entries, block, () => type.element)
    }
    case 'map': {
      const { keys, values } = mapEntries(type.key, type.value, block)
      const [left, right] = [
        valuesOf(keys, block, () => type.key),
        valuesOf(values, block, () => type.value),
      ]
      return left.map((key, index) => [key, right[index]!])
    }
    case 'row':
      return valuesOf(rowEntries(type.fields, block), block, (index) => type.fields[index]!.type)
    default:
      return null
  }
}

function valuesOf(
  entries: NestedEntries,
  block: DataView,
  typeAt: (index: number) => DataType,
): CellValue[] {
  return Array.from({ length: entries.count }, (_, index) =>
    entries.isNull(index) ? null : cellValue(typeAt(index), block, entries.cellAt(index)),
  )
}

function cellValue(type: DataType, block: DataView, at: number): CellValue {
  switch (layoutOf(type)) {
    case 'f64':
      return block.getFloat64(at, true)
    case 'i128':
      return (block.getBigInt64(at + 8, true) << 64n) | block.getBigUint64(at, true)
    case 'row':
      return decodeNested(type, nestedBytes(block, at))
    case 'bytes':
      return pointedValue(type, nestedBytes(block, at))
    default: {
      const cell = block.getBigInt64(at, true)
      return type.kind === 'boolean' ? cell !== 0n : cell
    }
  }
}

function pointedValue(type: DataType, part: DataView): CellValue {
  if (type.kind === 'array' || type.kind === 'map') return decodeNested(type, part)
  const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength).slice()
  return type.kind === 'char' || type.kind === 'varchar' ? decoder.decode(bytes) : bytes
}

export function encodeNested(type: DataType, value: CellValue): Uint8Array {
  const list = value as readonly CellValue[]
  switch (type.kind) {
    case 'array':
      return block(list.length, [{ values: list, typeAt: () => type.element }])
    case 'map': {
      const entries = list as readonly (readonly [CellValue, CellValue])[]
      return block(list.length, [
        { values: entries.map(([key]) => key), typeAt: () => type.key },
        { values: entries.map(([, each]) => each), typeAt: () => type.value },
      ])
    }
    default: {
      const fields = type.kind === 'row' ? type.fields : []
      return block(list.length, [{ values: list, typeAt: (index) => fields[index]!.type }])
    }
  }
}

interface Part {
  readonly values: readonly CellValue[]
  typeAt(index: number): DataType
}

function nestedCellBytes(type: DataType): number {
  return layoutOf(type) === 'row' ? 8 : cellBytes(type)
}

function block(count: number, parts: readonly Part[]): Uint8Array {
  const bitmap = Math.ceil(count / 64) * 8
  let head = 8
  for (const { values, typeAt } of parts) {
    head += bitmap
    for (let index = 0; index < values.length; index++) head += nestedCellBytes(typeAt(index))
  }
  const tails = parts.map(({ values, typeAt }) =>
    values.map((value, index) => (value === null ? undefined : tailOf(typeAt(index), value))),
  )
  const bytes = tails.flat().reduce((sum, tail) => sum + (tail?.length ?? 0), head)
  const out = new Uint8Array(bytes)
  const view = new DataView(out.buffer)
  view.setUint32(0, count, true)
  let at = 8
  let tailAt = head
  for (const [index, { values, typeAt }] of parts.entries()) {
    const bits = at
    at += bitmap
    for (const [row, value] of values.entries()) {
      const type = typeAt(row)
      if (value !== null) {
        out[bits + (row >>> 3)]! |= 1 << (row & 7)
        const tail = tails[index]![row]
        if (tail === undefined) putCell(view, at, type, value)
        else {
          view.setUint32(at, tailAt, true)
          view.setUint32(at + 4, tail.length, true)
          out.set(tail, tailAt)
          tailAt += tail.length
        }
      }
      at += nestedCellBytes(type)
    }
  }
  return out
}

/** The bytes that a cell points to; undefined if it holds the value itself. */
function tailOf(type: DataType, value: CellValue): Uint8Array | undefined {
  if (type.kind === 'array' || type.kind === 'map' || type.kind === 'row')
    return encodeNested(type, value)
  if (typeof value === 'string') return encoder.encode(value)
  return value instanceof Uint8Array ? value : undefined
}

function putCell(view: DataView, at: number, type: DataType, value: CellValue): void {
  if (typeof value === 'number') view.setFloat64(at, value, true)
  else if (typeof value === 'boolean') view.setBigInt64(at, value ? 1n : 0n, true)
  else {
    view.setBigInt64(at, BigInt.asIntN(64, value as bigint), true)
    if (layoutOf(type) === 'i128') view.setBigInt64(at + 8, (value as bigint) >> 64n, true)
  }
}
