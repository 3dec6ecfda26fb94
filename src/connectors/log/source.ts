/** A topic of the embedded log as a source: one split a partition, positions are offsets, reading again is exact. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Field } from '../../data/types.ts'
import { invariant, MillraceError } from '../../errors.ts'
import { partitionRange } from '../../log/lookup.ts'
import { type LogReader, openReader, type ReadRecords } from '../../log/reader.ts'
import { requireTopic, type TopicDescription } from '../../log/topics.ts'
import type { Source, SourceReader, SourceRequest } from '../contract/source.ts'
import { columnPlaces, keySchemaOf, valueSchemaOf } from '../records/key-fields.ts'
import { type RecordPiece, rowsDecoder } from '../records/record-rows.ts'
import { headerMaps } from './header-maps.ts'
import { type MovingPin, pinOf } from './moving-pin.ts'
import { keyFormat, logKeyFields, startOffset, valueFormat } from './options.ts'

/**
 * @param isUpsert each record is the latest row of its key, or without a value takes it away
 * @throws LOG_TOPIC_MISSING
 */
export async function openLogSource(request: SourceRequest, isUpsert: boolean): Promise<Source> {
  const { ports, dataDirectory, options } = request
  const name = options.topic!
  const topic = requireTopic(ports, dataDirectory, name)
  const endOf = (partition: number) =>
    partitionRange(ports, dataDirectory, name, partition).endOffset
  const bounded = options['scan.bounded.mode'] === 'latest-offset'
  const ends = bounded ? Array.from({ length: topic.partitions }, (_, p) => endOf(p)) : undefined
  return {
    replay: 'exact',
    bounded,
    identity: topic.id,
    splits: async () => Array.from({ length: topic.partitions }, (_, partition) => `${partition}`),
    endPosition: async (split) => `${ends?.[Number(split)] ?? endOf(Number(split))}`,
    async open(split, start, memory) {
      const partition = Number(split)
      const beginning = () => startOffset(ports, dataDirectory, request.table, options, partition)
      const pin = pinOf(request, name, partition)
      await pin?.hold(start === undefined ? beginning() : Number(start))
      // Before it was pinned retention may have passed it: that is no loss where nothing had been read.
      const from = start === undefined ? beginning() : Number(start)
      const place = { partition, from, end: ends?.[partition], pin }
      return openSplit(request, isUpsert, topic, place, memory)
    },
    close: async () => {},
  }
}

/** Between two looks at a topic's id. */
const IDENTITY_CHECK_MS = 1000

interface SplitPlace {
  readonly partition: number
  readonly from: number
  readonly end: number | undefined
  readonly pin: MovingPin | undefined
}

async function openSplit(
  request: SourceRequest,
  isUpsert: boolean,
  topic: TopicDescription,
  { partition, from, end, pin }: SplitPlace,
  memory: LinearMemory,
): Promise<SourceReader> {
  const { ports, dataDirectory, schema, physical, metadataKeys } = request
  const fields = logKeyFields(request, isUpsert, physical)
  const columns = columnPlaces(fields, schema, metadataKeys, isUpsert)
  const { valueSchema, valueMetadata, keySchema } = columns
  const inValue = valueSchemaOf(fields, physical)
  const values = await valueFormat(request).openDecoder(memory, valueSchema, inValue, valueMetadata)
  const keys =
    keySchema.length === 0
      ? undefined
      : await keyFormat(request).openDecoder(memory, keySchema, keySchemaOf(fields, physical))
  const reader = openReader({
    ports,
    dataDirectory,
    topic: topic.name,
    partition,
    memory,
    startOffset: from,
    keys: keys !== undefined || metadataKeys.includes('key'),
    headers: metadataKeys.includes('headers'),
    offsets: metadataKeys.includes('offset'),
    times: metadataKeys.includes('timestamp'),
  })
  const metadata = metadataReader(memory, reader, topic.name, partition)
  const decode = rowsDecoder({ memory, schema, columns, values, keys, isUpsert, metadata })
  const checkIdentity = checkedNowAndThen(request, topic)
  return {
    poll({ rowsMax, until }) {
      const untilOffset = Math.min(
        until === undefined ? Number.MAX_SAFE_INTEGER : Number(until),
        end ?? Number.MAX_SAFE_INTEGER,
      )
      const records = reader.poll({ recordsMax: rowsMax, untilOffset })
      if (records === undefined) {
        if (end !== undefined && reader.nextOffset >= end) return 'ended'
        checkIdentity()
        return undefined
      }
      const piece: LogPiece = { ...records, positionOf: (row) => `${records.offsetOf(row)}` }
      return decode(piece, (rows) => ({ ...rows, next: `${records.nextOffset}`, lag: reader.lag }))
    },
    async committed(position) {
      checkIdentity()
      pin?.move(Number(position))
    },
    async close() {
      reader.close()
      values.dispose()
      keys?.dispose()
      await pin?.settle()
    },
  }
}

