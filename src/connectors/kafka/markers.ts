/**
 * The topic that says which checkpoints are committed: each transaction holds one record of it, so that it is committed or
 * aborted with the rows.
 *
 *   key     the pipeline's name      value   {"incarnation": 1, "counter": 7}      one partition, compacted
 *
 * What became of a transaction is read off the control batch that its producer's next one is, behind the marker. That does not wait for
 * other pipelines' transactions, as reading only what is committed would.
 */

import {
  COMPRESSION_MASK,
  CONTROL_BIT,
  HEADER_BYTES,
  PREFIX_BYTES,
  readBatchHeader,
} from '../../log/record-batch.ts'
import { readRecords, type StoredRecord } from '../../log/records.ts'
import { type CheckpointId, isAfter } from '../contract/sink.ts'
import { type Cluster, topicMetadata } from './cluster.ts'
import { CODE } from './failure.ts'
import { FETCH_KEY, type FetchedPartition, fetchApi } from './fetch-request.ts'
import { latestOffset } from './offsets.ts'

export const MARKER_PARTITION = 0
const PATIENCE_MS = 60_000
const FETCH_BYTES = 1 << 20

export interface MarkerPlace {
  readonly topic: string
  /** Absent in what was written before it was noted. */
  readonly topicId: string | undefined
  readonly offset: number
}

/** 'unknown': the marker is not where it was written, for the topic is another one, or has lost its end. */
export type Fate = 'committed' | 'aborted' | 'open' | 'unknown'

/** @returns its id. @throws KAFKA_DENIED if it is not there and can't be made */
export async function ensureMarkerTopic(cluster: Cluster, topic: string): Promise<string> {
  return cluster.patiently(PATIENCE_MS, async () => {
    const found = await topicMetadata(cluster, topic)
    if (found !== undefined) return found.topicId
    const metadata = await cluster.metadata([])
    const to = await cluster.connection('ask', metadata.controllerId)
    const { api } = cluster.client.createTopicsV7
    const configs = {
      'cleanup.policy': 'compact',
      'segment.bytes': '16777216',
      // As we write them: markers are read here without codecs.
      'compression.type': 'producer',
    }
    const wanted = {
      name: topic,
      numPartitions: 1,
      // The broker's default.
      replicationFactor: -1,
      assignments: [],
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    }
    const what = `making topic ${topic}`
    const answer = await cluster.ask(what, to, api, [wanted], 30_000, false)
    const code = answer.topics[0]?.errorCode ?? CODE.none
    if (code !== CODE.none && code !== CODE.topicExists) throw cluster.failed(what, code)
    // Until its leader is known.
    throw cluster.failed(what, CODE.unknownTopic)
  })
}

/**
 * What became of the producer's transaction that holds the marker at `place`. A marker that compaction has removed was committed if a
 * later one of the pipeline is there and was.
 */
export async function fateOf(
  cluster: Cluster,
  place: MarkerPlace,
  producerId: number,
  pipeline: string,
  checkpoint: CheckpointId,
): Promise<Fate> {
  const topic = await cluster.patiently(PATIENCE_MS, () => topicMetadata(cluster, place.topic))
  if (topic === undefined || (place.topicId ?? topic.topicId) !== topic.topicId) return 'unknown'
  const end = await endOf(cluster, place.topic)
  if (end <= place.offset) return 'unknown'
  let isThere = false
  let isPassed = false
  /** Whose open transactions hold later markers of the pipeline. */
  const later = new Set<number>()
  for await (const batch of batchesFrom(cluster, place, end)) {
    const { header } = batch
    if (batch.isCommit === undefined) {
      if (
        header.producerId === producerId &&
        header.baseOffset <= place.offset &&
        place.offset <= header.lastOffset
      )
        isThere = true
      for (const marker of markersOf(batch.records, pipeline))
        if (!isAfter(checkpoint, marker)) later.add(header.producerId)
      continue
    }
    if (isThere && header.producerId === producerId) return batch.isCommit ? 'committed' : 'aborted'
    if (later.delete(header.producerId) && batch.isCommit) isPassed = true
  }
  if (isThere) return 'open'
  return isPassed ? 'committed' : 'aborted'
}

