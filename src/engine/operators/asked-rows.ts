/**
 * Rows that wait for what is outside, each with the watermark that came before it. They have no key; theirs is one that falls to
 * their worker, so that a checkpoint gives them to one worker, whatever the number of workers.
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { keyHasher } from '../../kernels/group.ts'
import { KEY_GROUPS } from '../../state/keyed-table.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'

const TABLE = 'asked'
const SCAN_LISTS = 1024
const KEY: DataType = withNullability(types.bigint, false)
/** An extra of a row: the watermark that came before it. */
const WATERMARK = 0

interface KeyGroups {
  readonly groupStart: number
  readonly groupEnd: number
}

export class AskedRows {
  readonly #memory: LinearMemory
  readonly #schema: Schema
  readonly #rows: RowLists
  readonly #key: bigint

  /** `groups`: that fall to this worker; absent: all. */
  constructor(memory: LinearMemory, schema: Schema, groups: KeyGroups | undefined) {
    this.#memory = memory
    this.#schema = schema
    const row = schema.map(({ type }) => type)
    this.#rows = memoryRowLists(memory, { keys: [KEY], row, extras: 1 })
    this.#key = groups === undefined ? 0n : keyWithin(groups, memory)
  }

  /** Copies the selected rows of `batch`; gives their entries. */
  keep(batch: Batch, watermarkUs: bigint): readonly Pointer[] {
    const { selection, count, rowCount } = batch
    const { arena, i64, u32 } = this.#memory
    const cells = arena.allocate(8 * rowCount)
    i64.fill(this.#key, cells / 8, cells / 8 + rowCount)
    const lists = arena.allocate(4 * count)
    const entries = arena.allocate(4 * count)
    this.#rows.lists({ selection, count, keys: [{ type: KEY, cells, validity: 0 }] }, lists)
    this.#rows.append(batch, lists, entries)
    const kept = [...u32.subarray(entries / 4, entries / 4 + count)]
    const offset = this.#rows.extraOffset(WATERMARK)
    for (const entry of kept) this.#memory.i64[(entry + offset) / 8] = watermarkUs
    return kept
  }

  /** The rows of `entries` in the arena, as rows that come. */
  batchOf(entries: readonly Pointer[]): Batch {
    const count = entries.length
    const addresses = this.#memory.arena.allocate(4 * count)
    this.#memory.u32.set(entries, addresses / 4)
    const columns = this.#rows.columnsOf(addresses, count).slice(0, this.#schema.length)
    return { rowCount: count, columns, kinds: 0, selection: 0, count }
  }

  watermarkUs(entry: Pointer): bigint {
    return this.#memory.i64[(entry + this.#rows.extraOffset(WATERMARK)) / 8]!
  }

  remove(entry: Pointer): void {
    this.#rows.remove(entry)
  }

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#rows.writeChanges(sink))
  }

  /** Gives the entries that wait: as they came, those of several workers by their watermarks. */
  restore(reader: StateReader): readonly Pointer[] {
    const source = reader.source(TABLE)
    if (source === undefined) return []
    this.#rows.restore(source)
    const { arena, u32 } = this.#memory
    const mark = arena.mark()
    const lists = arena.allocate(4 * SCAN_LISTS)
    const entries: Pointer[] = []
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = this.#rows.scan(cursor, lists, SCAN_LISTS)
      for (const list of u32.subarray(lists / 4, lists / 4 + count)) {
        for (let entry = this.#rows.first(list); entry !== 0; entry = this.#rows.next(entry))
          entries.push(entry)
      }
      cursor = next
    }
    arena.release(mark)
    return entries.sort((a, b) => Number(this.watermarkUs(a) - this.watermarkUs(b)))
  }

  dispose(): void {
    this.#rows.dispose()
  }
}

/** The least key whose group is one of `groups`. */
function keyWithin({ groupStart, groupEnd }: KeyGroups, memory: LinearMemory): bigint {
  const { arena, i64, u32 } = memory
  const hash = keyHasher(memory, [KEY])
  const mark = arena.mark()
  const cells = arena.allocate(16)
  const hashes = arena.allocate(16)
  let key = -1n
  let group = -1
  while (group < groupStart || group >= groupEnd) {
    i64[cells / 8] = ++key
    hash([{ type: KEY, cells, validity: 0 }], 0, 1, hashes)
    group = u32[hashes / 4]! & (KEY_GROUPS - 1)
  }
  arena.release(mark)
  return key
}