/**
 * Asks now and then whether the topic is the one that was opened: a topic that was deleted has no more rows, and what has taken its
 * name since has others.
 */
function checkedNowAndThen(request: SourceRequest, topic: TopicDescription): () => void {
  const { clock } = request.ports
  let checkedMs = clock.monotonicMs()
  return () => {
    if (clock.monotonicMs() - checkedMs < IDENTITY_CHECK_MS) return
    checkedMs = clock.monotonicMs()
    refuseReplaced(request, topic)
  }
}

/** @throws SOURCE_REPLACED, LOG_TOPIC_MISSING */
function refuseReplaced(
  { ports, dataDirectory, table }: SourceRequest,
  { name, id }: TopicDescription,
): void {
  const now = requireTopic(ports, dataDirectory, name)
  if (now.id === id) return
  throw new MillraceError('SOURCE_REPLACED', {
    message: `topic ${name}, which table ${table} reads, was deleted and made again`,
    hint: 'begin anew with --fresh, or read it under another table name',
    facts: { topic: name, table, identity: now.id, saved: id },
  })
}

type LogPiece = ReadRecords & RecordPiece

/** Makes the columns that are not in the value. Their cells serve every type that a table may declare them with. */
function metadataReader(
  memory: LinearMemory,
  reader: LogReader,
  topic: string,
  partition: number,
): (key: string, field: Field, records: LogPiece) => Vector {
  const constant = (value: bigint, count: number): Pointer => {
    const cells = memory.arena.allocate(count * 8)
    memory.i64.fill(value, cells >> 3, (cells >> 3) + count)
    return cells
  }
  return (key, { type }, records) => {
    switch (key) {
      case 'offset':
        return { type, cells: records.offsets, validity: 0 }
      case 'timestamp':
        return { type, cells: records.timesUs, validity: 0 }
      case 'log-append-time':
        return {
          type,
          cells: records.appendTimesUs,
          validity: reader.validityOf(records.appendTimesUs, records.count),
        }
      case 'headers': {
        const cells = headerMaps(memory, records.headers, records.count)
        return { type, cells, validity: reader.validityOf(cells, records.count) }
      }
      case 'partition':
        return { type, cells: constant(BigInt(partition), records.count), validity: 0 }
      case 'topic': {
        const bytes = new TextEncoder().encode(topic)
        const address = memory.arena.allocate(bytes.length)
        memory.u8.set(bytes, address)
        const cell = BigInt(address) | (BigInt(bytes.length) << 32n)
        return { type, cells: constant(BigInt.asIntN(64, cell), records.count), validity: 0 }
      }
      default:
        invariant(key === 'key', `the log has metadata ${key}`)
        return {
          type,
          cells: records.keys,
          validity: reader.validityOf(records.keys, records.count),
        }
    }
  }
}
