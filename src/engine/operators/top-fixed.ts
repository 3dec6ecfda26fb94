/**
 * Top-N of few rows, where nothing is taken back: each partition's first N are in a block of their own, which
 * kernels keep in order. Rows that do not stay are never copied.
 *
 *   state  the rows, in a list a partition; the blocks are made again from them
 */

import { compileProjection } from '../../compile/expression.ts'
import { type Batch, DELETE, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type DataType, layoutOf } from '../../data/types.ts'
import {
  codeBytes,
  SORT_KEYS_MAX,
  TOP_CELLS,
  type TopKernel,
  topKernel,
} from '../../kernels/top.ts'
import { type Rank, schemaOf } from '../../plan/nodes.ts'
import type { KeyedTable } from '../../state/keyed-table.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { emitChanges } from './row-picks.ts'
import { type KeyColumn, type SortColumns, sortColumns } from './sort-order.ts'

const TABLE = 'rows'
/** Blocks of more rows would be long to move. */
const ROWS_MAX = 64
const CHUNK_BYTES = 1 << 18
const SCAN_LISTS = 1024

export type FixedRank = Rank & { readonly to: number }

export function isFixedTop(plan: Rank): plan is FixedRank {
  const { order, partition, to } = plan
  if (order.length === 0 || order.length > SORT_KEYS_MAX || partition.length === 0) return false
  if (typeof to !== 'number' || to > ROWS_MAX) return false
  return order.every(({ expression: { type } }) => keyKind(type) !== undefined)
}

/** How a kernel takes a sort key; undefined if it does not. */
function keyKind(type: DataType): 0 | 1 | 2 | undefined {
  if (type.kind === 'array' || type.kind === 'map') return undefined
  const layout = layoutOf(type)
  return layout === 'i64' ? 0 : layout === 'f64' ? 1 : layout === 'bytes' ? 2 : undefined
}

export function topFixed(plan: FixedRank, context: OperatorContext): Operator {
  return new TopFixed(plan, context)
}

/** Positions of a batch that are offered, and what came of it. */
interface Offered {
  readonly touched: Pointer
  readonly touchedCount: number
  /** u32s, `limit` a touched top; 0 where only who comes and leaves is told. */
  readonly before: Pointer
  readonly evicted: Pointer
  readonly evictedCount: number
  /** Rows that stay, ascending, and their elements. */
  readonly stay: Pointer
  readonly elements: Pointer
  readonly stayCount: number
}

class TopFixed implements Operator {
  readonly name: string
  readonly #plan: FixedRank
  readonly #memory: LinearMemory
  readonly #kernel: TopKernel
  readonly #evaluation: Evaluation
  readonly #partition: ReturnType<typeof compileProjection>
  readonly #columns: SortColumns
  readonly #rows: RowLists
  readonly #tops: KeyedTable
  readonly #topOffset: number
  readonly #width: number
  readonly #isByNumber: boolean
  /** Bits of sort keys: texts, and those of them that are descending. */
  readonly #texts: number
  readonly #turned: number
  /** u32 offsets of the sort keys in an entry. */
  readonly #cells: Pointer
  readonly #chunks: Pointer[] = []
  #free: Pointer = 0
  #freeEnd: Pointer = 0
  /** Of batches, from 1. */
  #stamp = 0

  constructor(plan: FixedRank, context: OperatorContext) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    const keys = plan.partition.map(({ type }) => type)
    this.name = `rank(${plan.to})`
    this.#plan = plan
    this.#memory = memory
    this.#kernel = topKernel(memory)
    this.#evaluation = evaluationOf(context, schema)
    this.#partition = compileProjection(plan.partition, context)
    this.#columns = sortColumns(memory, schema, plan.order)
    this.#rows = memoryRowLists(memory, { keys, row: this.#columns.types, extras: 0 })
    const values = Array.from({ length: TOP_CELLS }, () => 'i64' as const)
    this.#tops = keyedTables(memory, { keys, values })()
    this.#topOffset = this.#tops.valueOffset(0)
    this.#width = schema.length
    this.#isByNumber = plan.outputsNumber || plan.from > 1
    const order = this.#columns.keys
    const bits = (isIn: (key: KeyColumn) => boolean): number =>
      order.reduce((sum, key, index) => sum | (isIn(key) ? 1 << index : 0), 0)
    this.#texts = bits(({ type }) => keyKind(type) === 2)
    this.#turned = bits(({ descending }) => descending)
    this.#cells = memory.allocate(4 * SORT_KEYS_MAX)
    memory.u32.set(
      order.map(({ column }) => this.#rows.cellOffset(column)),
      this.#cells / 4,
    )
  }

