/** What a process function keeps: by partition its entries, each a ROW, and its timers. What is all NULL is not kept. */
import { readerOf } from '../../compile/cells.ts'
import type { States } from '../../compile/user-code.ts'
import { encodedFields, type Fields, fieldsOf, UTC } from '../../compile/user-values.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { decodeNested, encodeNested } from '../../data/nested-cells.ts'
import { type DataType, types, withNullability } from '../../data/types.ts'
import { invariant } from '../../errors.ts'
import type { ProcessCall } from '../../plan/process.ts'
import type { KeyedTable } from '../../state/keyed-table.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import type { ValueRow } from '../value-rows.ts'
import type { Timer } from './process-call.ts'

const TABLE = 'partitions'
const SCAN_ROWS = 1024
const NO_BYTES = new Uint8Array()
const NONE: readonly Timer[] = []

type RowType = Extract<DataType, { kind: 'row' }>

const TIMERS: DataType = {
  kind: 'array',
  nullable: false,
  element: {
    kind: 'row',
    nullable: false,
    fields: [
      { name: 'name', type: types.string },
      { name: 'time', type: withNullability(types.bigint, false) },
    ],
  },
}

export class ProcessState {
  readonly #memory: LinearMemory
  readonly #entries: readonly { readonly name: string; readonly type: RowType }[]
  readonly #table: KeyedTable
  /** Of partitions that have any; in the table too. */
  readonly #timers = new Map<Pointer, readonly Timer[]>()

  constructor(memory: LinearMemory, { partition, state }: ProcessCall) {
    this.#memory = memory
    this.#entries = state.map(({ name, type }) => {
      invariant(type.kind === 'row', 'a state entry is a ROW')
      return { name, type }
    })
    const keys = partition.map(({ type }) => type)
    // The timers stand behind the entries.
    const values = [...this.#entries, TIMERS].map(() => 'bytes' as const)
    this.#table = keyedTables(memory, { keys, values })()
  }

  /** u32 partitions of the batch's rows. */
  entries({ selection, count }: Batch, keys: readonly Vector[]): Pointer {
    const entries = this.#memory.arena.allocate(4 * count)
    this.#table.upsert({ selection, count, keys }, entries)
    return entries
  }

  keyOf(entry: Pointer): ValueRow {
    const { arena } = this.#memory
    const mark = arena.mark()
    const keys = this.#table.keysOf(this.#one(entry), 1)
    const key = keys.map((vector) => readerOf(this.#memory, vector)(0))
    arena.release(mark)
    return key
  }

  /** Fields to be written to; those of an entry that is not kept are null. */
  read(entry: Pointer): States {
    const state: Record<string, Fields> = Object.create(null)
    for (const [index, { name, type }] of this.#entries.entries()) {
      const bytes = this.#bytes(entry, index)
      state[name] = bytes.length === 0 ? empty(type) : fieldsOf(type, bytes)
    }
    return state
  }

  timers(entry: Pointer): readonly Timer[] {
    return this.#timers.get(entry) ?? NONE
  }

  /** The first that is due. */
  dueTimer(entry: Pointer, watermarkUs: bigint): Timer | undefined {
    const due = this.timers(entry).filter(({ timeUs }) => timeUs <= watermarkUs)
    return due.length < 2 ? due[0] : due.reduce((a, b) => (b.timeUs < a.timeUs ? b : a))
  }

  /** All or, if a field is no value of its type, nothing. Gives the timers that are new. @throws RowFailure */
  write(
    entry: Pointer,
    state: States,
    cleared: ReadonlySet<string>,
    timers: readonly Timer[],
  ): readonly Timer[] {
    const encoded = this.#entries.map(({ name, type }) => {
      const fields = state[name]!
      const isKept = !cleared.has(name) && type.fields.some((field) => fields[field.name] != null)
      return isKept ? encodedFields(type, fields, UTC) : NO_BYTES
    })
    for (const [index, bytes] of encoded.entries()) this.#set(entry, index, bytes)
    const before = this.timers(entry)
    if (timers !== before) this.#setTimers(entry, timers)
    this.#table.markDirty(this.#one(entry), 1)
    return timers.filter((timer) => !before.includes(timer))
  }

  #setTimers(entry: Pointer, timers: readonly Timer[]): void {
    if (timers.length === 0) this.#timers.delete(entry)
    else this.#timers.set(entry, timers)
    const rows = timers.map(({ name, timeUs }) => [name, timeUs])
    const bytes = rows.length === 0 ? NO_BYTES : encodeNested(TIMERS, rows)
    this.#set(entry, this.#entries.length, bytes)
  }

  forgetEmpty(entries: Pointer, count: number): void {
    const { u32 } = this.#memory
    const touched = new Set(u32.subarray(entries / 4, entries / 4 + count))
    for (const entry of touched) this.forgetIfEmpty(entry)
  }

  forgetIfEmpty(entry: Pointer): void {
    for (let index = 0; index <= this.#entries.length; index++) {
      if (this.#memory.u32[this.#cell(entry, index) + 1] !== 0) return
    }
    this.#table.remove(entry)
  }

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#table.writeChanges(sink))
  }

  /** Then calls `visit` for each timer. */
  restore(reader: StateReader, visit: (entry: Pointer, timer: Timer) => void): void {
    const source = reader.source(TABLE)
    if (source === undefined) return
    this.#table.restore(source)
    const { arena } = this.#memory
    const mark = arena.mark()
    const entries = arena.allocate(4 * SCAN_ROWS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = this.#table.scan(cursor, entries, SCAN_ROWS)
      for (let at = 0; at < count; at++) {
        const entry = this.#memory.u32[entries / 4 + at]!
        for (const timer of this.#restoreTimers(entry)) visit(entry, timer)
      }
      cursor = next
    }
    arena.release(mark)
  }

  dispose(): void {
    this.#table.dispose()
  }

  #restoreTimers(entry: Pointer): readonly Timer[] {
    const bytes = this.#bytes(entry, this.#entries.length)
    if (bytes.length === 0) return NONE
    const rows = decodeNested(TIMERS, new DataView(bytes.buffer)) as [string | null, bigint][]
    const timers = rows.map(([name, timeUs]): Timer => ({ name, timeUs }))
    this.#timers.set(entry, timers)
    return timers
  }

  #bytes(entry: Pointer, index: number): Uint8Array {
    const { u8, u32 } = this.#memory
    const cell = this.#cell(entry, index)
    const address = u32[cell]!
    return u8.slice(address, address + u32[cell + 1]!)
  }

  /** Its number among u32s. */
  #cell(entry: Pointer, index: number): number {
    return (entry + this.#table.valueOffset(index)) / 4
  }

  #set(entry: Pointer, index: number, bytes: Uint8Array): void {
    if (bytes.length === 0 && this.#memory.u32[this.#cell(entry, index) + 1] === 0) return
    const mark = this.#memory.arena.mark()
    const address = this.#memory.arena.allocate(Math.max(bytes.length, 1))
    this.#memory.u8.set(bytes, address)
    this.#table.setBytes(entry, index, address, bytes.length)
    this.#memory.arena.release(mark)
  }

  #one(entry: Pointer): Pointer {
    const pointer = this.#memory.arena.allocate(16)
    this.#memory.u32[pointer / 4] = entry
    return pointer
  }
}

function empty({ fields }: RowType): Fields {
  const row: Fields = Object.create(null)
  for (const { name } of fields) row[name] = null
  return row
}
