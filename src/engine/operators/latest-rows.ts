/**
 * The latest row of each key, as a changelog: +I for a key's first, -U and +U when another takes its place, -D when it goes.
 *
 * Rows are taken a batch at a time: of the rows of one key only the one that stays is compared with what was there before the
 * batch. With one-row batches the changelog is Flink's, row for row.
 */
import {
  type Batch,
  DELETE,
  INSERT,
  UPDATE_AFTER,
  UPDATE_BEFORE,
  type Vector,
} from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DataType, Schema } from '../../data/types.ts'
import type { KeyedTable } from '../../state/keyed-table.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import type { Emit } from '../operator.ts'
import { type RowCells, rowCells } from './row-cells.ts'
import { emitChanges, rowPicks } from './row-picks.ts'

const TABLE = 'rows'

export interface LatestRowsOptions {
  readonly keys: readonly DataType[]
  readonly schema: Schema
  /** Who takes whose place. Absent: each row that of those before it. */
  readonly order?: (rows: HeldRows) => RowOrder
  /** A row that equals what is there changes nothing. */
  readonly dropsEqual: boolean
  /** Each change is told, not only what a batch leaves. */
  readonly tellsEach: boolean
}

/** Where the rows that are kept lie. */
export interface HeldRows {
  readonly memory: LinearMemory
  /** Byte offset of column `column` within an entry. */
  cellOffset(column: number): number
  isNull(entry: Pointer, column: number): boolean
}

/** Whether row `row` of a batch takes the place of another of its key that came before it. */
export interface RowOrder {
  overEntry(columns: readonly Vector[], row: number, entry: Pointer): boolean
  overRow(columns: readonly Vector[], row: number, other: number): boolean
}

/** A row takes the place of those that are not later, by column `time`. */
export function latestByTime(time: number): (rows: HeldRows) => RowOrder {
  return ({ memory, cellOffset }) => {
    const offset = cellOffset(time)
    return {
      overEntry(columns, row, entry) {
        const { i64 } = memory
        return i64[columns[time]!.cells / 8 + row]! >= i64[(entry + offset) / 8]!
      },
      overRow(columns, row, other) {
        const times = columns[time]!.cells / 8
        return memory.i64[times + row]! >= memory.i64[times + other]!
      },
    }
  }
}

export interface LatestRows {
  /** `keys` are vectors by row of the batch. Rows that are taken back (-U, -D) take their key's row away, whatever it is. */
  add(batch: Batch, keys: readonly Vector[], emit: Emit): void
  snapshot(writer: StateWriter): void
  restore(reader: StateReader): void
  dispose(): void
}

// Value cells of an entry, before the row: 1 if there is a row; while a batch is taken, which of its rows (from 1) stays, and
// whether the entry was met.
const HELD = 0
const STAYS = 1
const ROW = 2

export function latestRows(memory: LinearMemory, options: LatestRowsOptions): LatestRows {
  return new Latest(memory, options)
}

class Latest implements LatestRows {
  readonly #memory: LinearMemory
  readonly #options: LatestRowsOptions
  readonly #cells: RowCells
  readonly #table: KeyedTable
  readonly #heldOffset: number
  readonly #staysOffset: number
  readonly #order: RowOrder | undefined

