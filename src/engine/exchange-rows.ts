/**
 * Rows as a message: the selected rows of a batch, dense, in the layout that a batch has in memory, so that the receiver only has
 * to add where the message lies to the addresses of its strings.
 *
 *   0    u32 length   u32 kind (MESSAGE)   u32 rows   u32 offset of the kinds, 0 = all +I
 *   16   (u32 offset of the validity, 0 = none NULL; u32 offset of the cells, 0 = the column stayed behind) a column, ROWs before
 *        their fields
 *   then validity, cells and the strings' bytes of each, at multiples of 16
 */
import type { Batch, Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { cellBytes, type DataType, layoutOf, type Schema } from '../data/types.ts'
import { GATHER_SLACK_BYTES, type GatherKernel, gatherKernel } from '../kernels/gather.ts'

export const MESSAGE = { rows: 0, progress: 1, barrier: 2 } as const
const PLACES_AT = 16

interface Leaf {
  readonly vector: Vector
  readonly travels: boolean
}

/** The message in the arena: its address and length. Of columns that are not in `columns` the receiver has NULLs. */
export function encodeRows(
  memory: LinearMemory,
  batch: Batch,
  columns?: ReadonlySet<number>,
): { readonly at: Pointer; readonly bytes: number } {
  const kernel = gatherKernel(memory)
  const leaves = batch.columns.flatMap((column, index) =>
    leavesOf(column, columns === undefined || columns.has(index)),
  )
  const { count, selection, kinds } = batch
  const bytes = encodedBytes(kernel, batch, leaves)
  const at = memory.arena.allocate(bytes + GATHER_SLACK_BYTES)
  const { u32 } = memory
  let end = at + aligned(PLACES_AT + 8 * leaves.length)
  u32[at / 4] = bytes
  u32[at / 4 + 1] = MESSAGE.rows
  u32[at / 4 + 2] = count
  u32[at / 4 + 3] = kinds === 0 ? 0 : end - at
  if (kinds !== 0) {
    kernel.gatherBytes(kinds, selection, count, end)
    end += aligned(count)
  }
  for (const [index, { vector, travels }] of leaves.entries()) {
    const place = (at + PLACES_AT) / 4 + 2 * index
    if (!travels) {
      u32.fill(0, place, place + 2)
      continue
    }
    u32[place] = vector.validity === 0 ? 0 : end - at
    if (vector.validity !== 0) end += copyValidity(memory, kernel, batch, vector.validity, end)
    u32[place + 1] = end - at
    end += copyCells(kernel, batch, vector, at, end)
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
    const cellsOffset = u32[place + 1]!
    place += 2
    const isHere = cellsOffset !== 0
    const cells = isHere ? at + cellsOffset : nulls()
    const valid = !isHere ? cells : validity === 0 ? 0 : at + validity
    if (type.kind === 'row') {
      const children = type.fields.map((field) => vectorOf(field.type))
      return { type, cells: 0, validity: valid, children }
    }
    if (isHere && layoutOf(type) === 'bytes') gatherKernel(memory).rebase(cells, rowCount, at)
    return { type, cells, validity: valid }
  }
  /** Cells and bitmap of columns that stayed behind. */
  const nulls = (): Pointer => zeros(memory, 16 * rowCount)
  const columns = schema.map(({ type }) => vectorOf(type))
  return { rowCount, columns, kinds: kinds === 0 ? 0 : at + kinds, selection: 0, count: rowCount }
}

const cleared = new WeakMap<LinearMemory, { readonly at: Pointer; readonly bytes: number }>()

/** At least so many, which nobody writes to. */
function zeros(memory: LinearMemory, bytes: number): Pointer {
  const held = cleared.get(memory)
  if (held !== undefined && held.bytes >= bytes) return held.at
  if (held !== undefined) memory.free(held.at, held.bytes)
  const at = memory.within(undefined, () => memory.allocate(bytes))
  memory.u8.fill(0, at, at + bytes)
  cleared.set(memory, { at, bytes })
  return at
}

/** The rows of several messages as one batch, copied to the arena; strings stay in the messages. Once only, as above. */
export function decodeTogether(
  memory: LinearMemory,
  schema: Schema,
  messages: readonly Pointer[],
): Batch {
  const { u32 } = memory
  const parts = messages.map((at): Part => ({ at, rows: u32[at / 4 + 2]! }))
  const rowCount = parts.reduce((sum, { rows }) => sum + rows, 0)
  const hasKinds = parts.some(({ at }) => u32[at / 4 + 3] !== 0)
  let leaf = 0
  const vectorOf = (type: DataType): Vector => {
    const place = PLACES_AT / 4 + 2 * leaf++
    const validity = joinedValidity(memory, parts, place, rowCount)
    if (type.kind !== 'row')
      return { type, cells: joinedCells(memory, type, parts, place + 1, rowCount), validity }
    const children = type.fields.map((field) => vectorOf(field.type))
    return { type, cells: 0, validity, children }
  }
  const columns = schema.map(({ type }) => vectorOf(type))
  const kinds = hasKinds ? joinedKinds(memory, parts, rowCount) : 0
  return { rowCount, columns, kinds, selection: 0, count: rowCount }
}

interface Part {
  readonly at: Pointer
  readonly rows: number
}

function joinedCells(
  memory: LinearMemory,
  type: DataType,
  parts: readonly Part[],
  place: number,
  rowCount: number,
): Pointer {
  const width = cellBytes(type)
  const cells = memory.arena.allocate(width * rowCount)
  const { u8, u32 } = memory
  const isText = layoutOf(type) === 'bytes'
  let to = cells
  for (const { at, rows } of parts) {
    const from = at + u32[at / 4 + place]!
    u8.copyWithin(to, from, from + width * rows)
    if (isText) gatherKernel(memory).rebase(to, rows, at)
    to += width * rows
  }
  return cells
}

function joinedKinds(memory: LinearMemory, parts: readonly Part[], rowCount: number): Pointer {
  const joined = memory.arena.allocateCleared(rowCount)
  const { u8, u32 } = memory
  let to = joined
  for (const { at, rows } of parts) {
    const kinds = u32[at / 4 + 3]!
    if (kinds !== 0) u8.copyWithin(to, at + kinds, at + kinds + rows)
    to += rows
  }
  return joined
}

function joinedValidity(
  memory: LinearMemory,
  parts: readonly Part[],
  place: number,
  rowCount: number,
): Pointer {
  if (parts.every(({ at }) => memory.u32[at / 4 + place] === 0)) return 0
  const joined = memory.arena.allocateCleared((rowCount + 7) >> 3)
  const { u8, u32 } = memory
  let row = 0
  for (const { at, rows } of parts) {
    const offset = u32[at / 4 + place]!
    for (let from = 0; from < rows; from++, row++) {
      const isValid = offset === 0 || ((u8[at + offset + (from >> 3)]! >> (from & 7)) & 1) === 1
      if (isValid) u8[joined + (row >> 3)]! |= 1 << (row & 7)
    }
  }
  return joined
}

function leavesOf(vector: Vector, travels: boolean): Leaf[] {
  const children = vector.children ?? []
  return [{ vector, travels }, ...children.flatMap((child) => leavesOf(child, travels))]
}

function encodedBytes(kernel: GatherKernel, batch: Batch, leaves: readonly Leaf[]): number {
  const { count, selection } = batch
  let bytes = aligned(PLACES_AT + 8 * leaves.length) + (batch.kinds === 0 ? 0 : aligned(count))
  for (const { vector, travels } of leaves) {
    if (!travels) continue
    const { type, cells, validity } = vector
    if (validity !== 0) bytes += aligned((count + 7) >> 3)
    bytes += aligned(count * cellBytes(type))
    if (layoutOf(type) === 'bytes')
      bytes += aligned(kernel.stringBytes(cells, validity, selection, count))
  }
  return bytes
}

function copyValidity(
  { u8 }: LinearMemory,
  kernel: GatherKernel,
  { count, selection }: Batch,
  validity: Pointer,
  to: Pointer,
): number {
  const bytes = aligned((count + 7) >> 3)
  u8.fill(0, to, to + bytes)
  kernel.gatherBits(validity, selection, count, to)
  return bytes
}

function copyCells(
  kernel: GatherKernel,
  { count, selection }: Batch,
  { type, cells, validity }: Vector,
  base: Pointer,
  to: Pointer,
): number {
  const width = cellBytes(type)
  const cellsEnd = to + aligned(count * width)
  if (layoutOf(type) === 'bytes') {
    const end = kernel.gatherStrings(cells, validity, selection, count, to, cellsEnd, base)
    return cellsEnd + aligned(end - cellsEnd) - to
  }
  if (width === 8) kernel.gather8(cells, selection, count, to)
  else if (width === 16) kernel.gather16(cells, selection, count, to)
  return cellsEnd - to
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 16) * 16
}
