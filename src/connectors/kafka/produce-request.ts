/**
 * Produce, with record batches that are made already.
 *
 *   request  version 9: transactional_id · acks i16 · timeout_ms i32 · [topics: name · [partitions: index i32 · records · TAG_BUFFER] · TAG_BUFFER] · TAG_BUFFER
 *
 * Version 9 and not a later one: from 12 on the broker adds partitions to transactions by itself and raises the epoch with each,
 * which the way we commit after a restart does not rest on.
 *
 * @see https://kafka.apache.org/protocol#The_Messages_Produce
 */
import type { API, produceV9, Writer } from '@platformatic/kafka'
import type { KafkaClient } from './client.ts'

export interface ProducedBatch {
  readonly topic: string
  readonly partition: number
  readonly batch: Uint8Array
}

type ProduceApi = API<
  [transactionalId: string | undefined, timeoutMs: number, batches: readonly ProducedBatch[]],
  produceV9.ProduceResponse
>

/** Answered when all in-sync replicas have the batches: acks -1. */
export function produceApi(client: KafkaClient): ProduceApi {
  return client.createAPI<
    [string | undefined, number, readonly ProducedBatch[]],
    produceV9.ProduceResponse
  >(
    0,
    9,
    (transactionalId: string | undefined, timeoutMs: number, batches: readonly ProducedBatch[]) =>
      request(client.Writer.create(), transactionalId, timeoutMs, batches),
    client.produceV9.parseResponse,
  )
}

function request(
  writer: Writer,
  transactionalId: string | undefined,
  timeoutMs: number,
  batches: readonly ProducedBatch[],
): Writer {
  const topics = [...new Set(batches.map(({ topic }) => topic))]
  return writer
    .appendString(transactionalId ?? null)
    .appendInt16(-1)
    .appendInt32(timeoutMs)
    .appendArray(topics, (w, name) => {
      const own = batches.filter(({ topic }) => topic === name)
      w.appendString(name).appendArray(own, (each, { partition, batch }) => {
        each
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(Buffer.from(batch.buffer, batch.byteOffset, batch.length))
      })
    })
    .appendTaggedFields()
}
