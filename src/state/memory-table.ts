/** The keyed table of keyed-table.ts over one linear memory: it gives the kernels room, piece by piece, and takes it back whole. */
import type { Vector } from '../data/batch.ts'
import { type LinearMemory, OVERREAD_BYTES, type Pointer } from '../data/memory.ts'
import { layoutOf } from '../data/types.ts'
import { invariant } from '../errors.ts'
import { aggregateKernel } from '../kernels/aggregate.ts'
import { type FlatKeys, flatKeys } from '../kernels/flat-keys.ts'
import {
  type GroupKernel,
  groupKernel,
  LAYOUT_BYTES_MIN,
  NEED,
  writeColumns,
  writeLayout,
} from '../kernels/group.ts'
import { KEYS_MAX, type KeyedRows, type KeyedTable, type KeyedTableLayout } from './keyed-table.ts'
import { mayWait, type Piece, writeRecords } from './record-pieces.ts'
import { ALL_KEYS, type EntrySink, type TableSource } from './state-stream.ts'
import { blockBytes, FIELD, INLINE_DIRECTORY_BYTES, INLINE_SUB_BYTES } from './table-block.ts'
import { badRecord, schemaChanged } from './table-errors.ts'

const TABLE_BITS = 9
const SUB_BITS_MIN = 10
const SUB_BITS_MAX = 18
const CHUNK_BITS_MIN = 9
const CHUNK_BITS_MAX = 20
const DIRTY_BITS_MIN = 7
const DIRTY_BITS_MAX = 18
const SLAB_HEAD_BYTES = 8 + 4 * 64
const SCRATCH_BYTES = 512

interface Block {
  readonly pointer: Pointer
  readonly bytes: number
}

/** What tables of one layout share: make it once, then tables are cheap. */
interface Maker {
  readonly memory: LinearMemory
  readonly kernel: GroupKernel
  readonly layout: KeyedTableLayout
  readonly flat: FlatKeys
  readonly layoutBlock: Pointer
  readonly entryBytes: number
  readonly keyOffsets: readonly number[]
  readonly valueStart: number
  readonly hasBytes: boolean
  /** One key whose cell is compared as it is. */
  readonly isPlainKey: boolean
  /** Columns for a call, and the scratch of a restore. */
  readonly columns: Pointer
  readonly schema: string
}

/**
 * A maker of tables of one layout over `memory`; a table costs two small blocks until it has more than ten keys.
 * @throws INVARIANT_BROKEN for more than KEYS_MAX keys, the fields of a ROW and the ROW itself counted
 */
export function keyedTables(memory: LinearMemory, layout: KeyedTableLayout): () => KeyedTable {
  const flat = flatKeys(memory, layout.keys)
  invariant(flat.types.length <= KEYS_MAX, `a key has at most ${KEYS_MAX} columns`)
  const kinds = flat.types.map(layoutOf)
  const layoutBlock = memory.allocate(LAYOUT_BYTES_MIN + 4 * layout.values.length)
  const { keyOffsets, valueStart } = writeLayout(memory, layoutBlock, flat.types, layout.values)
  const maker: Maker = {
    memory,
    kernel: groupKernel(memory),
    layout,
    flat,
    layoutBlock,
    entryBytes: memory.u32[layoutBlock / 4 + 2]!,
    keyOffsets,
    valueStart,
    hasBytes: kinds.includes('bytes') || layout.values.includes('bytes'),
    isPlainKey: kinds.length === 1 && kinds[0] === 'i64',
    columns: memory.allocate(SCRATCH_BYTES),
    schema: `1 ${kinds.join(',')};${layout.values.join(',')}`,
  }
  return () => new MemoryTable(maker)
}

class MemoryTable implements KeyedTable {
  readonly layout: KeyedTableLayout
  readonly #maker: Maker
  readonly #table: Pointer
  readonly #chunks: Block[] = []
  readonly #dirty: Block[] = []
  readonly #slab: Block[] = []
  #directory: Block | undefined
  #bytes = 0
  /** True once a checkpoint holds the table: then only changes are written. */
  #isKnown = false

