/** Rows in lists by key: layouts stand in rows/store.as.ts, records in rows/codec.as.ts. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { type DataType, layoutOf } from '../data/types.ts'
import { wasmBase64 } from './rows.generated.ts'

export interface RowsKernel {
  /** `columns`: (u32 cells, u32 validity) a leaf. Returns the position at which room is needed, or `count`. */
  appendRows(
    store: Pointer,
    columns: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    lists: Pointer,
    entries: Pointer,
  ): number
  /** 0: the dirty list is full. */
  touchRow(store: Pointer, entry: Pointer): number
  /** 0: the dirty list is full. 1: done. 2: the list became empty and is to be swept. */
  removeRow(store: Pointer, entry: Pointer): number
  gatherLeaf(
    layout: Pointer,
    entries: Pointer,
    count: number,
    leaf: number,
    cells: Pointer,
    validity: Pointer,
  ): number
  /** Cells of `words` x 8 bytes by row; row 0xffffffff is NULL. How many are. */
  gatherRows(
    cells: Pointer,
    validity: Pointer,
    rows: Pointer,
    count: number,
    words: number,
    out: Pointer,
    outValidity: Pointer,
  ): number
  /** From entry `from` of a list on; 0: the list is empty. */
  /** As findEqual, by the first `leaves` leaves. */
  findBeginning(
    store: Pointer,
    entry: Pointer,
    columns: Pointer,
    row: number,
    leaves: number,
  ): Pointer
  /** 0: not equal. */
  equalEntry(layout: Pointer, columns: Pointer, row: number, entry: Pointer): number
  /** Pairs whose times are apart by [lower, upper] come to the front; how many. */
  keepWithin(
    positions: Pointer,
    rows: Pointer,
    entries: Pointer,
    count: number,
    times: Pointer,
    timeOffset: number,
    lower: bigint,
    upper: bigint,
    isLeft: number,
  ): number
  findEqual(store: Pointer, from: Pointer, columns: Pointer, row: number): Pointer
  pairUp(
    store: Pointer,
    lists: Pointer,
    count: number,
    position: number,
    entry: Pointer,
    positions: Pointer,
    entries: Pointer,
    max: number,
  ): number
  lengthsBefore(
    store: Pointer,
    lists: Pointer,
    kinds: Pointer,
    selection: Pointer,
    count: number,
    out: Pointer,
  ): void
  readonly pairPosition: { readonly value: number }
  readonly pairEntry: { readonly value: Pointer }
  encodeRows(
    store: Pointer,
    list: Pointer,
    listEnd: Pointer,
    out: Pointer,
    outEnd: Pointer,
    sweep: Pointer,
  ): Pointer
  encodeLive(store: Pointer, from: Pointer, end: Pointer, out: Pointer, outEnd: Pointer): Pointer
  settleDirty(list: Pointer, listEnd: Pointer): void
  decodeKeys(
    store: Pointer,
    from: Pointer,
    end: Pointer,
    groupStart: number,
    groupEnd: number,
    columns: Pointer,
    values: Pointer,
    max: number,
    sliceMask: number,
    sliceValue: number,
  ): Pointer
  applyValues(
    store: Pointer,
    places: Pointer,
    numbers: Pointer,
    values: Pointer,
    from: number,
    count: number,
  ): number
  /** `counts` is 1024 bytes. */
  sortPairs(pairs: Pointer, other: Pointer, count: number, counts: Pointer): Pointer
  linkPairs(store: Pointer, pairs: Pointer, count: number): void
  readonly listAt: { readonly value: Pointer }
  readonly recordCount: { readonly value: number }
  readonly sweepEnd: { readonly value: Pointer }
}

const module = new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
const kernels = new WeakMap<LinearMemory, RowsKernel>()

/** The one instance over `memory`. */
export function rowsKernel(memory: LinearMemory): RowsKernel {
  let kernel = kernels.get(memory)
  if (kernel === undefined) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.memory } })
    const made = exports as object as RowsKernel
    kernel = {
      ...made,
      findEqual: (...given) => made.findEqual(...given) >>> 0,
      findBeginning: (...given) => made.findBeginning(...given) >>> 0,
      encodeRows: (...given) => made.encodeRows(...given) >>> 0,
      decodeKeys: (...given) => made.decodeKeys(...given) >>> 0,
      sortPairs: (...given) => made.sortPairs(...given) >>> 0,
    }
    kernels.set(memory, kernel)
  }
  return kernel
}

/** A column or field, as the kernels know it. */
export interface Leaf {
  readonly type: DataType
  readonly index: number
  /** Of its cell in the entry; of a ROW, of the cell behind it. */
  readonly offset: number
  readonly children: readonly Leaf[]
}

export interface RowsLayout {
  /** One a column. */
  readonly leaves: readonly Leaf[]
  readonly leafCount: number
  readonly masksOffset: number
  readonly entryBytes: number
  readonly hasBytes: boolean
  /** The shape of values, for checkpoints. */
  readonly schema: string
}

export const EXTRAS_OFFSET = 24
const KIND = { i64: 0, f64: 1, bytes: 2, i128: 3, row: 4 } as const

/** Places extras, masks and cells. */
export function rowsLayout(row: readonly DataType[], extras: number): RowsLayout {
  const leafCount = row.reduce((sum, type) => sum + leavesOf(type), 0)
  const masksOffset = EXTRAS_OFFSET + 8 * extras
  const kinds: string[] = []
  let offset = masksOffset + 8 * Math.ceil(leafCount / 64)
  const leafOf = (type: DataType): Leaf => {
    const layout = layoutOf(type)
    const leaf = { type, index: kinds.length, offset }
    kinds.push(layout)
    if (layout !== 'row') offset += layout === 'i128' ? 16 : 8
    const children = type.kind === 'row' ? type.fields.map((field) => leafOf(field.type)) : []
    return { ...leaf, children }
  }
  const leaves = row.map(leafOf)
  return {
    leaves,
    leafCount,
    masksOffset,
    entryBytes: offset,
    hasBytes: kinds.includes('bytes'),
    schema: `${extras};${kinds.join(',')}`,
  }
}

/** Writes the block that the kernels read: 32 bytes and 8 a leaf. */
export function writeRowsLayout(
  memory: LinearMemory,
  at: Pointer,
  layout: RowsLayout,
  heads: { readonly layout: Pointer; readonly cellsOffset: number },
): void {
  const { u32 } = memory
  const { leafCount, masksOffset, entryBytes } = layout
  const maskWords = Math.ceil(leafCount / 64)
  const extras = (masksOffset - EXTRAS_OFFSET) / 8
  const head = [leafCount, extras, entryBytes, masksOffset, maskWords]
  u32.set([...head, heads.cellsOffset, heads.layout], at / 4)
  const write = ({ type, index, offset, children }: Leaf): void => {
    const kind = KIND[layoutOf(type)]
    const place = at / 4 + 8 + 2 * index
    u32.set([kind, kind === KIND.row ? leavesOf(type) - 1 : offset], place)
    for (const child of children) write(child)
  }
  for (const leaf of layout.leaves) write(leaf)
}

function leavesOf(type: DataType): number {
  return type.kind === 'row' ? type.fields.reduce((sum, each) => sum + leavesOf(each.type), 1) : 1
}
