/**
 * Rows out of nothing, at a rate: for trying things out. Options are Flink's. Each row is a function of its number and of the
 * time the stream began, both in the position, so reading again is exact.
 */
import type { Vector } from '../../data/batch.ts'
import { cellBytes } from '../../data/types.ts'
import type { Connector } from '../contract/connector.ts'
import type { Polled, Position, Source, SourceRequest } from '../contract/source.ts'
import { type FieldGenerator, fieldGenerator, type StreamTime, sequenceRows } from './fields.ts'

const SPLIT = '0'

export const datagen: Connector = {
  name: 'datagen',
  summary: 'Generates rows at a rate: random values, or sequences',
  options: [
    {
      name: 'rows-per-second',
      kind: 'int',
      required: false,
      fallback: '10000',
      summary: 'How fast rows come',
    },
    {
      name: 'number-of-rows',
      kind: 'int',
      required: false,
      summary: 'Ends the table after so many rows; without it, it never ends',
    },
    {
      name: 'fields.',
      kind: 'string',
      required: false,
      isPrefix: true,
      summary:
        "fields.<column>.kind 'random' or 'sequence'; .min .max .length .max-past; .start .end",
    },
  ],
  metadata: {},
  source: {
    replay: 'exact',
    bounded: (options) => boundOf(options) !== undefined,
    open: async (request) => datagenSource(request),
  },
}

function boundOf(options: Readonly<Record<string, string>>): number | undefined {
  if (options['number-of-rows'] !== undefined) return Number(options['number-of-rows'])
  const hasSequence = Object.entries(options).some(
    ([name, value]) => name.startsWith('fields.') && name.endsWith('.kind') && value === 'sequence',
  )
  return hasSequence ? Number.POSITIVE_INFINITY : undefined
}

/** `<next row>@<start ms>` */
interface Place {
  readonly row: number
  readonly startMs: number
}

function datagenSource(request: SourceRequest): Source {
  const rowsPerSecond = Number(request.options['rows-per-second'] ?? 10000)
  const rowsMax = rowsOf(request)
  const { clock } = request.ports
  const rowsBy = (startMs: number, nowMs: number): number =>
    Math.min(Math.floor(((nowMs - startMs) * rowsPerSecond) / 1000), rowsMax)
  return {
    replay: 'exact',
    bounded: Number.isFinite(rowsMax),
    splits: async () => [SPLIT],
    // Not a row, which depends on when the split was begun, but the moment.
    endPosition: async () => textOf({ row: 0, startMs: clock.nowMs() }),
    open: async (_split, start, memory) => {
      let place = start === undefined ? { row: 0, startMs: clock.nowMs() } : placeOf(start)
      const time: StreamTime = { startMs: place.startMs, rowsPerSecond }
      const generators = request.schema.map((field, column) =>
        fieldGenerator(field, column, request.options, time),
      )
      return {
        poll({ rowsMax: limit, until }) {
          const nowMs = until === undefined ? clock.nowMs() : placeOf(until).startMs
          const end = rowsBy(place.startMs, nowMs)
          if (place.row >= (until === undefined ? rowsMax : end)) return 'ended'
          const count = Math.min(limit, end - place.row)
          if (count <= 0) return undefined
          const polled = rowsFrom(request, generators, memory, place, count)
          place = { row: place.row + count, startMs: place.startMs }
          return { ...polled, next: textOf(place), lag: end - place.row }
        },
        committed: async () => {},
        close: async () => {},
      }
    },
    close: async () => {},
  }
}

function rowsFrom(
  request: SourceRequest,
  generators: readonly FieldGenerator[],
  memory: Parameters<FieldGenerator>[0],
  place: Place,
  count: number,
): Omit<Polled, 'next' | 'lag'> {
  const columns: Vector[] = request.schema.map((field, index) => {
    const cells = memory.arena.allocate(count * cellBytes(field.type))
    generators[index]!(memory, cells, place.row, count)
    return { type: field.type, cells, validity: 0 }
  })
  const batch = { rowCount: count, columns, kinds: 0, selection: 0, count }
  return { batch, appendTimeUs: 0, dead: [] }
}

function rowsOf({ options, schema, physical }: SourceRequest): number {
  const ends = [...schema, ...physical]
    .map((field) => sequenceRows(field, options))
    .filter((rows) => rows !== undefined)
  const limit = options['number-of-rows']
  return Math.min(limit === undefined ? Number.POSITIVE_INFINITY : Number(limit), ...ends)
}

function textOf({ row, startMs }: Place): Position {
  return `${row}@${startMs}`
}

function placeOf(position: Position): Place {
  const [row, startMs] = position.split('@').map(Number) as [number, number]
  return { row, startMs }
}
