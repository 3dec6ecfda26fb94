/** Keyed state: rows to entries in bulk, and the one hash of keys. Layouts stand in group/table.as.ts, the hash in group/hash.as.ts. */
import type { Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { type DataType, layoutOf } from '../data/types.ts'
import { flatKeys } from './flat-keys.ts'
import { wasmBase64 } from './group.generated.ts'

/** What a table needs before a call can go on, as it stands at NEED_OFFSET of the table. */
export const NEED = { entries: 1, dirty: 2, slab: 3, slots: 4, output: 5, badRecord: 6 } as const

export interface GroupKernel {
  /** u32 hashes of the selected rows' keys to `out`, by position; `hash & 127` is the key group. `columns`: (u32 cells, u32 validity) a key. */
  hashKeys(layout: Pointer, columns: Pointer, selection: Pointer, count: number, out: Pointer): void
  upsertOne(
    table: Pointer,
    cells: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    entries: Pointer,
  ): number
  countOne(
    table: Pointer,
    cells: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    offset: number,
  ): number
  upsertMany(
    table: Pointer,
    columns: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    entries: Pointer,
  ): number
  find(table: Pointer, columns: Pointer, selection: Pointer, count: number, entries: Pointer): void
  scanEntries(from: Pointer, end: Pointer, entryBytes: number, out: Pointer, max: number): number
  gatherCells(entries: Pointer, count: number, offset: number, wide: number, out: Pointer): void
  gatherValidity(entries: Pointer, count: number, key: number, out: Pointer): number
  markDirty(table: Pointer, entries: Pointer, from: number, count: number): number
  /** 0 if room is needed. */
  setBytes(table: Pointer, cell: Pointer, address: Pointer, length: number): number
  removeEntry(table: Pointer, entry: Pointer): number
  initialiseSub(sub: Pointer, slots: number, depth: number): void
  growSub(table: Pointer, index: number, target: Pointer, slots: number): void
  splitSub(table: Pointer, index: number, low: Pointer, high: Pointer, slots: number): void
  growDirectory(table: Pointer, target: Pointer): void
  encodeDirty(
    table: Pointer,
    list: Pointer,
    listEnd: Pointer,
    out: Pointer,
    outEnd: Pointer,
  ): number
  encodeLive(table: Pointer, from: Pointer, end: Pointer, out: Pointer, outEnd: Pointer): number
  settleDirty(list: Pointer, listEnd: Pointer): void
  restoreRecords(
    table: Pointer,
    from: Pointer,
    end: Pointer,
    groupStart: number,
    groupEnd: number,
    scratch: Pointer,
    sliceMask: number,
    sliceValue: number,
    sliceKeys: number,
  ): number
  /** Of a changelog's groups: see group/changes.as.ts. `existed` and `changed` are u8 a group. */
  touchGroups(
    entries: Pointer,
    count: number,
    touchOffset: number,
    rowsOffset: number,
    batch: bigint,
    unique: Pointer,
    existed: Pointer,
  ): number
  /** `kind` as KEY_KIND has it. */
  markChanged(
    before: Pointer,
    beforeValidity: Pointer,
    after: Pointer,
    afterValidity: Pointer,
    count: number,
    kind: number,
    changed: Pointer,
  ): void
  /** -1 - i: group i has less than no row. */
  changeRows(
    entries: Pointer,
    count: number,
    rowsOffset: number,
    existed: Pointer,
    changed: Pointer,
    kinds: Pointer,
    selection: Pointer,
  ): number
  interleave(before: Pointer, after: Pointer, count: number, wide: number, out: Pointer): void
  interleaveBits(before: Pointer, after: Pointer, count: number, out: Pointer): void
  emptyGroups(entries: Pointer, count: number, rowsOffset: number, out: Pointer): number
  greatestCell(entries: Pointer, count: number, offset: number, start: bigint): bigint
  readonly scanAt: { readonly value: number }
  readonly listAt: { readonly value: number }
  readonly recordCount: { readonly value: number }
}

const module = new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
const kernels = new WeakMap<LinearMemory, GroupKernel>()

/** The one instance over `memory`. */
export function groupKernel(memory: LinearMemory): GroupKernel {
  let kernel = kernels.get(memory)
  if (kernel === undefined) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.memory } })
    kernel = exports as object as GroupKernel
    kernels.set(memory, kernel)
  }
  return kernel
}

export const LAYOUT_BYTES_MIN = 144

/**
 * Writes the layout block that the kernels read, `LAYOUT_BYTES_MIN + 4 * values` bytes; each key's offset in the entry.
 */
export function writeLayout(
  memory: LinearMemory,
  at: Pointer,
  keys: readonly DataType[],
  values: readonly ('i64' | 'f64' | 'bytes')[],
): { readonly keyOffsets: readonly number[]; readonly valueStart: number } {
  let offset = 8
  const keyOffsets: number[] = []
  keys.forEach((type, index) => {
    const kind = KEY_KIND[layoutOf(type)]
    keyOffsets.push(offset)
    memory.u32[at / 4 + 4 + 2 * index] = kind
    memory.u32[at / 4 + 5 + 2 * index] = offset
    offset += kind === KEY_KIND.i128 ? 16 : 8
  })
  values.forEach((value, index) => {
    memory.u32[at / 4 + 36 + index] = KEY_KIND[value]
  })
  // A free entry keeps its successor in cell 8.
  const entryBytes = Math.max(offset + 8 * values.length, 16)
  memory.u32.set([keys.length, values.length, entryBytes, offset], at / 4)
  return { keyOffsets, valueStart: offset }
}

/** How a cell is compared and copied, by its layout. */
export const KEY_KIND = { i64: 0, f64: 1, bytes: 2, i128: 3, row: 0 } as const

/** A reusable hasher of keys of these types, for the exchange: writes u32 a selected row to `out`. */
export function keyHasher(
  memory: LinearMemory,
  types: readonly DataType[],
): (keys: readonly Vector[], selection: Pointer, count: number, out: Pointer) => void {
  const kernel = groupKernel(memory)
  const flat = flatKeys(memory, types)
  const layout = memory.allocate(LAYOUT_BYTES_MIN)
  writeLayout(memory, layout, flat.types, [])
  const columns = memory.allocate(128)
  return (keys, selection, count, out) => {
    writeColumns(memory, columns, flat.flatten(keys, selection, count))
    kernel.hashKeys(layout, columns, selection, count, out)
  }
}

export function writeColumns(
  memory: LinearMemory,
  at: Pointer,
  keys: readonly { readonly cells: Pointer; readonly validity: Pointer }[],
): void {
  for (let index = 0; index < keys.length; index++) {
    memory.u32[at / 4 + 2 * index] = keys[index]!.cells
    memory.u32[at / 4 + 2 * index + 1] = keys[index]!.validity
  }
}
