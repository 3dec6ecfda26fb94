/**
 * The event log of a data directory, opened for writing: topics, appends, retention.
 *
 * One process owns the directory and opens this in its main thread; everyone else reads (./reader.ts) without a lock.
 * Opening the same directory twice in a process gives the same log: it closes with its last user.
 */
import { resolve } from 'node:path'
import { invariant } from '../errors.ts'
import type { Files } from '../ports/files.ts'
import type { Ports } from '../ports/ports.ts'
import { createBatchBuilder } from './batch-builder.ts'
import { type CompactionProgress, compactPartition, type Pause } from './compaction.ts'
import { endedWell } from './ended-well.ts'
import { type EventIds, loadEventIds } from './event-ids.ts'
import { type AppendedBatch, type FsyncPolicy, PartitionWriter } from './partition-writer.ts'
import { partitionOf } from './partitioner.ts'
import { leastPin } from './pins.ts'
import { batchesOf, checkRecords, type ProducedRecord, withoutKnown } from './produced-records.ts'
import { type ProducerState, sequenceAfter } from './producers.ts'
import { type ProducerSequence, readBatchHeader } from './record-batch.ts'
import { retainPartition } from './retention.ts'
import {
  createTopicFile,
  describeTopic,
  listTopics,
  partitionDirectory,
  requireTopic,
  type TopicDescription,
  type TopicSettings,
} from './topics.ts'

export interface Appended {
  /** Of the first record that was appended; `endOffset` if none was. */
  readonly baseOffset: number
  /** Exclusive. */
  readonly endOffset: number
  readonly appended: number
  /** Records that were there already. */
  readonly duplicates: number
}

export interface Maintained {
  readonly segmentsRemoved: number
  readonly recordsRemoved: number
}

export interface OpenLogRequest {
  readonly ports: Ports
  readonly dataDirectory: string
  /** 'batch' unless told. The first to open the directory decides. */
  readonly fsync?: FsyncPolicy
}

const encoder = new TextEncoder()

/** How long is believed what a topic's file said: who appends event by event would read it for each. */
const DESCRIBED_MS = 1000

const opened = new WeakMap<Files, Map<string, EventLog>>()

/** Opens the log of a data directory for writing; partitions are recovered when first written. */
export function openLog(request: OpenLogRequest): EventLog {
  const { ports } = request
  const dataDirectory = resolve(request.dataDirectory)
  const byDirectory = opened.get(ports.files) ?? new Map<string, EventLog>()
  opened.set(ports.files, byDirectory)
  const known = byDirectory.get(dataDirectory)
  if (known !== undefined) return known.share()
  const log = new EventLog({ ...request, dataDirectory }, () => byDirectory.delete(dataDirectory))
  byDirectory.set(dataDirectory, log)
  return log
}

interface OpenPartition {
  readonly writer: PartitionWriter
  readonly topic: TopicDescription
  eventIds: EventIds | undefined
  compaction: CompactionProgress | undefined
}

export class EventLog {
  readonly dataDirectory: string
  readonly #ports: Ports
  readonly #fsync: FsyncPolicy
  readonly #forget: () => void
  /** Of all partitions: one buffer for every append, or collectors have much to do. */
  readonly #builder = createBatchBuilder()
  readonly #partitions = new Map<string, Promise<OpenPartition>>()
  readonly #described = new Map<string, { readonly partitions: number; readonly atMs: number }>()
  #users = 1
  #nextPartition = 0

  constructor({ ports, dataDirectory, fsync }: OpenLogRequest, forget: () => void) {
    this.#ports = ports
    this.dataDirectory = dataDirectory
    this.#fsync = fsync ?? { kind: 'batch' }
    this.#forget = forget
  }

  /** One more user, who closes it too. */
  share(): this {
    this.#users++
    return this
  }

