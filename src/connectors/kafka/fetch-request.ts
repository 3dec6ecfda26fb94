/**
 * Fetch, with the record batches left as bytes.
 *
 *   request   version 13: replica_id i32 = -1 · max_wait_ms i32 · min_bytes i32 · max_bytes i32 · isolation_level i8 · session_id i32
 *             session_epoch i32 · [topics] · [forgotten_topics_data] · rack_id · TAG_BUFFER
 *             topic: topic_id uuid (version 12: name) · [partitions] · TAG_BUFFER
 *             partition: partition i32 · current_leader_epoch i32 · fetch_offset i64 · last_fetched_epoch i32 · log_start_offset i64
 *                        partition_max_bytes i32 · TAG_BUFFER
 *   response  throttle_time_ms i32 · error_code i16 · session_id i32 · [topics] · TAG_BUFFER
 *             partition: partition_index i32 · error_code i16 · high_watermark i64 · last_stable_offset i64 · log_start_offset i64
 *                        [aborted_transactions: producer_id i64 · first_offset i64 · TAG_BUFFER] · preferred_read_replica i32 · records · TAG_BUFFER
 *
 * @see https://kafka.apache.org/protocol#The_Messages_Fetch
 */
import type { API, Reader, Writer } from '@platformatic/kafka'
import type { KafkaClient } from './client.ts'

export const FETCH_KEY = 1
/** From version 13 on topics go by their ids: one that was made anew under the same name is another. */
export const FETCH_BY_ID = 13
const FETCH_BY_NAME = 12

export interface FetchTopic {
  readonly name: string
  readonly id: string
  readonly partitions: readonly FetchFrom[]
}

export interface FetchFrom {
  readonly partition: number
  readonly offset: number
  readonly bytesMax: number
}

export interface FetchLimits {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isReadCommitted: boolean
}

export interface FetchedPartition {
  /** Id or name, as the request had it. */
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** The batches, in the pieces that came from the socket; they stay as long as they are held. */
  readonly pieces: readonly Uint8Array[]
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

type FetchApi = API<[limits: FetchLimits, topics: readonly FetchTopic[]], FetchAnswer>

/** `versionMax` is the broker's. */
export function fetchApi(client: KafkaClient, versionMax: number): FetchApi {
  const byId = versionMax >= FETCH_BY_ID
  return client.createAPI<[FetchLimits, readonly FetchTopic[]], FetchAnswer>(
    FETCH_KEY,
    byId ? FETCH_BY_ID : FETCH_BY_NAME,
    (limits: FetchLimits, topics: readonly FetchTopic[]) =>
      request(client.Writer.create(), limits, topics, byId),
    (_correlationId: number, _key: number, _version: number, reader: Reader) =>
      answer(reader, byId),
  )
}

function request(
  writer: Writer,
  limits: FetchLimits,
  topics: readonly FetchTopic[],
  byId: boolean,
): Writer {
  return writer
    .appendInt32(-1)
    .appendInt32(limits.maxWaitMs)
    .appendInt32(limits.minBytes)
    .appendInt32(limits.maxBytes)
    .appendInt8(limits.isReadCommitted ? 1 : 0)
    .appendInt32(0)
    .appendInt32(-1)
    .appendArray([...topics], (w, { name, id, partitions }) => {
      if (byId) w.appendUUID(id)
      else w.appendString(name)
      w.appendArray([...partitions], (each, { partition, offset, bytesMax }) => {
        each
          .appendInt32(partition)
          .appendInt32(-1)
          .appendInt64(BigInt(offset))
          .appendInt32(-1)
          .appendInt64(-1n)
          .appendInt32(bytesMax)
      })
    })
    .appendArray([], () => {})
    .appendString('')
    .appendTaggedFields()
}

function answer(reader: Reader, byId: boolean): FetchAnswer {
  reader.readInt32()
  const errorCode = reader.readInt16()
  reader.readInt32()
  const topics = reader.readArray((r) => {
    const topic = byId ? r.readUUID() : r.readString()
    return r.readArray((each) => partitionOf(each, topic), true, true)
  })
  return { errorCode, partitions: topics.flat() }
}

function partitionOf(reader: Reader, topic: string): FetchedPartition {
  const facts = {
    topic,
    partition: reader.readInt32(),
    errorCode: reader.readInt16(),
    highWatermark: Number(reader.readInt64()),
    lastStableOffset: Number(reader.readInt64()),
    logStartOffset: Number(reader.readInt64()),
    aborted:
      reader.readNullableArray((r) => ({
        producerId: Number(r.readInt64()),
        firstOffset: Number(r.readInt64()),
      })) ?? [],
  }
  reader.readInt32()
  // COMPACT_RECORDS: the length plus one; 0 is null.
  const bytes = Math.max(reader.readUnsignedVarInt() - 1, 0)
  const { buffers } = reader.buffer.subarray(reader.position, reader.position + bytes)
  reader.skip(bytes)
  return { ...facts, pieces: bytes === 0 ? [] : buffers }
}
