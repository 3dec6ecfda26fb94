/**
 * Tables whose rows a test gives, split by split, while the pipeline runs or before: read exactly again from any position, which is
 * the number of the next entry.
 */
import type { Connector } from '../connectors/contract/connector.ts'
import type {
  PollLimit,
  Source,
  SourceReader,
  SourceRequest,
} from '../connectors/contract/source.ts'
import type { LinearMemory } from '../data/memory.ts'
import { createJsonDecoder } from '../formats/json/decode.ts'
import { givenLookup } from './given-lookup.ts'
import { decoded, type GivenRow, type GivenSplit } from './given-rows.ts'

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
    lookup: { open: async (request) => givenLookup(request, tables.get(request.table) ?? []) },
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