  onBatch(batch: Batch, emit: Emit): void {
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#partition.map((key) => key.evaluate(frame))
    const columns = this.#columns.of(frame)
    const good = { ...this.#evaluation.withoutFailed(batch), columns }
    if (good.count === 0) return
    const offered = this.#offer(good, keys)
    if (offered.touchedCount === 0) return
    this.#keep(good, keys, offered)
    if (this.#isByNumber) this.#tellPlaces(offered, good.count === 1, emit)
    else this.#tellRows(good, offered, emit)
    for (let at = 0; at < offered.evictedCount; at++)
      this.#rows.remove(this.#memory.u32[offered.evicted / 4 + at]!)
  }

  onWatermark(): void {}
  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#rows.writeChanges(sink))
  }

  restore(reader: StateReader): void {
    const source = reader.source(TABLE)
    if (source === undefined) return
    this.#rows.restore(source)
    const { arena } = this.#memory
    const mark = arena.mark()
    const lists = arena.allocate(4 * SCAN_LISTS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = this.#rows.scan(cursor, lists, SCAN_LISTS)
      const inner = arena.mark()
      this.#restoreLists(lists, count)
      arena.release(inner)
      cursor = next
    }
    arena.release(mark)
  }

  dispose(): void {
    this.#rows.dispose()
    this.#tops.dispose()
    for (const chunk of this.#chunks.splice(0)) this.#memory.free(chunk, CHUNK_BYTES)
    this.#memory.free(this.#cells, 4 * SORT_KEYS_MAX)
  }

  #offer(batch: Batch, keys: readonly Vector[]): Offered {
    return this.#offerTo(batch, this.#topsOf(batch.selection, batch.count, keys))
  }

  /** `tops`: by position. */
  #offerTo(batch: Batch, tops: Pointer): Offered {
    const { count } = batch
    const { arena } = this.#memory
    const { to } = this.#plan
    const codes = this.#codesOf(batch)
    const touched = arena.allocate(8 * count)
    const before = this.#isByNumber ? arena.allocate(4 * to * count) : 0
    const evicted = arena.allocate(4 * count)
    this.#stamp = (this.#stamp % 0xffff_ffff) + 1
    for (let at = 0; ; ) {
      const { offer } = this.#kernel
      const offset = this.#topOffset
      at = offer(
        tops,
        offset,
        codes,
        at,
        count,
        to,
        this.#stamp,
        touched,
        before,
        evicted,
        this.#columns.keys.length,
        this.#texts,
        this.#turned,
      )
      if (at >= count) break
      const top = this.#memory.u32[tops / 4 + at]!
      this.#memory.u32[(top + offset) / 4] = this.#block()
    }
    const touchedCount = this.#kernel.touchedCount.value
    const stay = this.#survivors(batch, touched, touchedCount)
    const evictedCount = this.#kernel.evictedCount.value
    return { touched, touchedCount, before, evicted, evictedCount, ...stay }
  }