/** The newest committed checkpoint of a pipeline. */
export async function lastMarker(
  cluster: Cluster,
  topic: string,
  pipeline: string,
): Promise<CheckpointId | undefined> {
  let last: CheckpointId | undefined
  const open = new Map<number, CheckpointId>()
  const place = { topic, offset: 0 }
  const end = await endOf(cluster, topic)
  for await (const { header, isCommit, records } of batchesFrom(cluster, place, end)) {
    if (isCommit === undefined) {
      const [marker] = markersOf(records, pipeline)
      if (marker !== undefined) open.set(header.producerId, marker)
      continue
    }
    const marker = open.get(header.producerId)
    open.delete(header.producerId)
    if (isCommit && marker !== undefined && (last === undefined || isAfter(marker, last)))
      last = marker
  }
  // Compaction takes the control batches of what it keeps last of all.
  return last
}

interface MarkerBatch {
  readonly header: ReturnType<typeof readBatchHeader>
  /** Of control batches: true ends a transaction well. */
  readonly isCommit: boolean | undefined
  readonly records: readonly StoredRecord[]
}

/**
 * Where the topic ends now, uncommitted records included. A leader that is new answers it when it knows of all that was acknowledged,
 * while it would answer a fetch at once: what is not there yet must not be taken for what is not there.
 */
function endOf(cluster: Cluster, topic: string): Promise<number> {
  const asked = { cluster, table: topic, isReadCommitted: false }
  return latestOffset(asked, { topic, partition: MARKER_PARTITION })
}

/** All batches from an offset to `end`, uncommitted ones too. */
async function* batchesFrom(
  cluster: Cluster,
  { topic, offset: from }: Pick<MarkerPlace, 'topic' | 'offset'>,
  end: number,
): AsyncGenerator<MarkerBatch> {
  let offset = from
  while (offset < end) {
    const bytes = await cluster.patiently(PATIENCE_MS, () => fetched(cluster, topic, offset, end))
    if (bytes === undefined) return
    let at = 0
    while (at + HEADER_BYTES <= bytes.length) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getInt32(8) + PREFIX_BYTES
      if (at + length > bytes.length) break
      const batch = bytes.subarray(at, at + length)
      const header = readBatchHeader(batch, 0)
      at += length
      if (header.lastOffset < offset) continue
      offset = header.lastOffset + 1
      const isControl = (header.attributes & CONTROL_BIT) !== 0
      const records = (header.attributes & COMPRESSION_MASK) === 0 ? readRecords(batch) : []
      yield { header, records, isCommit: isControl ? isCommitMarker(records) : undefined }
    }
    if (at === 0) throw cluster.failed(`reading ${topic}`, CODE.corruptMessage)
  }
}

/** The key of a control record: version i16, type i16, 0 = abort, 1 = commit. */
function isCommitMarker(records: readonly StoredRecord[]): boolean {
  const key = records[0]?.key
  return key !== undefined && key !== null && key[3] === 1
}

function markersOf(records: readonly StoredRecord[], pipeline: string): CheckpointId[] {
  return records.flatMap(({ key, value }) => {
    if (key === null || value === null || new TextDecoder().decode(key) !== pipeline) return []
    const { incarnation, counter } = JSON.parse(new TextDecoder().decode(value))
    return [{ incarnation, counter }]
  })
}

/** Undefined if compaction has left nothing up to `end`. */
async function fetched(
  cluster: Cluster,
  topic: string,
  offset: number,
  end: number,
): Promise<Uint8Array | undefined> {
  const found = await topicMetadata(cluster, topic)
  const what = `reading ${topic}`
  if (found === undefined) throw cluster.failed(what, CODE.unknownTopic)
  const to = await cluster.connection('ask', found.partitions[0]?.leaderId ?? -1)
  const api = fetchApi(cluster.client, await cluster.versionMax(FETCH_KEY))
  const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: FETCH_BYTES, isReadCommitted: false }
  const partitions = [{ partition: MARKER_PARTITION, offset, bytesMax: FETCH_BYTES }]
  const answer = await cluster.ask(what, to, api, limits, [
    { name: topic, id: found.topicId, partitions },
  ])
  const [partition] = answer.partitions
  const code = answer.errorCode || (partition?.errorCode ?? CODE.unknownTopic)
  if (code === CODE.offsetOutOfRange && isBefore(offset, partition))
    return fetched(cluster, topic, partition.logStartOffset, end)
  // Behind the end of a leader that does not know all yet.
  const isBehind = code === CODE.none && partition!.highWatermark < end
  if (isBehind || code === CODE.offsetOutOfRange)
    throw cluster.failed(what, CODE.offsetNotAvailable)
  if (code !== CODE.none) throw cluster.failed(what, code)
  const bytes = Buffer.concat(partition!.pieces)
  return bytes.length === 0 ? undefined : bytes
}

function isBefore(
  offset: number,
  partition: FetchedPartition | undefined,
): partition is FetchedPartition {
  return partition !== undefined && offset < partition.logStartOffset
}
