/**
 * Batches from plain values and back, for tests: the slow, obvious way, sharing no code with the engine.
 *
 * Plain values by type: boolean; bigint for tinyint..bigint, date (days), time (µs), timestamps (µs), intervals; number for float and
 * double; decimal text ('-12.50') for decimals; string for char and varchar; Uint8Array for binary, array and map (encoded);
 * an array of values for ROW; null for NULL.
 */
import assert from 'node:assert/strict'
import type { Batch, Vector } from '../../src/data/batch.ts'
import { ROW_KIND_TEXT } from '../../src/data/batch.ts'
import type { LinearMemory, Pointer } from '../../src/data/memory.ts'
import { cellBytes, type DataType, layoutOf, type Schema } from '../../src/data/types.ts'

export type Plain = null | boolean | bigint | number | string | Uint8Array | readonly Plain[]
export type RowKindText = (typeof ROW_KIND_TEXT)[number]

export interface BatchOptions {
  /** A kind a row. */
  readonly kinds?: readonly RowKindText[]
  /** Row numbers that are in the batch. */
  readonly selection?: readonly number[]
}

/** Columns in the arena of `memory`. */
export function batchOf(
  memory: LinearMemory,
  schema: Schema,
  rows: readonly (readonly Plain[])[],
  options: BatchOptions = {},
): Batch {
  const columns = schema.map((field, index) =>
    vectorOf(
      memory,
      field.type,
      rows.map((row) => row[index] ?? null),
    ),
  )
  let kinds: Pointer = 0
  if (options.kinds !== undefined) {
    kinds = memory.arena.allocate(rows.length)
    options.kinds.forEach((kind, row) => {
      memory.u8[kinds + row] = ROW_KIND_TEXT.indexOf(kind)
    })
  }
  let selection: Pointer = 0
  if (options.selection !== undefined) {
    selection = memory.arena.allocate(4 * options.selection.length)
    options.selection.forEach((row, at) => {
      memory.u32[(selection >> 2) + at] = row
    })
  }
  const count = options.selection?.length ?? rows.length
  return { rowCount: rows.length, columns, kinds, selection, count }
}

export function vectorOf(memory: LinearMemory, type: DataType, values: readonly Plain[]): Vector {
  const validity = values.some((value) => value === null) ? validityOf(memory, values) : 0
  if (type.kind === 'row') {
    const children = type.fields.map((field, index) =>
      vectorOf(
        memory,
        field.type,
        values.map((value) =>
          value === null ? null : ((value as readonly Plain[])[index] ?? null),
        ),
      ),
    )
    return { type, cells: 0, validity, children }
  }
  const cells = memory.arena.allocateCleared(cellBytes(type) * values.length)
  values.forEach((value, row) => {
    if (value !== null) writeCell(memory, type, cells, row, value)
  })
  return { type, cells, validity }
}

/** The selected rows, in order, as plain values. */
export function rowsOf(memory: LinearMemory, batch: Batch): Plain[][] {
  return selectedRows(memory, batch).map((row) =>
    batch.columns.map((column) => plainOf(memory, column, row)),
  )
}

export function kindsOf(memory: LinearMemory, batch: Batch): RowKindText[] {
  return selectedRows(memory, batch).map((row) =>
    batch.kinds === 0 ? '+I' : ROW_KIND_TEXT[memory.u8[batch.kinds + row]!]!,
  )
}

export function selectedRows(memory: LinearMemory, batch: Batch): number[] {
  return Array.from({ length: batch.count }, (_, at) =>
    batch.selection === 0 ? at : memory.u32[(batch.selection >> 2) + at]!,
  )
}

export function plainOf(memory: LinearMemory, vector: Vector, row: number): Plain {
  if (vector.validity !== 0) {
    if (((memory.u8[vector.validity + (row >> 3)]! >> (row & 7)) & 1) === 0) return null
  }
  const { type } = vector
  if (vector.children !== undefined)
    return vector.children.map((child) => plainOf(memory, child, row))
  const at = vector.cells / 8 + (row * cellBytes(type)) / 8
  switch (layoutOf(type)) {
    case 'f64':
      return memory.f64[at]!
    case 'i128':
      return decimalText(
        (memory.i64[at + 1]! << 64n) | BigInt.asUintN(64, memory.i64[at]!),
        scaleOf(type),
      )
    case 'bytes': {
      const address = memory.u32[at * 2]!
      const bytes = memory.u8.slice(address, address + memory.u32[at * 2 + 1]!)
      return type.kind === 'char' || type.kind === 'varchar'
        ? Buffer.from(bytes).toString('utf8')
        : bytes
    }
    default:
      if (type.kind === 'boolean') return memory.i64[at]! !== 0n
      if (type.kind === 'decimal') return decimalText(memory.i64[at]!, type.scale)
      return memory.i64[at]!
  }
}

function validityOf(memory: LinearMemory, values: readonly Plain[]): Pointer {
  const validity = memory.arena.allocateCleared((values.length + 7) >> 3)
  values.forEach((value, row) => {
    if (value !== null) memory.u8[validity + (row >> 3)]! |= 1 << (row & 7)
  })
  return validity
}

function writeCell(
  memory: LinearMemory,
  type: DataType,
  cells: Pointer,
  row: number,
  value: Plain,
): void {
  const at = cells / 8 + (row * cellBytes(type)) / 8
  switch (layoutOf(type)) {
    case 'f64':
      memory.f64[at] = type.kind === 'float' ? Math.fround(Number(value)) : Number(value)
      return
    case 'i128': {
      const unscaled = unscaledOf(String(value), scaleOf(type))
      memory.i64[at] = BigInt.asIntN(64, unscaled)
      memory.i64[at + 1] = unscaled >> 64n
      return
    }
    case 'bytes': {
      const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array)
      const address = memory.arena.allocate(bytes.length)
      memory.u8.set(bytes, address)
      memory.u32[at * 2] = address
      memory.u32[at * 2 + 1] = bytes.length
      return
    }
    default:
      if (type.kind === 'boolean') memory.i64[at] = value === true ? 1n : 0n
      else if (type.kind === 'decimal') memory.i64[at] = unscaledOf(String(value), type.scale)
      else memory.i64[at] = BigInt(value as bigint)
  }
}

function scaleOf(type: DataType): number {
  assert.equal(type.kind, 'decimal')
  return type.kind === 'decimal' ? type.scale : 0
}

function unscaledOf(text: string, scale: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  assert.ok(match, `${text} is not a decimal`)
  const [, sign, whole, fraction = ''] = match
  assert.ok(fraction.length <= scale, `${text} has more than ${scale} fraction digits`)
  const digits = BigInt(whole! + fraction.padEnd(scale, '0'))
  return sign === '-' ? -digits : digits
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return unscaled < 0n ? `-${text}` : text
}
