/**
 * Rows as a message: the selected rows of a batch, dense, in the layout that a batch has in memory, so that the receiver only has
 * to add where the message lies to the addresses of its strings.
 *
 *   0    u32 length   u32 kind (MESSAGE)   u32 rows   u32 offset of the kinds, 0 = all +I
 *   16   (u32 offset of the validity, 0 = none NULL; u32 offset of the cells) a column, ROWs before their fields
 *   then validity, cells and the strings' bytes of each, at multiples of 16
 */
import type { Batch, Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { cellBytes, type DataType, layoutOf, type Schema } from '../data/types.ts'

export const MESSAGE = { rows: 0, progress: 1, barrier: 2 } as const
const PLACES_AT = 16
/** Shorter strings are copied byte by byte: a call costs more. */
const CALL_BYTES = 48

/** The message in the arena: its address and length. */
export function encodeRows(
  memory: LinearMemory,
  batch: Batch,
): { readonly at: Pointer; readonly bytes: number } {
  const leaves = leavesOf(batch.columns)
  const bytes = encodedBytes(memory, batch, leaves)
  const at = memory.arena.allocate(bytes)
  const { u32, u8 } = memory
  let end = at + aligned(PLACES_AT + 8 * leaves.length)
  u32[at / 4] = bytes
  u32[at / 4 + 1] = MESSAGE.rows
  u32[at / 4 + 2] = batch.count
  u32[at / 4 + 3] = batch.kinds === 0 ? 0 : end - at
  if (batch.kinds !== 0) {
    for (let row = 0; row < batch.count; row++)
      u8[end + row] = u8[batch.kinds + rowAt(u32, batch, row)]!
    end += aligned(batch.count)
  }
  for (const [index, vector] of leaves.entries()) {
    const place = (at + PLACES_AT) / 4 + 2 * index
    u32[place] = vector.validity === 0 ? 0 : end - at
    if (vector.validity !== 0) end += copyValidity(memory, batch, vector.validity, end)
    u32[place + 1] = end - at
    end += copyCells(memory, batch, vector, at, end)
  }
  return { at, bytes }
}

/** The rows of the message at `at`, as a batch over it. Once only: addresses are made absolute in place. */
export function decodeRows(memory: LinearMemory, schema: Schema, at: Pointer): Batch {
  const { u32 } = memory
  const rowCount = u32[at / 4 + 2]!
  const kinds = u32[at / 4 + 3]!
  let place = (at + PLACES_AT) / 4
  const vectorOf = (type: DataType): Vector => {
    const validity = u32[place]!
    const cells = at + u32[place + 1]!
    place += 2
    const valid = validity === 0 ? 0 : at + validity
    if (type.kind === 'row') {
      const children = type.fields.map((field) => vectorOf(field.type))
      return { type, cells: 0, validity: valid, children }
    }
    if (layoutOf(type) === 'bytes') {
      for (let row = 0; row < rowCount; row++) u32[cells / 4 + 2 * row]! += at
    }
    return { type, cells, validity: valid }
  }
  const columns = schema.map(({ type }) => vectorOf(type))
  return { rowCount, columns, kinds: kinds === 0 ? 0 : at + kinds, selection: 0, count: rowCount }
}

function leavesOf(columns: readonly Vector[]): Vector[] {
  return columns.flatMap((column) => [column, ...leavesOf(column.children ?? [])])
}

function encodedBytes({ u32, u8 }: LinearMemory, batch: Batch, leaves: readonly Vector[]): number {
  const { count } = batch
  let bytes = aligned(PLACES_AT + 8 * leaves.length) + (batch.kinds === 0 ? 0 : aligned(count))
  for (const { type, cells, validity } of leaves) {
    if (validity !== 0) bytes += aligned((count + 7) >> 3)
    bytes += aligned(count * cellBytes(type))
    if (layoutOf(type) !== 'bytes') continue
    let strings = 0
    for (let at = 0; at < count; at++) {
      const row = rowAt(u32, batch, at)
      if (isValid(u8, validity, row)) strings += u32[cells / 4 + 2 * row + 1]!
    }
    bytes += aligned(strings)
  }
  return bytes
}

function copyValidity(
  { u8, u32 }: LinearMemory,
  batch: Batch,
  validity: Pointer,
  to: Pointer,
): number {
  const bytes = aligned((batch.count + 7) >> 3)
  u8.fill(0, to, to + bytes)
  for (let at = 0; at < batch.count; at++) {
    if (isValid(u8, validity, rowAt(u32, batch, at))) u8[to + (at >> 3)]! |= 1 << (at & 7)
  }
  return bytes
}

function copyCells(
  { u32, u8 }: LinearMemory,
  batch: Batch,
  { type, cells, validity }: Vector,
  base: Pointer,
  to: Pointer,
): number {
  const { count } = batch
  const words = cellBytes(type) / 4
  const source = cells / 4
  const target = to / 4
  const cellsEnd = to + aligned(count * cellBytes(type))
  if (layoutOf(type) !== 'bytes') {
    for (let at = 0; at < count; at++) {
      const from = source + words * rowAt(u32, batch, at)
      for (let word = 0; word < words; word++) u32[target + words * at + word] = u32[from + word]!
    }
    return cellsEnd - to
  }
  let end = cellsEnd
  for (let at = 0; at < count; at++) {
    const row = rowAt(u32, batch, at)
    const from = source + 2 * row
    const length = isValid(u8, validity, row) ? u32[from + 1]! : 0
    u32[target + 2 * at] = end - base
    u32[target + 2 * at + 1] = length
    copyBytes(u8, u32[from]!, end, length)
    end += length
  }
  return cellsEnd + aligned(end - cellsEnd) - to
}

function copyBytes(u8: Uint8Array, from: number, to: number, length: number): void {
  if (length >= CALL_BYTES) u8.copyWithin(to, from, from + length)
  else for (let at = 0; at < length; at++) u8[to + at] = u8[from + at]!
}

function rowAt(u32: Uint32Array, { selection }: Batch, at: number): number {
  return selection === 0 ? at : u32[selection / 4 + at]!
}

function isValid(u8: Uint8Array, validity: Pointer, row: number): boolean {
  return validity === 0 || ((u8[validity + (row >> 3)]! >> (row & 7)) & 1) !== 0
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 16) * 16
}
