/**
 * Rows of one primary key that come from several keys of a changelog, in the order of their coming: the last one is what the table
 * has. A row that goes leaves the one before it, and none only if it was the last there is.
 *
 *   in     rows with +I or +U that stand for themselves, -U and -D of rows that came before (others are passed over)
 *   out    +I or +U of the row that is the key's now, -D when it has none
 *   state  all rows of each primary key
 *
 * @see Flink, SinkUpsertMaterializer
 */
import { type Batch, DELETE, INSERT, UPDATE_AFTER, UPDATE_BEFORE } from '../../data/batch.ts'
import { cellReaderOf, cellWriterOf } from '../../data/cells.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type CellValue, decodeNested, encodeNested } from '../../data/nested-cells.ts'
import type { DataType, Schema } from '../../data/types.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'

const TABLE = 'rows'

export interface UpsertMaterializer {
  /** The changes of the table, by its primary key. */
  take(batch: Batch): Batch
  snapshot(writer: StateWriter): void
  restore(reader: StateReader): void
  dispose(): void
}

type Row = readonly CellValue[]
interface Change {
  readonly kind: typeof INSERT | typeof UPDATE_AFTER | typeof DELETE
  readonly row: Row
}

export function upsertMaterializer(
  memory: LinearMemory,
  schema: Schema,
  primaryKey: readonly number[],
): UpsertMaterializer {
  const keys = primaryKey.map((index) => schema[index]!.type)
  const table = keyedTables(memory, { keys, values: ['bytes'] })()
  const rows: DataType = {
    kind: 'array',
    nullable: false,
    element: { kind: 'row', fields: schema, nullable: false },
  }

  function held(entry: Pointer): readonly Row[] {
    const cell = (entry + table.valueOffset(0)) / 4
    const bytes = memory.u32[cell + 1]!
    if (bytes === 0) return []
    const copy = memory.u8.slice(memory.u32[cell]!, memory.u32[cell]! + bytes)
    return decodeNested(rows, new DataView(copy.buffer)) as readonly Row[]
  }

  function hold(entry: Pointer, list: readonly Row[]): void {
    if (list.length === 0) {
      table.remove(entry)
      return
    }
    const encoded = encodeNested(rows, list)
    const mark = memory.arena.mark()
    const address = memory.arena.allocate(encoded.length + 8)
    memory.u8.set(encoded, address)
    table.setBytes(entry, 0, address, encoded.length)
    memory.arena.release(mark)
  }

  function written(changes: readonly Change[]): Batch {
    const count = changes.length
    const kinds = memory.arena.allocate(count + 1)
    const columns = schema.map(({ type }, index) => {
      const writer = cellWriterOf(memory, type, count, (units) => {
        throw new RangeError(`a text of ${units} characters`)
      })
      for (const [at, { row }] of changes.entries()) writer.set(at, row[index]!)
      return writer.vector
    })
    for (const [at, { kind }] of changes.entries()) memory.u8[kinds + at] = kind
    return { rowCount: count, columns, kinds, selection: 0, count }
  }

  return {
    take(batch) {
      const readers = batch.columns.map((column) => cellReaderOf(memory, column))
      const vectors = primaryKey.map((index) => batch.columns[index]!)
      const one = memory.arena.allocate(8)
      const changes: Change[] = []
      for (let at = 0; at < batch.count; at++) {
        const number = batch.selection === 0 ? at : memory.u32[batch.selection / 4 + at]!
        memory.u32[one / 4] = number
        table.upsert({ count: 1, selection: one, keys: vectors }, one + 4)
        const entry = memory.u32[one / 4 + 1]!
        const kind = batch.kinds === 0 ? INSERT : memory.u8[batch.kinds + number]!
        const row = readers.map((read) => read(number))
        const told = next(held(entry), row, kind === UPDATE_BEFORE || kind === DELETE)
        hold(entry, told.list)
        if (told.change !== undefined) changes.push(told.change)
      }
      return written(changes)
    },
    snapshot: (writer) => writer.table(TABLE, (sink) => table.writeChanges(sink)),
    restore(reader) {
      const source = reader.source(TABLE)
      if (source !== undefined) table.restore(source)
    },
    dispose: () => table.dispose(),
  }
}

/** The rows of a key after one more has come or gone, and what that changes. */
function next(
  list: readonly Row[],
  row: Row,
  goes: boolean,
): { readonly list: readonly Row[]; readonly change?: Change } {
  if (!goes)
    return {
      list: [...list, row],
      change: { kind: list.length === 0 ? INSERT : UPDATE_AFTER, row },
    }
  const at = list.findLastIndex((each) => equal(each, row))
  if (at < 0) return { list }
  const left = list.toSpliced(at, 1)
  if (left.length === 0) return { list: left, change: { kind: DELETE, row } }
  if (at < left.length) return { list: left }
  return { list: left, change: { kind: UPDATE_AFTER, row: left.at(-1)! } }
}

function equal(a: CellValue, b: CellValue): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => equal(each, b[index]!))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}
