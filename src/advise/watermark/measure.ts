/**
 * Reads a source to where it ends now, the split with the lowest time first, as the engine does, and meters how late its events
 * are. Nothing is committed, and of the events only sketches stay.
 */
import type { Polled, Source, SourceReader } from '../../connectors/contract/source.ts'
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import { type Arrivals, type ArrivedRows, meterArrivals } from './arrivals.ts'

const ROWS_MAX = 8192
const WAIT_MS = 200
const PAUSE_MS = 2
/** A split that gives nothing for so long, though more is known to be there, will not give it. */
const SILENT_MS_MAX = 60_000

/** Columns of a polled batch: event time in µs, and the value that is lost with an event. Rows not in `selection` are left out (0 = all are in). */
export interface MeasuredColumns {
  readonly time: Vector
  readonly value?: Vector
  readonly selection: Pointer
  readonly count: number
}

export interface MeasureRequest {
  readonly source: Source
  readonly memory: LinearMemory
  readonly windowUs: number
  /** Event times so far ahead of their append time (or of `nowUs`, where there is none) are set aside, as the engine does. */
  readonly futureBoundUs: number | undefined
  readonly nowUs: number
  /** Of one split at a time; as many as the engine reads unless said. */
  readonly rowsMax?: number
  /** Waits while a source has not yet got what is there. */
  pause(ms: number): Promise<void>
  columnsOf(polled: Polled): MeasuredColumns
  /** What a cell of the value's column says as a number. */
  worthOf?(vector: Vector, row: number): number
}

export interface Measured {
  readonly arrivals: Arrivals
  /** Rows that could not be decoded or have no event time. */
  readonly unusable: number
  readonly future: number
  readonly futureUsMax: number
}

interface OpenSplit {
  readonly id: string
  readonly number: number
  readonly reader: SourceReader
  readonly until: string | undefined
  silentMs: number
  ended: boolean
}

/** Closes the readers, not the source. @throws what the source throws */
export async function measureArrivals(request: MeasureRequest): Promise<Measured> {
  const { source, memory, windowUs, rowsMax = ROWS_MAX } = request
  const meter = meterArrivals(windowUs)
  const counts = { unusable: 0, future: 0, futureUsMax: 0 }
  const open: OpenSplit[] = []
  const buffers = rowBuffers()
  try {
    for (const id of await source.splits()) {
      const until = source.bounded ? undefined : await source.endPosition(id)
      const reader = await source.open(id, undefined, memory)
      open.push({ id, number: meter.split(id), reader, until, silentMs: 0, ended: false })
    }
    for (;;) {
      const split = lowest(open, meter.greatestUs)
      if (split === undefined) break
      const mark = memory.arena.mark()
      const polled = await split.reader.poll({
        rowsMax,
        waitMs: WAIT_MS,
        ...(split.until === undefined ? {} : { until: split.until }),
      })
      if (polled === 'ended' || (polled === undefined && split.until !== undefined)) {
        split.ended = true
      } else if (polled === undefined || polled === 'waiting') {
        await waited(split, request)
      } else {
        split.silentMs = 0
        counts.unusable += polled.dead.length
        const rows = rowsOf(request, polled, buffers, counts)
        meter.add(split.number, rows, leastOfOthers(open, split, meter.greatestUs))
      }
      memory.arena.release(mark)
    }
    return { arrivals: meter.read(), ...counts }
  } finally {
    for (const { reader } of open) await reader.close()
  }
}

/** @throws WATERMARK_UNFOUNDED once it has been silent for a minute: half of a topic is no measure of it */
async function waited(split: OpenSplit, { pause }: MeasureRequest): Promise<void> {
  await pause(PAUSE_MS)
  split.silentMs += PAUSE_MS
  if (split.silentMs < SILENT_MS_MAX) return
  const { trouble } = split.reader
  throw new MillraceError('WATERMARK_UNFOUNDED', {
    message: `split '${split.id}' has more events and gave none for ${SILENT_MS_MAX / 1000} s${trouble === undefined ? '' : `: ${trouble}`}`,
    hint: 'measure again when its system can be reached',
    facts: { split: split.id },
  })
}

function lowest(open: readonly OpenSplit[], greatestUs: (split: number) => number) {
  let least: OpenSplit | undefined
  for (const split of open) {
    if (split.ended) continue
    if (least === undefined || greatestUs(split.number) < greatestUs(least.number)) least = split
  }
  return least
}

function leastOfOthers(
  open: readonly OpenSplit[],
  split: OpenSplit,
  greatestUs: (split: number) => number,
): number {
  let least = Number.POSITIVE_INFINITY
  for (const other of open)
    if (other !== split && !other.ended) least = Math.min(least, greatestUs(other.number))
  return least
}

interface RowBuffers {
  timeUs: Float64Array
  appendUs: Float64Array
  value: Float64Array
}

function rowBuffers(rows = ROWS_MAX): RowBuffers {
  return {
    timeUs: new Float64Array(rows),
    appendUs: new Float64Array(rows),
    value: new Float64Array(rows),
  }
}

/** The good rows as numbers. A cell of 64 bits is read as its two halves: exact up to 2^53 µs, and it makes no BigInt. */
function rowsOf(
  request: MeasureRequest,
  polled: Polled,
  buffers: RowBuffers,
  counts: { unusable: number; future: number; futureUsMax: number },
): ArrivedRows {
  const { memory, futureBoundUs, nowUs, worthOf } = request
  const { time, value, selection, count } = request.columnsOf(polled)
  if (buffers.timeUs.length < count) Object.assign(buffers, rowBuffers(count))
  const { i32, u32, u8 } = memory
  const append = polled.appendTimeUs
  let kept = 0
  let hasAppend = false
  for (let at = 0; at < count; at++) {
    const row = selection === 0 ? at : u32[selection / 4 + at]!
    if (time.validity !== 0 && ((u8[time.validity + (row >> 3)]! >> (row & 7)) & 1) === 0) {
      counts.unusable++
      continue
    }
    const cell = time.cells / 4 + 2 * row
    const timeUs = i32[cell + 1]! * 4294967296 + u32[cell]!
    const from = append / 4 + 2 * row
    const appendUs = append === 0 ? 0 : i32[from + 1]! * 4294967296 + u32[from]!
    const aheadUs = timeUs - (appendUs === 0 ? nowUs : appendUs)
    if (futureBoundUs !== undefined && aheadUs > futureBoundUs) {
      counts.future++
      counts.futureUsMax = Math.max(counts.futureUsMax, aheadUs)
      continue
    }
    buffers.timeUs[kept] = timeUs
    buffers.appendUs[kept] = appendUs === 0 ? Number.NaN : appendUs
    hasAppend ||= appendUs !== 0
    if (value !== undefined && worthOf !== undefined)
      buffers.value[kept] = Math.abs(worthOf(value, row))
    kept++
  }
  return {
    count: kept,
    timeUs: buffers.timeUs,
    ...(hasAppend ? { appendUs: buffers.appendUs } : {}),
    ...(value === undefined ? {} : { value: buffers.value }),
  }
}
