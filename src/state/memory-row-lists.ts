/** The row lists of row-lists.ts over one linear memory: rows lie in chunks and know the head of their list (list-heads.ts). */
import type { Batch, Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { type DataType, layoutOf, types } from '../data/types.ts'
import { invariant } from '../errors.ts'
import { flatKeys } from '../kernels/flat-keys.ts'
import {
  EXTRAS_OFFSET,
  type Leaf,
  type RowsKernel,
  type RowsLayout,
  rowsKernel,
  rowsLayout,
  writeRowsLayout,
} from '../kernels/rows.ts'
import type { KeyedRows, KeyedTable } from './keyed-table.ts'
import { cellsOffset, type HeadsLayout, headsLayout, type ListHeads } from './list-heads.ts'
import { keyedTables } from './memory-table.ts'
import { mayWait, type RecordPieces, writeRecords } from './record-pieces.ts'
import type { Pairs, RowLists, RowListsLayout } from './row-lists.ts'
import { restoreRows } from './row-lists-restore.ts'
import { RowRoom } from './row-room.ts'
import type { EntrySink, TableSource } from './state-stream.ts'
import { schemaChanged } from './table-errors.ts'

/** Of an entry, in u32s. */
const NEXT = 2
const PREVIOUS = 3
/** In i64s. */
const NUMBER = 2
/** Of a head's own cells, in u32s. */
const FIRST = 0
const LAST = 1
const COUNT = 2

const RECORDS_BYTES = 1 << 20
/** As many rows as a batch may have, in bits. */
const NONE_VALID_BYTES = 8192

/** What stores of one layout share. */
interface Maker {
  readonly memory: LinearMemory
  readonly kernel: RowsKernel
  readonly layout: RowListsLayout
  readonly rows: RowsLayout
  readonly layoutBlock: Pointer
  /** Without ROWs. */
  readonly keys: readonly DataType[]
  /** Restores find entries by these keys and their number. */
  readonly index: () => KeyedTable
  readonly cellsOffset: number
  /** For a call: (u32 cells, u32 validity) a leaf. */
  readonly columns: Pointer
  readonly schema: string
}

/**
 * A maker of row lists of one layout over `memory`: make it once, then lists are cheap.
 * @throws INVARIANT_BROKEN for more than KEYS_MAX - 1 keys, the fields of a ROW counted
 */
export function rowLists(memory: LinearMemory, layout: RowListsLayout): () => RowLists {
  const heads = headsLayout(memory, layout.keys, 1)
  const maker = makerOf(memory, layout, heads, 0)
  return () => new MemoryRowLists(maker, heads.make())
}

/** Row lists of their own. */
export function memoryRowLists(memory: LinearMemory, layout: RowListsLayout): RowLists {
  return rowLists(memory, layout)()
}

/** Two stores of rows with the same keys: a key's list has the same address in both, and is looked up once. */
export function pairedRowLists(
  memory: LinearMemory,
  keys: readonly DataType[],
  layouts: readonly [Omit<RowListsLayout, 'keys'>, Omit<RowListsLayout, 'keys'>],
): () => readonly [RowLists, RowLists] {
  const heads = headsLayout(memory, keys, 2)
  const left = makerOf(memory, { keys, ...layouts[0] }, heads, 0)
  const right = makerOf(memory, { keys, ...layouts[1] }, heads, 1)
  return () => {
    const shared = heads.make()
    return [new MemoryRowLists(left, shared), new MemoryRowLists(right, shared)]
  }
}

function makerOf(
  memory: LinearMemory,
  layout: RowListsLayout,
  heads: HeadsLayout,
  side: number,
): Maker {
  const rows = rowsLayout(layout.row, layout.extras)
  const { types: keys } = flatKeys(memory, layout.keys)
  const offset = cellsOffset(heads.cellsStart, side)
  const layoutBlock = memory.allocate(32 + 8 * rows.leafCount)
  writeRowsLayout(memory, layoutBlock, rows, { layout: heads.layoutBlock, cellsOffset: offset })
  return {
    memory,
    kernel: rowsKernel(memory),
    layout,
    rows,
    layoutBlock,
    index: keyedTables(memory, { keys: [...keys, types.bigint], values: ['i64'] }),
    keys,
    cellsOffset: offset,
    columns: memory.allocate(Math.max(8 * rows.leafCount, 8)),
    schema: `rows 1 ${keys.map(layoutOf).join(',')};${rows.schema}`,
  }
}

class MemoryRowLists implements RowLists {
  readonly layout: RowListsLayout
  readonly #maker: Maker
  readonly #room: RowRoom
  readonly #store: Pointer
  readonly #heads: ListHeads
  #isKnown = false

  constructor(maker: Maker, heads: ListHeads) {
    this.layout = maker.layout
    this.#maker = maker
    this.#heads = heads
    this.#room = new RowRoom(maker.memory, maker.layoutBlock, maker.rows)
    this.#store = this.#room.store
  }

  get size(): number {
    return this.#room.liveCount
  }

  get bytesUsed(): number {
    return this.#room.bytesUsed + this.#heads.table.bytesUsed
  }

  lists(rows: KeyedRows, lists: Pointer): void {
    this.#heads.lists(rows, lists)
  }

  find(rows: KeyedRows, lists: Pointer): void {
    this.#heads.table.find(rows, lists)
  }

  append(batch: Batch, lists: Pointer, entries: Pointer): void {
    const { kernel, columns } = this.#maker
    const { selection, count } = batch
    this.#writeLeaves(batch.columns)
    let at = 0
    while (true) {
      at = kernel.appendRows(this.#store, columns, selection, at, count, lists, entries)
      if (at >= count) return
      this.#room.make()
    }
  }

  place(list: Pointer, entry: Pointer, before: Pointer): void {
    const cells = (list + this.#maker.cellsOffset) / 4
    const { u32 } = this.#maker.memory
    const join = (left: Pointer, right: Pointer): void => {
      u32[left === 0 ? cells + FIRST : left / 4 + NEXT] = right
      u32[right === 0 ? cells + LAST : right / 4 + PREVIOUS] = left
    }
    if (before === entry) return
    if (this.#isDetached(entry)) u32[cells + COUNT]!++
    else join(this.previous(entry), this.next(entry))
    const previous = before === 0 ? this.last(list) : this.previous(before)
    join(previous, entry)
    join(entry, before)
  }

  detach(entry: Pointer): void {
    const { u32 } = this.#maker.memory
    const cells = (this.listOf(entry) + this.#maker.cellsOffset) / 4
    const [previous, next] = [this.previous(entry), this.next(entry)]
    u32[previous === 0 ? cells + FIRST : previous / 4 + NEXT] = next
    u32[next === 0 ? cells + LAST : next / 4 + PREVIOUS] = previous
    u32[cells + COUNT]!--
    // Its own neighbour: what no entry of a list is.
    u32[entry / 4 + NEXT] = entry
    u32[entry / 4 + PREVIOUS] = entry
  }

  first(list: Pointer): Pointer {
    return this.#ofList(list, FIRST)
  }

  last(list: Pointer): Pointer {
    return this.#ofList(list, LAST)
  }

  next(entry: Pointer): Pointer {
    return this.#maker.memory.u32[entry / 4 + NEXT]!
  }

  previous(entry: Pointer): Pointer {
    return this.#maker.memory.u32[entry / 4 + PREVIOUS]!
  }

  count(list: Pointer): number {
    return this.#ofList(list, COUNT)
  }

  lengthsBefore({ kinds, selection, count }: Batch, lists: Pointer, lengths: Pointer): void {
    this.#maker.kernel.lengthsBefore(this.#store, lists, kinds, selection, count, lengths)
  }

  isOlder(entry: Pointer, than: Pointer): boolean {
    const { i64 } = this.#maker.memory
    return i64[entry / 8 + NUMBER]! < i64[than / 8 + NUMBER]!
  }

  listOf(entry: Pointer): Pointer {
    return this.#maker.memory.u32[entry / 4]!
  }

  equal(
    list: Pointer,
    columns: readonly Vector[],
    row: number,
    from: Pointer = this.first(list),
  ): Pointer {
    this.#writeLeaves(columns)
    return this.#maker.kernel.findEqual(this.#store, from, this.#maker.columns, row)
  }

  beginning(list: Pointer, columns: readonly Vector[], row: number): Pointer {
    const { kernel, rows, columns: at } = this.#maker
    const leaves = rows.leaves[columns.length]?.index ?? rows.leafCount
    this.#writeLeaves(columns, leaves)
    return kernel.findBeginning(this.#store, this.first(list), at, row, leaves)
  }

  equals(entry: Pointer, columns: readonly Vector[], row: number): boolean {
    const { kernel, layoutBlock, columns: at } = this.#maker
    this.#writeLeaves(columns)
    return kernel.equalEntry(layoutBlock, at, row, entry) !== 0
  }

  pairs(lists: Pointer, count: number, from: Pairs, positions: Pointer, entries: Pointer): Pairs {
    const { kernel } = this.#maker
    const { position, entry, max } = from
    const to = [positions, entries, max] as const
    const written = kernel.pairUp(this.#store, lists, count, position, entry, ...to)
    return {
      position: kernel.pairPosition.value,
      entry: kernel.pairEntry.value >>> 0,
      max,
      count: written,
    }
  }

  extraOffset(index: number): number {
    return EXTRAS_OFFSET + 8 * index
  }

  cellOffset(index: number): number {
    return this.#maker.rows.leaves[index]!.offset
  }

  isNull(entry: Pointer, column: number): boolean {
    const { memory, rows } = this.#maker
    const { index } = rows.leaves[column]!
    const word = memory.u32[(entry + rows.masksOffset) / 4 + (index >> 5)]!
    return ((word >>> (index & 31)) & 1) === 1
  }

  markDirty(entry: Pointer): void {
    while (this.#maker.kernel.touchRow(this.#store, entry) === 0) this.#room.make()
  }

  columnsOf(entries: Pointer, count: number): readonly Vector[] {
    return this.#maker.rows.leaves.map((leaf) => this.#gather(entries, count, leaf))
  }

  columnOf(entries: Pointer, count: number, column: number): Vector {
    return this.#gather(entries, count, this.#maker.rows.leaves[column]!)
  }

  remove(entry: Pointer): void {
    const head = this.listOf(entry)
    // The kernel counts it out of its list.
    if (this.#isDetached(entry))
      this.#maker.memory.u32[(head + this.#maker.cellsOffset) / 4 + COUNT]!++
    while (true) {
      const result = this.#maker.kernel.removeRow(this.#store, entry)
      if (result === 2) this.#heads.waits(head)
      if (result !== 0) return
      this.#room.make()
    }
  }

  scan(cursor: number, lists: Pointer, max: number): { next: number; count: number } {
    const { next, count } = this.#heads.table.scan(cursor, lists, max)
    const { u32 } = this.#maker.memory
    let held = 0
    for (let at = 0; at < count; at++) {
      const list = u32[lists / 4 + at]!
      if (this.count(list) > 0) u32[lists / 4 + held++] = list
    }
    return { next, count: held }
  }

  keysOf(lists: Pointer, count: number): readonly Vector[] {
    return this.#heads.table.keysOf(lists, count)
  }

  writeChanges(sink: EntrySink): void {
    const { memory, kernel, schema } = this.#maker
    sink.schema(schema)
    if (sink.isWhole) {
      const encode: RecordPieces['encode'] = (...range) => kernel.encodeLive(this.#store, ...range)
      writeRecords(sink, { memory, kernel, encode, ...this.#room.whole() })
      return
    }
    if (mayWait(sink, this.#room.dirty())) return
    if (!this.#isKnown) sink.replace()
    this.#isKnown = true
    const mark = memory.arena.mark()
    for (const { start, end } of this.#room.dirty()) this.#writeDirty(sink, start, end)
    memory.arena.release(mark)
    this.#room.clearDirty()
  }

  restore(source: TableSource): void {
    const { memory, kernel, schema, keys, index, cellsOffset } = this.#maker
    invariant(this.size === 0, 'only empty row lists are restored')
    if (source.schema !== schema) throw schemaChanged(source.schema, schema)
    restoreRows(source, {
      memory,
      kernel,
      keys,
      store: this.#store,
      index: index(),
      heads: this.#heads.table,
      cellsOffset,
      makeRoom: () => this.#room.make(),
    })
    if (!source.continues) return
    this.#isKnown = true
    for (const { start, end } of this.#room.dirty()) kernel.settleDirty(start, end)
    this.#room.clearDirty()
  }

  dispose(): void {
    this.#heads.dispose()
    this.#room.dispose()
  }

  #gather(entries: Pointer, count: number, { type, index, children }: Leaf): Vector {
    const { memory, kernel, layoutBlock } = this.#maker
    const layout = layoutOf(type)
    const bytes = layout === 'row' ? 0 : layout === 'i128' ? 16 : 8
    const cells = bytes === 0 ? 0 : memory.arena.allocate(bytes * count)
    const bitmap = memory.arena.allocateCleared((count + 7) >> 3)
    const nulls = kernel.gatherLeaf(layoutBlock, entries, count, index, cells, bitmap)
    const validity = nulls === 0 ? 0 : bitmap
    if (layout !== 'row') return { type, cells, validity }
    const fields = children.map((child) => this.#gather(entries, count, child))
    return { type, cells, validity, children: fields }
  }

  #writeLeaves(columns: readonly Vector[], leafCount = this.#maker.rows.leafCount): void {
    const { memory, columns: at } = this.#maker
    let leaf = 0
    const write = ({ type, cells, validity, children }: Vector): void => {
      // A bare NULL has no bitmap that says so.
      const isNull = validity === 0 && type.kind === 'null'
      const valid = isNull ? memory.arena.allocateCleared(NONE_VALID_BYTES) : validity
      memory.u32.set([cells, valid], at / 4 + 2 * leaf++)
      children?.forEach(write)
    }
    for (const column of columns) write(column)
    invariant(leaf === leafCount, 'rows have the columns of their layout')
  }

  #writeDirty(sink: EntrySink, start: Pointer, end: Pointer): void {
    const { memory, kernel } = this.#maker
    let room = RECORDS_BYTES
    let out = memory.arena.allocate(room)
    let [at, sweep] = [start, start]
    while (at < end) {
      const written = kernel.encodeRows(this.#store, at, end, out, out + room, sweep)
      at = kernel.listAt.value >>> 0
      sweep = kernel.sweepEnd.value >>> 0
      if (written > out) sink.records(memory.u8.subarray(out, written), kernel.recordCount.value)
      if (written > out || at >= end) continue
      room = this.#room.amount
      out = memory.arena.allocate(room)
    }
    for (at = start; at < sweep; at += 4) this.#heads.waits(memory.u32[at / 4]!)
  }

  #isDetached(entry: Pointer): boolean {
    return this.#maker.memory.u32[entry / 4 + NEXT] === entry
  }

  #ofList(list: Pointer, field: number): number {
    return this.#maker.memory.u32[(list + this.#maker.cellsOffset) / 4 + field]!
  }
}
