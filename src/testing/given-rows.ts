/** What a test gives of a table, split by split, and how it becomes columns. */
import type { DeadRow, Polled } from '../connectors/contract/source.ts'
import { type Batch, ROW_KIND_TEXT } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { RowKindText } from '../data/values.ts'
import type { JsonDecoder } from '../formats/json/decode.ts'

export type GivenEntry = GivenRow | GivenWatermark

export interface GivenRow {
  readonly kind: RowKindText
  /** The row as JSON. */
  readonly bytes: Uint8Array
  /** When the outside took it in; absent: it does not say. */
  readonly appendMs?: number
}

/** No earlier event of the split will come. */
export interface GivenWatermark {
  readonly kind: 'watermark'
  readonly us: bigint
}

export interface GivenSplit {
  readonly entries: GivenEntry[]
  /** How many of them are there by now; all unless told. */
  visible?: number
  /** There will be no more. */
  ended: boolean
}

/** Everything is in the arena. */
export function decoded(
  memory: LinearMemory,
  decoder: JsonDecoder,
  rows: readonly GivenRow[],
  first: number,
): Omit<Polled, 'next'> {
  const values = memory.arena.allocate(8 * rows.length)
  rows.forEach(({ bytes }, row) => {
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[(values >>> 2) + 2 * row] = address
    memory.u32[(values >>> 2) + 2 * row + 1] = bytes.length
  })
  const { columns, rowCount, selection, count, dead } = decoder.decode(values, rows.length)
  const batch: Batch = { rowCount, columns, kinds: kindsOf(memory, rows), selection, count }
  return {
    batch,
    appendTimeUs: appendTimesOf(memory, rows),
    dead: dead.map(({ row, reason }): DeadRow => {
      return { bytes: rows[row]!.bytes, reason, position: `${first + row}`, beforeRow: row }
    }),
  }
}

function kindsOf(memory: LinearMemory, rows: readonly GivenRow[]): Pointer {
  if (rows.every(({ kind }) => kind === '+I')) return 0
  const kinds = memory.arena.allocate(rows.length)
  rows.forEach(({ kind }, row) => {
    memory.u8[kinds + row] = ROW_KIND_TEXT.indexOf(kind)
  })
  return kinds
}

function appendTimesOf(memory: LinearMemory, rows: readonly GivenRow[]): Pointer {
  if (rows.every(({ appendMs }) => appendMs === undefined)) return 0
  const times = memory.arena.allocate(8 * rows.length)
  rows.forEach(({ appendMs }, row) => {
    memory.i64[times / 8 + row] = BigInt(Math.floor((appendMs ?? 0) * 1000))
  })
  return times
}
