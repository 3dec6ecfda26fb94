/** Where a plan's values go in a batch: cells and validity of columns, and of ROWs' fields. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type CellValue, encodeNested } from '../../data/nested-cells.ts'
import { cellBytes, type DataType, layoutOf } from '../../data/types.ts'
import type { AvroSlot } from '../../kernels/avro.ts'

export interface Slots extends AvroSlot {
  readonly children: readonly Slots[]
  hasNull: boolean
}

export function slotsOf(memory: LinearMemory, type: DataType, count: number): Slots {
  const bitmap = (count + 7) >> 3
  const validity = memory.arena.allocate(bitmap)
  memory.u8.fill(255, validity, validity + bitmap)
  const isRow = layoutOf(type) === 'row'
  return {
    cells: isRow ? 0 : cellsOf(memory, type, count),
    validity: type.nullable ? validity : 0,
    children:
      type.kind === 'row' ? type.fields.map((field) => slotsOf(memory, field.type, count)) : [],
    hasNull: false,
  }
}

/** Of ARRAYs and MAPs they are cleared: inside a ROW that is NULL no span is written, and none must be found. */
function cellsOf(memory: LinearMemory, type: DataType, count: number): Pointer {
  const bytes = cellBytes(type) * count
  const isSpan = type.kind === 'array' || type.kind === 'map'
  return isSpan ? memory.arena.allocateCleared(bytes) : memory.arena.allocate(bytes)
}

export function vectorOf(type: DataType, slots: Slots): Vector {
  const validity = slots.hasNull ? slots.validity : 0
  if (type.kind !== 'row') return { type, cells: slots.cells, validity }
  const children = type.fields.map((field, index) => vectorOf(field.type, slots.children[index]!))
  return { type, cells: 0, validity, children }
}

/** The rows [from, to) of a slot that nothing was written to: NULL, or a constant. */
export function fillRows(
  memory: LinearMemory,
  type: DataType,
  slots: Slots,
  from: number,
  to: number,
  value: CellValue,
): void {
  if (value !== null) {
    fillConstant(memory, type, slots.cells, from, to, value)
    return
  }
  if (slots.validity === 0) return
  slots.hasNull = true
  for (let row = from; row < to; row++) memory.u8[slots.validity + (row >> 3)]! &= ~(1 << (row & 7))
}

function fillConstant(
  memory: LinearMemory,
  type: DataType,
  cells: Pointer,
  from: number,
  to: number,
  value: Exclude<CellValue, null>,
): void {
  switch (layoutOf(type)) {
    case 'f64':
      memory.f64.fill(Number(value), cells / 8 + from, cells / 8 + to)
      return
    case 'i128':
      for (let row = from; row < to; row++) {
        memory.i64[cells / 8 + 2 * row] = BigInt.asIntN(64, value as bigint)
        memory.i64[cells / 8 + 2 * row + 1] = (value as bigint) >> 64n
      }
      return
    case 'bytes': {
      const bytes =
        typeof value === 'string'
          ? Buffer.from(value)
          : value instanceof Uint8Array
            ? value
            : encodeNested(type, value)
      const address = memory.arena.allocate(bytes.length)
      memory.u8.set(bytes, address)
      const cell = BigInt.asIntN(64, BigInt(address) | (BigInt(bytes.length) << 32n))
      memory.i64.fill(cell, cells / 8 + from, cells / 8 + to)
      return
    }
    default:
      memory.i64.fill(BigInt(value as bigint | boolean), cells / 8 + from, cells / 8 + to)
  }
}