  constructor(maker: Maker) {
    this.layout = maker.layout
    this.#maker = maker
    this.#table = this.#allocate(blockBytes(TABLE_BITS))
    const { memory, kernel } = maker
    const at = this.#table / 4
    memory.u32.fill(0, at, at + INLINE_SUB_BYTES / 4)
    const sub = this.#table + INLINE_SUB_BYTES
    const slots = (blockBytes(TABLE_BITS) - INLINE_SUB_BYTES - 16) / 8
    kernel.initialiseSub(sub, slots, 0)
    memory.u32[at + FIELD.directory] = this.#table + INLINE_DIRECTORY_BYTES
    memory.u32[at + FIELD.layout] = maker.layoutBlock
    memory.u32[at + INLINE_DIRECTORY_BYTES / 4] = sub
    memory.u32[at + INLINE_DIRECTORY_BYTES / 4 + 1] = slots
    if (maker.hasBytes) this.#startSlab()
  }

  get keyCount(): number {
    return this.layout.keys.length
  }

  get size(): number {
    return this.#read(FIELD.liveCount)
  }

  get bytesUsed(): number {
    return this.#bytes
  }

  keyOffset(index: number): number {
    return this.#maker.keyOffsets[this.#maker.flat.startOf(index)]!
  }

  valueOffset(index: number): number {
    return this.#maker.valueStart + 8 * index
  }