  #survivors({ count, selection }: Batch, touched: Pointer, touchedCount: number) {
    const { arena } = this.#memory
    const where = arena.allocateCleared(4 * count)
    const keys = this.#columns.keys.length
    this.#kernel.survivors(touched, touchedCount, this.#topOffset, where, keys)
    const stay = arena.allocate(4 * count)
    const elements = arena.allocate(4 * count)
    const { u32 } = this.#memory
    let stayCount = 0
    for (let at = 0; at < count; at++) {
      const element = u32[where / 4 + at]!
      if (element === 0) continue
      u32[stay / 4 + stayCount] = selection === 0 ? at : u32[selection / 4 + at]!
      u32[elements / 4 + stayCount++] = element
    }
    return { stay, elements, stayCount }
  }

  /** Copies the rows that stay. */
  #keep(batch: Batch, keys: readonly Vector[], { stay, elements, stayCount }: Offered): void {
    const { arena } = this.#memory
    const lists = arena.allocate(4 * stayCount)
    this.#rows.lists({ count: stayCount, selection: stay, keys }, lists)
    const entries = arena.allocate(4 * stayCount)
    this.#rows.append({ ...batch, selection: stay, count: stayCount }, lists, entries)
    this.#settle(elements, entries, stayCount)
  }

  /** -D of rows that left, then +I of those that came. */
  #tellRows(batch: Batch, { evicted, evictedCount, stay, stayCount }: Offered, emit: Emit): void {
    if (evictedCount > 0) {
      const kinds = this.#memory.arena.allocate(evictedCount)
      this.#memory.u8.fill(DELETE, kinds, kinds + evictedCount)
      const columns = this.#rows.columnsOf(evicted, evictedCount).slice(0, this.#width)
      const count = evictedCount
      emit({ rowCount: count, columns, kinds, selection: 0, count })
    }
    const columns = batch.columns.slice(0, this.#width)
    emit({ ...batch, columns, selection: stay, count: stayCount })
  }

  #tellPlaces({ touched, touchedCount, before }: Offered, isOfOneRow: boolean, emit: Emit): void {
    const { arena } = this.#memory
    const { to, from, outputsNumber, schema } = this.#plan
    const most = 2 * to * touchedCount
    const entries = arena.allocate(4 * most)
    const kinds = arena.allocate(most)
    const numbers = arena.allocate(8 * most)
    const { placeChanges } = this.#kernel
    const offset = this.#topOffset
    const count = placeChanges(
      touched,
      touchedCount,
      offset,
      before,
      to,
      from,
      entries,
      kinds,
      numbers,
      this.#columns.keys.length,
    )
    const columns = this.#rows.columnsOf(entries, count).slice(0, this.#width)
    if (outputsNumber) columns.push({ type: schema.at(-1)!.type, cells: numbers, validity: 0 })
    const batch = { rowCount: count, columns, kinds, selection: 0, count }
    emitChanges(this.#memory, batch, isOfOneRow, emit)
  }

  /** Of positions; those that have none get an empty one. */
  #topsOf(selection: Pointer, count: number, keys: readonly Vector[]): Pointer {
    const { arena } = this.#memory
    const tops = arena.allocate(4 * count)
    // They are in no checkpoint: only new ones are noted as changed.
    this.#tops.find({ count, selection, keys }, tops)
    const missing = arena.allocate(4 * count)
    const { u32 } = this.#memory
    let missingCount = 0
    for (let at = 0; at < count; at++) {
      if (u32[tops / 4 + at] !== 0) continue
      u32[missing / 4 + missingCount++] = selection === 0 ? at : u32[selection / 4 + at]!
    }
    if (missingCount === 0) return tops
    const made = arena.allocate(4 * missingCount)
    this.#tops.upsert({ count: missingCount, selection: missing, keys }, made)
    for (let at = 0, next = 0; at < count; at++) {
      if (this.#memory.u32[tops / 4 + at] === 0)
        this.#memory.u32[tops / 4 + at] = this.#memory.u32[made / 4 + next++]!
    }
    return tops
  }

  #settle(elements: Pointer, entries: Pointer, count: number): void {
    const keys = this.#columns.keys.length
    this.#kernel.settle(elements, entries, count, keys, this.#texts, this.#cells)
  }

  #codesOf({ columns, selection, count }: Pick<Batch, 'columns' | 'selection' | 'count'>): Pointer {
    const { keys } = this.#columns
    const stride = codeBytes(keys.length)
    const codes = this.#memory.arena.allocate(stride * count)
    keys.forEach(({ column, type, descending, nullsFirst }, index) => {
      const { cells, validity } = columns[column]!
      const [turned, nullRank] = [descending ? 1 : 0, nullsFirst ? 0 : 2]
      this.#kernel.sortCodes(
        cells,
        validity,
        selection,
        count,
        keyKind(type)!,
        turned,
        nullRank,
        index,
        stride,
        codes,
      )
    })
    return codes
  }

  #block(): Pointer {
    const bytes = codeBytes(this.#columns.keys.length) * this.#plan.to
    if (this.#free + bytes > this.#freeEnd) {
      this.#free = this.#memory.allocate(CHUNK_BYTES)
      this.#freeEnd = this.#free + CHUNK_BYTES
      this.#chunks.push(this.#free)
    }
    const block = this.#free
    this.#free += bytes
    return block
  }

  /** Offers the rows of `count` lists, in the order in which they came, to their blocks. */
  #restoreLists(lists: Pointer, count: number): void {
    const { arena } = this.#memory
    const keys = this.#rows.keysOf(lists, count)
    const entries: Pointer[] = []
    const owners: number[] = []
    for (let at = 0; at < count; at++) {
      const first = this.#rows.first(this.#memory.u32[lists / 4 + at]!)
      for (let entry = first; entry !== 0; entry = this.#rows.next(entry)) {
        entries.push(entry)
        owners.push(at)
      }
    }
    const addresses = arena.allocate(4 * entries.length)
    const selection = arena.allocate(4 * entries.length)
    this.#memory.u32.set(entries, addresses / 4)
    this.#memory.u32.set(owners, selection / 4)
    const columns = this.#rows.columnsOf(addresses, entries.length)
    // Rows of columns stand by entry, keys by list.
    const batch = {
      rowCount: entries.length,
      columns,
      kinds: 0,
      selection: 0,
      count: entries.length,
    }
    const { stay, elements, stayCount } = this.#offerTo(
      batch,
      this.#topsOf(selection, entries.length, keys),
    )
    const kept = arena.allocate(4 * stayCount)
    for (let at = 0; at < stayCount; at++)
      this.#memory.u32[kept / 4 + at] = entries[this.#memory.u32[stay / 4 + at]!]!
    this.#settle(elements, kept, stayCount)
  }
}
