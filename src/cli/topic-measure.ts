/** What a topic of the embedded log shows of itself: rate, bytes and age from its batches' headers, lateness and keys from a field of its newest events. */
import type { Measured, MeasuredField } from '../advise/needs/read.ts'
import { MillraceError } from '../errors.ts'
import { scanBatches } from '../log/batch-scan.ts'
import { partitionRange } from '../log/lookup.ts'
import { readPartition } from '../log/read-partition.ts'
import { listSegments, segmentPath } from '../log/segment.ts'
import { partitionDirectory, requireTopic } from '../log/topics.ts'
import type { Ports } from '../ports/ports.ts'

const MINUTE_MS = 60_000
/** Newest events of a partition in which a field is looked up. */
const SAMPLE_MAX = 200_000
/** The share of events that are no later than what is told. */
const COVERED = 0.999

interface Seen {
  events: number
  bytes: number
  firstMs: number
  lastMs: number
  readonly minutes: Map<number, number>
}

/** @throws LOG_TOPIC_MISSING, LOG_CORRUPT; NEEDS_INVALID where there is too little to measure */
export function measureTopic(
  ports: Ports,
  dataDirectory: string,
  name: string,
  field?: MeasuredField,
): Measured {
  const topic = requireTopic(ports, dataDirectory, name)
  const seen: Seen = {
    events: 0,
    bytes: 0,
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
    minutes: new Map(),
  }
  for (let partition = 0; partition < topic.partitions; partition++)
    countPartition(ports, dataDirectory, name, partition, seen)
  const seconds = (seen.lastMs - seen.firstMs) / 1000
  if (seen.events < 2 || seconds <= 0) throw tooLittle(name, seen.events)
  const rate = seen.events / seconds
  const minutes = [...seen.minutes.values()]
  const peak = seconds < 60 ? rate : Math.max(rate, Math.max(...minutes) / 60)
  const sample = `${seen.events} events of ${name} in ${Math.round(seconds)} s`
  const bytes = seen.bytes / seen.events
  const common = { rate, peak, bytes, historyDays: seconds / 86_400, sample }
  if (field === undefined) return common
  const places = Array.from({ length: topic.partitions }, (_, partition) => {
    return { ports, dataDirectory, topic: name, partition }
  })
  return {
    ...common,
    ...(field.is === 'key'
      ? keysOf(places, field.name, common)
      : agesOf(places, field.name, sample)),
  }
}

type Place = Parameters<typeof readPartition>[0]

/** An event is remembered for each key. */
function keysOf(
  places: readonly Place[],
  field: string,
  { bytes, sample }: Pick<Measured, 'bytes' | 'sample'>,
): Pick<Measured, 'stateBytes' | 'sample'> {
  const keys = new Set<string>()
  let events = 0
  for (const place of places)
    for (const { value } of newestOf(place)) {
      const key = value === null ? undefined : fieldIn(value, field)
      if (key === undefined) continue
      events++
      keys.add(JSON.stringify(key))
    }
  if (events === 0) throw noField(places[0]!.topic, field, 'key')
  return {
    stateBytes: keys.size * bytes,
    sample: `${sample}; ${keys.size} ${field} in ${events} of them, an event of ${Math.round(bytes)} B remembered for each`,
  }
}

function agesOf(
  places: readonly Place[],
  field: string,
  sample: string,
): Pick<Measured, 'latenessSeconds' | 'sample'> {
  const lateness = places.flatMap((place) => latenessOf(place, field))
  if (lateness.length === 0) throw noField(places[0]!.topic, field, 'time')
  const sorted = lateness.sort((left, right) => left - right)
  const at = Math.min(sorted.length - 1, Math.ceil(COVERED * sorted.length) - 1)
  return {
    latenessSeconds: sorted[at]! / 1000,
    sample: `${sample}; ${field} of ${sorted.length} of them, 99.9 % no later than that`,
  }
}

function countPartition(
  ports: Ports,
  dataDirectory: string,
  topic: string,
  partition: number,
  seen: Seen,
): void {
  const { startOffset, endOffset } = partitionRange(ports, dataDirectory, topic, partition)
  const directory = partitionDirectory(dataDirectory, topic, partition)
  for (const base of listSegments(ports.files, directory)) {
    const file = ports.files.open(segmentPath(directory, base, 'log'), 'read')
    try {
      scanBatches(file, 0, file.bytes(), ({ header, bytes }) => {
        if (header.baseOffset >= endOffset) return 'stop'
        if (header.lastOffset < startOffset) return undefined
        const events = header.lastOffset - header.baseOffset + 1
        const minute = Math.floor(header.maxTimestampMs / MINUTE_MS)
        seen.events += events
        seen.bytes += bytes.length
        seen.firstMs = Math.min(seen.firstMs, header.maxTimestampMs)
        seen.lastMs = Math.max(seen.lastMs, header.maxTimestampMs)
        seen.minutes.set(minute, (seen.minutes.get(minute) ?? 0) + events)
        return undefined
      })
    } finally {
      file.close()
    }
  }
}

/** Of each event, how far it is behind the newest that its partition had brought before: ms. */
function latenessOf(place: Place, timeField: string): number[] {
  let newest = Number.NEGATIVE_INFINITY
  return newestOf(place).flatMap(({ value }) => {
    const time = value === null ? undefined : timeIn(value, timeField)
    if (time === undefined) return []
    newest = Math.max(newest, time)
    return [newest - time]
  })
}

function newestOf(place: Place): ReturnType<typeof readPartition> {
  const { ports, dataDirectory, topic, partition } = place
  const { endOffset } = partitionRange(ports, dataDirectory, topic, partition)
  return readPartition(place, Math.max(0, endOffset - SAMPLE_MAX), SAMPLE_MAX)
}

const TEXT = new TextDecoder()

/** Milliseconds since the epoch: of a text that is a date, or of a number in milliseconds. */
function timeIn(value: Uint8Array, timeField: string): number | undefined {
  const found = fieldIn(value, timeField)
  const time = typeof found === 'number' ? found : Date.parse(String(found))
  return Number.isFinite(time) ? time : undefined
}

function fieldIn(value: Uint8Array, field: string): unknown {
  try {
    const event: unknown = JSON.parse(TEXT.decode(value))
    if (typeof event !== 'object' || event === null) return undefined
    return Object.entries(event).find(([name]) => name === field)?.[1]
  } catch {
    return undefined
  }
}

function tooLittle(topic: string, events: number): MillraceError {
  return new MillraceError('NEEDS_INVALID', {
    message: `${topic} holds ${events} events at one time: a rate can't be measured`,
    hint: 'let events flow for an hour at least, or write the figure: `rate: 50/s`',
    facts: { topic, events },
  })
}

function noField(topic: string, field: string, is: MeasuredField['is']): MillraceError {
  return new MillraceError('NEEDS_INVALID', {
    message: `no event of ${topic} has a ${is} in \`${field}\``,
    hint:
      is === 'time'
        ? 'name a field of its JSON that holds a date or milliseconds: `measured from payments by placed_at`'
        : 'name a field of its JSON: `measured from payments by card`',
    facts: { topic, field },
  })
}