  constructor(memory: LinearMemory, options: LatestRowsOptions) {
    const { keys, schema, order } = options
    this.#memory = memory
    this.#options = options
    this.#cells = rowCells(memory, schema, ROW)
    this.#table = keyedTables(memory, { keys, values: ['i64', 'i64', ...this.#cells.values] })()
    this.#heldOffset = this.#table.valueOffset(HELD)
    this.#staysOffset = this.#table.valueOffset(STAYS)
    this.#order = order?.({
      memory,
      cellOffset: (column) => this.#table.valueOffset(this.#cells.cellOf(column)),
      isNull: (entry, column) => this.#cells.isNull(this.#table, entry, column),
    })
  }

  add(batch: Batch, keys: readonly Vector[], emit: Emit): void {
    const pieces = this.#options.tellsEach ? this.#withoutRepeats(batch, keys) : [batch]
    for (const piece of pieces) this.#add(piece, keys, emit)
  }

  /** `batch` in pieces, in each of which a key has one row. */
  #withoutRepeats(batch: Batch, keys: readonly Vector[]): readonly Batch[] {
    const { arena, u32 } = this.#memory
    const { count, selection } = batch
    const entries = arena.allocate(4 * count)
    this.#table.upsert({ count, selection, keys }, entries)
    const rows = arena.allocate(4 * count)
    const pieces: Batch[] = []
    const met = new Set<Pointer>()
    let from = 0
    for (let at = 0; at < count; at++) {
      const entry = u32[entries / 4 + at]!
      u32[rows / 4 + at] = selection === 0 ? at : u32[selection / 4 + at]!
      if (met.has(entry)) {
        pieces.push({ ...batch, selection: rows + 4 * from, count: at - from })
        met.clear()
        from = at
      }
      met.add(entry)
    }
    return [...pieces, { ...batch, selection: rows + 4 * from, count: count - from }]
  }

  #add(batch: Batch, keys: readonly Vector[], emit: Emit): void {
    const { count, selection } = batch
    if (count === 0) return
    const { arena } = this.#memory
    const entries = arena.allocate(4 * count)
    this.#table.upsert({ count, selection, keys }, entries)
    const touched = arena.allocate(4 * count)
    const touchedCount = this.#settle(batch, entries, touched)
    // Before the rows are stored: what was there is told from where it is.
    const changes = this.#changes(batch, touched, touchedCount)
    emitChanges(this.#memory, changes, count === 1, emit)
    this.#store(batch, touched, touchedCount)
  }

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#table.writeChanges(sink))
  }

  restore(reader: StateReader): void {
    const source = reader.source(TABLE)
    if (source !== undefined) this.#table.restore(source)
  }

  dispose(): void {
    this.#table.dispose()
  }

  /** The entries that the batch touches, each once, its latest row noted in it. */
  #settle(batch: Batch, entries: Pointer, touched: Pointer): number {
    const { u32 } = this.#memory
    let count = 0
    for (let at = 0; at < batch.count; at++) {
      const entry = u32[entries / 4 + at]!
      const row = batch.selection === 0 ? at : u32[batch.selection / 4 + at]!
      const stays = (entry + this.#staysOffset) / 4
      if (u32[stays + 1] === 0) {
        u32[stays + 1] = 1
        u32[touched / 4 + count++] = entry
      }
      if (this.#isBetter(batch, row, entry, u32[stays]!)) u32[stays] = row + 1
    }
    return count
  }

  /** `staying`: which row of the batch is the latest so far, from 1. */
  #isBetter({ columns }: Batch, row: number, entry: Pointer, staying: number): boolean {
    if (this.#order === undefined) return true
    if (staying > 0) return this.#order.overRow(columns, row, staying - 1)
    return !this.#isHeld(entry) || this.#order.overEntry(columns, row, entry)
  }

  /** Picks what changes, from the batch (0) and from the rows of the touched entries (1). */
  #changes(batch: Batch, touched: Pointer, count: number): Batch {
    const { u32 } = this.#memory
    const picks = rowPicks(this.#memory, 2 * count)
    for (let index = 0; index < count; index++) {
      const entry = u32[touched / 4 + index]!
      const row = u32[(entry + this.#staysOffset) / 4]! - 1
      if (row < 0) continue
      const held = this.#isHeld(entry)
      if (this.#isTakenBack(batch, row)) {
        if (held) picks.add(1, index, DELETE)
      } else if (!held) picks.add(0, row, INSERT)
      else if (!this.#isRepeated(entry, batch, row)) {
        picks.add(1, index, UPDATE_BEFORE)
        picks.add(0, row, UPDATE_AFTER)
      }
    }
    return picks.batch([batch.columns, this.#cells.load(this.#table, touched, count)])
  }

  #store(batch: Batch, touched: Pointer, count: number): void {
    const { u32 } = this.#memory
    for (let index = 0; index < count; index++) {
      const entry = u32[touched / 4 + index]!
      const stays = (entry + this.#staysOffset) / 4
      const row = u32[stays]! - 1
      u32[stays] = 0
      u32[stays + 1] = 0
      if (row < 0) continue
      if (this.#isTakenBack(batch, row)) this.#table.remove(entry)
      else {
        this.#cells.store(this.#table, entry, batch.columns, row)
        u32[(entry + this.#heldOffset) / 4] = 1
      }
    }
  }

  #isHeld(entry: Pointer): boolean {
    return this.#memory.u32[(entry + this.#heldOffset) / 4] === 1
  }

  #isRepeated(entry: Pointer, { columns }: Batch, row: number): boolean {
    return this.#options.dropsEqual && this.#cells.equal(this.#table, entry, columns, row)
  }

  #isTakenBack({ kinds }: Batch, row: number): boolean {
    if (kinds === 0) return false
    const kind = this.#memory.u8[kinds + row]
    return kind === UPDATE_BEFORE || kind === DELETE
  }
}
