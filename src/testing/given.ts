/**
 * Tables whose rows a test gives, split by split, while the pipeline runs or before: read exactly again from any position, which is
 * the number of the next entry.
 */
import type { Connector } from '../connectors/contract/connector.ts'
import type {
  DeadRow,
  Polled,
  PollLimit,
  Source,
  SourceReader,
  SourceRequest,
} from '../connectors/contract/source.ts'
import { type Batch, ROW_KIND_TEXT } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { RowKindText } from '../data/values.ts'
import { createJsonDecoder, type JsonDecoder } from '../formats/json/decode.ts'

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

/** By name of table. */
export type GivenTables = ReadonlyMap<string, readonly GivenSplit[]>

/** A table's connector is replaced by this one, its options by these. */
export interface GivenOptions {
  /** How its rows change. */
  readonly mode: 'append' | 'retract' | 'upsert'
  readonly bounded: 'true' | 'false'
  readonly 'json.timestamp-format.standard': 'SQL' | 'ISO-8601'
}

export function givenConnector(name: string, tables: GivenTables): Connector {
  return {
    name,
    summary: 'Rows of a test',
    options: [],
    metadata: {},
    source: {
      replay: 'exact',
      mode: ({ mode }) => (mode === 'upsert' || mode === 'retract' ? mode : 'append'),
      bounded: ({ bounded }) => bounded === 'true',
      open: async (request) => givenSource(request, tables.get(request.table) ?? []),
    },
  }
}

function givenSource(request: SourceRequest, splits: readonly GivenSplit[]): Source {
  return {
    replay: 'exact',
    bounded: request.options.bounded === 'true',
    splits: async () => splits.map((_, index) => `${index}`),
    endPosition: async (split) => `${visibleOf(splits[Number(split)]!)}`,
    open: async (split, start, memory) =>
      givenReader(request, splits[Number(split)]!, Number(start ?? 0), memory),
    close: async () => {},
  }
}

function visibleOf({ entries, visible }: GivenSplit): number {
  return Math.min(visible ?? entries.length, entries.length)
}

function givenReader(
  request: SourceRequest,
  split: GivenSplit,
  start: number,
  memory: LinearMemory,
): SourceReader {
  const isIso = request.options['json.timestamp-format.standard'] === 'ISO-8601'
  const decoder = createJsonDecoder({
    memory,
    schema: request.schema,
    timestampFormat: isIso ? 'ISO-8601' : 'SQL',
  })
  let next = start
  return {
    poll({ rowsMax, until }: PollLimit) {
      const end = until === undefined ? visibleOf(split) : Number(until)
      if (next >= end) return split.ended && next >= split.entries.length ? 'ended' : undefined
      const rows: GivenRow[] = []
      let watermarkUs: bigint | undefined
      const first = next
      while (next < end && rows.length < rowsMax && watermarkUs === undefined) {
        const entry = split.entries[next]!
        next++
        if (entry.kind === 'watermark') watermarkUs = entry.us
        else rows.push(entry)
      }
      return {
        ...decoded(memory, decoder, rows, first),
        next: `${next}`,
        lag: end - next,
        ...(watermarkUs === undefined ? {} : { watermarkUs }),
      }
    },
    committed: async () => {},
    close: async () => decoder.dispose(),
  }
}

function decoded(
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
