/** One partition as it is fetched: what has come and is not yet read, where the next fetch goes on, and what stands in the way. */
import type { LinearMemory } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import { decompress } from '../../log/compression.ts'
import type { CellsWanted } from '../../log/frame-records.ts'
import { type BatchHeader, CONTROL_BIT, TRANSACTIONAL_BIT } from '../../log/record-batch.ts'
import { decodeChunk, type RecordChunk } from '../../log/record-chunk.ts'
import type { KafkaClient } from './client.ts'
import type { Cluster } from './cluster.ts'
import type { AbortedTransaction, FetchedPartition } from './fetch-request.ts'
import {
  earliestOffset,
  latestOffset,
  type OffsetsRequest,
  type TopicPartition,
} from './offsets.ts'

export interface Gap {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

export interface Feed extends TopicPartition {
  readonly memory: LinearMemory
  readonly wanted: CellsWanted
  readonly chunks: RecordChunk[]
  /** Offsets that could not be read, oldest first: whoever reads tells them. */
  readonly gaps: Gap[]
  fetchOffset: number
  leader: number
  highWatermark: number
  /** True once the broker has said what there is. */
  isAnswered: boolean
  isResetting: boolean
  /** Passes by itself; told meanwhile. */
  trouble: string | undefined
  /** Does not. */
  failure: MillraceError | undefined
  /** The oldest chunk, which is the caller's to free. */
  take(): RecordChunk | undefined
  /** True if nothing was there when the broker was last asked. */
  isAtEnd(): boolean
  range(): Promise<{ readonly start: number; readonly end: number }>
  close(): void
}

const LZ4 = 3
const SNAPPY = 2

export function feedAt(
  at: TopicPartition,
  offset: number,
  memory: LinearMemory,
  wanted: CellsWanted,
  cluster: Cluster,
  { table, isReadCommitted }: { readonly table: string; readonly isReadCommitted: boolean },
  wake: () => void,
): Feed {
  const chunks: RecordChunk[] = []
  let closed = false
  const looking: OffsetsRequest = {
    cluster,
    table,
    options: {},
    properties: { table, get: () => undefined, number: (_, fallback) => fallback },
    isReadCommitted,
  }
  const feed: Feed = {
    ...at,
    memory,
    wanted,
    chunks,
    gaps: [],
    fetchOffset: offset,
    leader: -1,
    highWatermark: -1,
    isAnswered: false,
    isResetting: false,
    trouble: undefined,
    failure: undefined,
    take() {
      const chunk = chunks.shift()
      if (chunk !== undefined) wake()
      return chunk
    },
    isAtEnd: () =>
      feed.isAnswered &&
      feed.trouble === undefined &&
      chunks.length === 0 &&
      feed.fetchOffset >= feed.highWatermark,
    range: async () => ({
      start: await earliestOffset(looking, at),
      end: await latestOffset({ ...looking, isReadCommitted: false }, at),
    }),
    close() {
      if (closed) return
      closed = true
      for (const chunk of chunks.splice(0)) chunk.free()
    },
  }
  return feed
}

/** Decodes what came and moves the feed's offset behind it. @throws KAFKA_BATCH_CORRUPT */
export function decodeFetched(
  feed: Feed,
  { pieces, aborted }: FetchedPartition,
  options: { readonly cluster: Cluster; readonly table: string; readonly checksums: boolean },
): void {
  if (pieces.length === 0) return
  const { topic, partition, memory, wanted, fetchOffset } = feed
  const skips = aborted.length === 0 ? undefined : abortedBatches(aborted)
  const chunk = decodeChunk({
    memory,
    wanted,
    pieces,
    fromOffset: fetchOffset,
    ...(skips === undefined ? {} : { skips }),
    unpack: (code, bytes) => unpack(options.cluster.client, code, bytes),
    checksums: options.checksums,
    fail: (what) =>
      new MillraceError('KAFKA_BATCH_CORRUPT', {
        message: `table ${options.table}: ${topic}[${partition}] from offset ${fetchOffset} on: ${what}`,
        hint: 'look at the segment with kafka-dump-log; to go on behind it, start with scan.startup.specific-offsets and --fresh',
        facts: { table: options.table, topic, partition, offset: fetchOffset },
      }),
  })
  if (chunk === undefined) return
  feed.fetchOffset = chunk.nextOffset
  feed.chunks.push(chunk)
}

/**
 * Which batches are of transactions that were aborted. A producer's transaction begins at its first offset and ends with the
 * producer's next control batch. @see Kafka's documentation of Fetch, aborted_transactions
 */
function abortedBatches(aborted: readonly AbortedTransaction[]): (header: BatchHeader) => boolean {
  const begins = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<number>()
  let next = 0
  return ({ lastOffset, producerId, attributes }) => {
    while (next < begins.length && begins[next]!.firstOffset <= lastOffset)
      open.add(begins[next++]!.producerId)
    if ((attributes & CONTROL_BIT) !== 0) {
      open.delete(producerId)
      return true
    }
    return (attributes & TRANSACTIONAL_BIT) !== 0 && open.has(producerId)
  }
}

function unpack(client: KafkaClient, code: number, bytes: Uint8Array): Uint8Array {
  if (code !== LZ4 && code !== SNAPPY) return decompress(code, bytes)
  const { lz4, snappy } = client.compressionsAlgorithms
  const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return (code === LZ4 ? lz4 : snappy).decompressSync(packed)
}

export function offsetGone(
  table: string,
  { topic, partition, fetchOffset }: Feed,
  { start, end }: { readonly start: number; readonly end: number },
): MillraceError {
  const what =
    fetchOffset < start ? 'has been removed (retention)' : 'is behind the end (truncation)'
  return new MillraceError('KAFKA_OFFSET_OUT_OF_RANGE', {
    message: `table ${table}: offset ${fetchOffset} of ${topic}[${partition}] ${what}: there are ${start} to ${end}`,
    hint: "to go on with a gap that is told in $dead: 'scan.offset-out-of-range' = 'earliest'; or begin anew with --fresh",
    facts: { table, topic, partition, offset: fetchOffset, startOffset: start, endOffset: end },
  })
}

export function topicRecreated(table: string, topic: string): MillraceError {
  return new MillraceError('KAFKA_TOPIC_RECREATED', {
    message: `table ${table}: topic ${topic} was deleted and made again: its offsets are others`,
    hint: 'begin anew with --fresh',
    facts: { table, topic },
  })
}