  upsert({ count, selection, keys: given }: KeyedRows, entries: Pointer): number {
    const { memory, kernel, isPlainKey, columns, flat } = this.#maker
    const keys = flat.flatten(given, selection, count)
    this.#set(FIELD.inserted, 0)
    const fast = isPlainKey && keys[0]!.validity === 0
    if (!fast) writeColumns(memory, columns, keys)
    const upsert = fast ? kernel.upsertOne : kernel.upsertMany
    const from = fast ? keys[0]!.cells : columns
    let at = 0
    while (true) {
      at = upsert(this.#table, from, selection, at, count, entries)
      if (at >= count) return this.#read(FIELD.inserted)
      this.#makeRoom()
    }
  }

  count(rows: KeyedRows, valueIndex: number): number {
    const { memory, kernel, isPlainKey } = this.#maker
    const offset = this.valueOffset(valueIndex)
    const { count, selection, keys } = rows
    if (isPlainKey && keys[0]!.validity === 0) {
      this.#set(FIELD.inserted, 0)
      for (let at = 0; ; this.#makeRoom()) {
        at = kernel.countOne(this.#table, keys[0]!.cells, selection, at, count, offset)
        if (at >= count) return this.#read(FIELD.inserted)
      }
    }
    const entries = memory.arena.allocate(4 * count)
    const inserted = this.upsert(rows, entries)
    aggregateKernel(memory).addCount(entries, count, offset, 1n)
    return inserted
  }

  find({ count, selection, keys }: KeyedRows, entries: Pointer): void {
    const { memory, kernel, columns, flat } = this.#maker
    writeColumns(memory, columns, flat.flatten(keys, selection, count))
    kernel.find(this.#table, columns, selection, count, entries)
  }

  scan(cursor: number, entries: Pointer, max: number): { next: number; count: number } {
    const { kernel, entryBytes } = this.#maker
    // A cursor is chunk * 2^21 + byte offset in the chunk.
    let chunk = Math.floor(cursor / 2 ** 21)
    let offset = cursor % 2 ** 21
    let count = 0
    for (; chunk < this.#chunks.length; chunk++, offset = 0) {
      const { start, end } = this.#entriesOf(chunk)
      const to = entries + 4 * count
      count += kernel.scanEntries(start + offset, end, entryBytes, to, max - count)
      const stopped = kernel.scanAt.value
      if (stopped < end) return { next: chunk * 2 ** 21 + (stopped - start), count }
    }
    return { next: -1, count }
  }

  keysOf(entries: Pointer, count: number): readonly Vector[] {
    const { memory, kernel, keyOffsets, flat } = this.#maker
    const vectors = flat.types.map((type, index) => {
      const wide = layoutOf(type) === 'i128'
      const cells = memory.arena.allocate((wide ? 16 : 8) * count)
      kernel.gatherCells(entries, count, keyOffsets[index]!, wide ? 1 : 0, cells)
      const validity = memory.arena.allocateCleared((count + 7) >> 3)
      const nulls = kernel.gatherValidity(entries, count, index, validity)
      return { type, cells, validity: nulls === 0 ? 0 : validity }
    })
    return flat.rebuild(vectors)
  }

  setBytes(entry: Pointer, valueIndex: number, address: Pointer, bytes: number): void {
    const cell = entry + this.valueOffset(valueIndex)
    while (!this.#maker.kernel.setBytes(this.#table, cell, address, bytes)) this.#makeRoom()
  }

  markDirty(entries: Pointer, count: number): void {
    let at = 0
    while (true) {
      at = this.#maker.kernel.markDirty(this.#table, entries, at, count)
      if (at >= count) return
      this.#makeRoom()
    }
  }

  remove(entry: Pointer): void {
    while (!this.#maker.kernel.removeEntry(this.#table, entry)) this.#makeRoom()
  }

  writeChanges(sink: EntrySink): void {
    sink.schema(this.#maker.schema)
    if (sink.isWhole) {
      const live = this.#chunks.map((_, chunk) => this.#entriesOf(chunk))
      this.#write('encodeLive', live, sink)
      return
    }
    const changed = this.#dirtyLists()
    if (mayWait(sink, changed)) return
    if (!this.#isKnown) sink.replace()
    this.#isKnown = true
    this.#write('encodeDirty', changed, sink)
    this.#clearDirty()
  }

  restore(source: TableSource): void {
    const { memory, kernel, schema, columns, flat } = this.#maker
    invariant(this.size === 0, 'only an empty table is restored')
    if (source.schema !== schema) throw schemaChanged(source.schema, schema)
    const { groupStart, groupEnd, slice: { mask, value, keys } = ALL_KEYS } = source
    const hashed = keys === undefined ? flat.types.length : flat.startOf(keys)
    const owned = [groupStart, groupEnd, columns, mask, value, hashed] as const
    source.read((records) => {
      const mark = memory.arena.mark()
      let at = memory.arena.allocate(records.length)
      memory.u8.set(records, at)
      const end = at + records.length
      while (true) {
        at = kernel.restoreRecords(this.#table, at, end, ...owned)
        if (at >= end) break
        this.#makeRoom()
      }
      memory.arena.release(mark)
    })
    if (!source.continues) return
    this.#isKnown = true
    for (const { start, end } of this.#dirtyLists()) kernel.settleDirty(start, end)
    this.#clearDirty()
  }

  dispose(): void {
    const { memory } = this.#maker
    for (const sub of this.#subs()) memory.free(sub.pointer, sub.bytes)
    const blocks = [...this.#chunks, ...this.#dirty, ...this.#slab]
    if (this.#directory !== undefined) blocks.push(this.#directory)
    for (const { pointer, bytes } of blocks) memory.free(pointer, bytes)
    memory.free(this.#table, blockBytes(TABLE_BITS))
    this.#bytes = 0
  }

  #entriesOf(chunk: number): Piece {
    const { entryBytes } = this.#maker
    const { pointer: start, bytes } = this.#chunks[chunk]!
    const isLast = chunk === this.#chunks.length - 1
    const whole = start + Math.floor(bytes / entryBytes) * entryBytes
    return { start, end: isLast ? this.#read(FIELD.bump) : whole }
  }

  #write(encode: 'encodeLive' | 'encodeDirty', pieces: readonly Piece[], sink: EntrySink): void {
    const { memory, kernel } = this.#maker
    writeRecords(sink, {
      memory,
      kernel,
      pieces,
      encode: (...range) => kernel[encode](this.#table, ...range),
      needed: () => this.#read(FIELD.needAmount),
    })
  }

  #makeRoom(): void {
    const kind = this.#read(FIELD.needKind)
    if (kind === NEED.entries) this.#addChunk()
    else if (kind === NEED.dirty) this.#addDirty()
    else if (kind === NEED.slab) this.#addSlab(this.#read(FIELD.needAmount))
    else if (kind === NEED.slots) this.#addSlots(this.#read(FIELD.needAmount))
    else throw badRecord(kind)
  }

  #addChunk(): void {
    const bits = Math.min(CHUNK_BITS_MIN + this.#chunks.length, CHUNK_BITS_MAX)
    const bytes = Math.max(blockBytes(bits), this.#maker.entryBytes)
    const pointer = this.#allocate(bytes)
    this.#chunks.push({ pointer, bytes })
    this.#set(FIELD.bump, pointer)
    this.#set(FIELD.bumpEnd, pointer + bytes)
  }

  #addDirty(): void {
    const bytes = blockBytes(Math.min(DIRTY_BITS_MIN + this.#dirty.length, DIRTY_BITS_MAX))
    const pointer = this.#allocate(bytes)
    this.#dirty.push({ pointer, bytes })
    this.#set(FIELD.dirtyAt, pointer)
    this.#set(FIELD.dirtyEnd, pointer + bytes)
  }

  #dirtyLists(): Piece[] {
    return this.#dirty.map(({ pointer: start, bytes }, index) => {
      const isLast = index === this.#dirty.length - 1
      return { start, end: isLast ? this.#read(FIELD.dirtyAt) : start + bytes }
    })
  }

  #clearDirty(): void {
    for (const block of this.#dirty.splice(1)) this.#release(block)
    const first = this.#dirty[0]
    if (first === undefined) return
    this.#set(FIELD.dirtyAt, first.pointer)
    this.#set(FIELD.dirtyEnd, first.pointer + first.bytes)
  }

  #startSlab(): void {
    const pointer = this.#allocate(SLAB_HEAD_BYTES)
    this.#maker.memory.u8.fill(0, pointer, pointer + SLAB_HEAD_BYTES)
    this.#slab.push({ pointer, bytes: SLAB_HEAD_BYTES })
    this.#set(FIELD.slab, pointer)
  }

  #addSlab(least: number): void {
    const bits = Math.min(CHUNK_BITS_MIN + this.#slab.length, CHUNK_BITS_MAX)
    const bytes = Math.max(blockBytes(bits), least)
    const pointer = this.#allocate(bytes)
    this.#slab.push({ pointer, bytes })
    this.#maker.memory.u32.set([pointer, pointer + bytes], this.#read(FIELD.slab) / 4)
  }

  #addSlots(index: number): void {
    const { memory, kernel } = this.#maker
    const old = this.#sub(index)
    const bits = old.isInline ? SUB_BITS_MIN : Math.log2(old.bytes + OVERREAD_BYTES) + 1
    const bytes = blockBytes(Math.min(bits, SUB_BITS_MAX))
    const slots = (bytes - 16) / 8
    if (bits <= SUB_BITS_MAX) {
      kernel.growSub(this.#table, index, this.#allocate(bytes), slots)
    } else {
      if (memory.u32[old.pointer / 4 + 1] === this.#read(FIELD.depth)) this.#growDirectory()
      kernel.splitSub(this.#table, index, this.#allocate(bytes), this.#allocate(bytes), slots)
    }
    if (!old.isInline) this.#release(old)
  }

  #growDirectory(): void {
    const bytes = 16 * (this.#read(FIELD.mask) + 1)
    const pointer = this.#allocate(bytes)
    this.#maker.kernel.growDirectory(this.#table, pointer)
    if (this.#directory !== undefined) this.#release(this.#directory)
    this.#directory = { pointer, bytes }
  }

  #sub(index: number): Block & { readonly isInline: boolean } {
    const { u32 } = this.#maker.memory
    const pointer = u32[this.#read(FIELD.directory) / 4 + 2 * index]!
    const isInline = pointer === this.#table + INLINE_SUB_BYTES
    return { pointer, bytes: 16 + 8 * u32[pointer / 4 + 2]!, isInline }
  }

  /** Each sub-table once: at the directory index that is its own low bits. */
  *#subs(): Generator<Block> {
    const count = this.#read(FIELD.mask) + 1
    for (let index = 0; index < count; index++) {
      const sub = this.#sub(index)
      const depth = this.#maker.memory.u32[sub.pointer / 4 + 1]!
      if (!sub.isInline && index < 2 ** depth) yield sub
    }
  }

  #read(field: number): number {
    return this.#maker.memory.u32[this.#table / 4 + field]!
  }

  #set(field: number, value: number): void {
    this.#maker.memory.u32[this.#table / 4 + field] = value
  }

  #allocate(bytes: number): Pointer {
    this.#bytes += bytes + OVERREAD_BYTES
    return this.#maker.memory.allocate(bytes)
  }

  #release({ pointer, bytes }: Block): void {
    this.#bytes -= bytes + OVERREAD_BYTES
    this.#maker.memory.free(pointer, bytes)
  }
}