  /** @throws LOG_TOPIC_INVALID, LOG_TOPIC_EXISTS */
  createTopic(
    name: string,
    options: { readonly partitions?: number; readonly settings?: TopicSettings } = {},
  ): Promise<TopicDescription> {
    const { partitions = 1, settings = {} } = options
    return createTopicFile(this.#ports, this.dataDirectory, name, partitions, settings)
  }

  /** Undefined if it does not exist. */
  topic(name: string): TopicDescription | undefined {
    return describeTopic(this.#ports, this.dataDirectory, name)
  }

  topics(): readonly string[] {
    return listTopics(this.#ports, this.dataDirectory)
  }

  /**
   * Appends records to one partition, in order; answers under the fsync policy.
   * With a producer, `sequence` is that of the first record. Event ids and a producer exclude one another.
   * @throws LOG_TOPIC_MISSING, LOG_RECORD_TOO_LARGE, LOG_KEY_MISSING (compacted topics), LOG_WRITE_FAILED, LOG_FSYNC_FAILED,
   *   LOG_CORRUPT (recovery), LOG_PRODUCER_FENCED, LOG_SEQUENCE_GAP
   */
  async append(
    topic: string,
    partition: number,
    records: readonly ProducedRecord[],
    producer?: ProducerSequence,
  ): Promise<Appended> {
    const open = await this.#open(topic, partition)
    checkRecords(open.topic, records)
    const appended = await open.writer.exclusively(() => this.#place(open, records, producer))
    await open.writer.acknowledge()
    return appended
  }

  /**
   * Appends records to the partitions of their keys, of their event ids where they have no key, or in turn.
   * Order is kept within a partition.
   */
  async produce(topic: string, records: readonly ProducedRecord[]): Promise<Appended[]> {
    const partitions = this.#partitionsOf(topic)
    const turn = this.#nextPartition++ % partitions
    const byPartition = new Map<number, ProducedRecord[]>()
    for (const record of records) {
      const key =
        record.key ?? (record.eventId === undefined ? null : encoder.encode(record.eventId))
      const partition = key === null ? turn : partitionOf(key, partitions)
      const group = byPartition.get(partition)
      if (group === undefined) byPartition.set(partition, [record])
      else group.push(record)
    }
    return Promise.all(
      [...byPartition].map(([partition, group]) => this.append(topic, partition, group)),
    )
  }

  /**
   * Appends a batch as `createBatchBuilder(...).finish(...)` gives it: what is encoded already, as a sink's staged rows.
   * The batch is stamped in place.
   */
  async appendBatch(
    topic: string,
    partition: number,
    batch: Uint8Array,
    producer?: ProducerSequence,
  ): Promise<AppendedBatch> {
    const { writer } = await this.#open(topic, partition)
    return writer.append(batch, producer)
  }

  /** What the partition knows of an idempotent producer; undefined if nothing. */
  async producer(
    topic: string,
    partition: number,
    producerId: number,
  ): Promise<ProducerState | undefined> {
    const { writer } = await this.#open(topic, partition)
    return writer.producer(producerId)
  }

  /** The partition's writer, recovered: for retention and compaction. */
  async partition(topic: string, partition: number): Promise<PartitionWriter> {
    return (await this.#open(topic, partition)).writer
  }

  /**
   * Recovers all partitions that did not end well and publishes what they hold. The owner calls it when it starts: after a power
   * cut, but not after a kill, readers may be shown less than was acknowledged until then.
   * @throws LOG_CORRUPT
   */
  async recover(): Promise<void> {
    for (const name of this.topics()) {
      const { partitions } = requireTopic(this.#ports, this.dataDirectory, name)
      for (let partition = 0; partition < partitions; partition++) {
        const directory = partitionDirectory(this.dataDirectory, name, partition)
        const { files } = this.#ports
        if (files.exists(directory) && !endedWell(files, directory))
          await this.#open(name, partition)
      }
    }
  }

  /**
   * Applies retention and compaction to all topics: nothing at or after a pin goes. The owner calls it from time to time.
   * `pause` is asked between pieces of work, a few ms each: it lets others work, and says whether to go on.
   */
  async maintain(pause: Pause = async () => true): Promise<Maintained> {
    let [segmentsRemoved, recordsRemoved] = [0, 0]
    for (const name of this.topics()) {
      const topic = requireTopic(this.#ports, this.dataDirectory, name)
      for (let partition = 0; partition < topic.partitions; partition++) {
        const directory = partitionDirectory(this.dataDirectory, name, partition)
        if (keepsAll(topic) || !this.#ports.files.exists(directory)) continue
        if (!(await pause())) return { segmentsRemoved, recordsRemoved }
        const open = await this.#open(name, partition)
        const pinned = leastPin(this.#ports, this.dataDirectory, name, partition)
        segmentsRemoved += await retainPartition(this.#ports, open.writer, topic.config, pinned)
        if (topic.config.cleanupPolicy !== 'compact') continue
        recordsRemoved += await this.#compact(open, topic, pinned, pause)
      }
    }
    return { segmentsRemoved, recordsRemoved }
  }

  /** Everything placed so far is on the disk when it resolves. */
  async flush(): Promise<void> {
    const open = await Promise.all(this.#partitions.values())
    await Promise.all(open.map(({ writer }) => writer.sync()))
  }

  /** The last user's close syncs and closes the files. */
  async close(): Promise<void> {
    invariant(this.#users > 0, 'a log is closed once by each user')
    if (--this.#users > 0) return
    this.#forget()
    const settled = await Promise.allSettled(
      [...this.#partitions.values()].map(async (open) => (await open).writer.close()),
    )
    this.#partitions.clear()
    for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #open(topic: string, partition: number): Promise<OpenPartition> {
    invariant(this.#users > 0, 'the log is open')
    const name = `${topic}-${partition}`
    const known = this.#partitions.get(name)
    if (known === undefined) return this.#keep(name, this.#openPartition(topic, partition))
    const open = await known
    if (!open.writer.mayRecover) return open
    // Of several that meet a writer which a full disk has stopped, one opens the partition anew.
    if (this.#partitions.get(name) === known) {
      const closed = open.writer.close().catch(() => {})
      this.#keep(
        name,
        closed.then(() => this.#openPartition(topic, partition)),
      )
    }
    return this.#open(topic, partition)
  }

  #partitionsOf(topic: string): number {
    const nowMs = this.#ports.clock.monotonicMs()
    const known = this.#described.get(topic)
    if (known !== undefined && nowMs - known.atMs < DESCRIBED_MS) return known.partitions
    const { partitions } = requireTopic(this.#ports, this.dataDirectory, topic)
    this.#described.set(topic, { partitions, atMs: nowMs })
    return partitions
  }

  #keep(name: string, opening: Promise<OpenPartition>): Promise<OpenPartition> {
    this.#partitions.set(name, opening)
    // What fails to open is tried anew by the next who asks.
    opening.catch(() => this.#partitions.delete(name))
    return opening
  }

  async #openPartition(name: string, partition: number): Promise<OpenPartition> {
    const topic = requireTopic(this.#ports, this.dataDirectory, name)
    invariant(
      Number.isInteger(partition) && partition >= 0 && partition < topic.partitions,
      `topic ${name} has partitions 0 to ${topic.partitions - 1}, not ${partition}`,
    )
    const directory = partitionDirectory(this.dataDirectory, name, partition)
    const writer = await PartitionWriter.open(this.#ports, directory, topic.config, this.#fsync)
    return { writer, topic, eventIds: undefined, compaction: undefined }
  }

  async #place(
    open: OpenPartition,
    records: readonly ProducedRecord[],
    producer: ProducerSequence | undefined,
  ): Promise<Appended> {
    const { writer, topic } = open
    const ids = records.some((record) => record.eventId !== undefined)
      ? this.#eventIds(open)
      : undefined
    const fresh = ids === undefined ? records : withoutKnown(records, ids, writer.endOffset)
    const nowMs = this.#ports.clock.nowMs()
    let appended = 0
    let baseOffset: number | undefined
    let endOffset = writer.endOffset
    let sequence = producer?.sequence ?? 0
    let next = 0
    for (const batch of batchesOf(this.#builder, fresh, topic, nowMs)) {
      const { recordCount } = readBatchHeader(batch, 0)
      const placed = await writer.place(batch, producer && { ...producer, sequence })
      baseOffset ??= placed.baseOffset
      endOffset = placed.endOffset
      sequence = sequenceAfter(sequence, recordCount)
      if (!placed.duplicate) appended += recordCount
      for (let index = 0; ids !== undefined && index < recordCount; index++) {
        const { eventId } = fresh[next++]!
        if (eventId !== undefined) ids.add(eventId, placed.baseOffset + index)
      }
    }
    baseOffset ??= endOffset
    return { baseOffset, endOffset, appended, duplicates: records.length - appended }
  }

  async #compact(
    open: OpenPartition,
    { config }: TopicDescription,
    pinned: number | undefined,
    pause: Pause,
  ): Promise<number> {
    const done = await compactPartition(
      this.#ports,
      open.writer,
      config,
      pinned,
      open.compaction,
      pause,
    )
    open.compaction = done
    return done.recordsBefore - done.recordsAfter
  }

  #eventIds(open: OpenPartition): EventIds {
    const { writer, topic } = open
    open.eventIds ??= loadEventIds(
      this.#ports.files,
      writer.directory,
      writer.endOffset,
      topic.config.eventIdWindowRecords,
    )
    return open.eventIds
  }
}

function keepsAll({ config }: TopicDescription): boolean {
  return config.retentionMs < 0 && config.retentionBytes < 0 && config.cleanupPolicy === 'delete'
}
