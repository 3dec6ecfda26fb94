/**
 * The one writer of a partition: appends batches, rolls segments, syncs in groups and publishes how far readers may read.
 *
 * Appends take their places one after another; their syncs are shared: what is written while one is under way is
 * covered by the next. After a failed sync nothing is believed: the partition refuses everything until it is recovered.
 */
import { invariant, MillraceError } from '../errors.ts'
import type { FileHandle } from '../ports/files.ts'
import type { Ports } from '../ports/ports.ts'
import { errorCode, replaceFile } from './durable-files.ts'
import { highWatermarkPath, publish } from './high-watermark.ts'
import type { ProducerState, ProducerTable } from './producers.ts'
import { type ProducerSequence, readBatchHeader, stampBatch } from './record-batch.ts'
import { recoverPartition } from './recovery.ts'
import {
  type ActiveSegment,
  closeSegment,
  indexBatch,
  indexTime,
  openSegment,
  segmentPath,
} from './segment.ts'
import type { TopicConfig } from './topics.ts'

/**
 * When an append is answered. 'batch': when it is on the disk. 'interval': when the system has it, and synced within
 * `intervalMs`. 'os': when the system has it. SIGKILL takes nothing acknowledged from any; power loss what is not synced.
 */
export type FsyncPolicy =
  | { readonly kind: 'batch' }
  | { readonly kind: 'interval'; readonly intervalMs: number }
  | { readonly kind: 'os' }

export interface AppendedBatch {
  readonly baseOffset: number
  /** Exclusive. */
  readonly endOffset: number
  readonly appendTimeMs: number
  /** True when it was there already: the producer had sent it before. */
  readonly duplicate: boolean
}

export class PartitionWriter {
  readonly directory: string
  readonly #ports: Ports
  readonly #config: TopicConfig
  readonly #fsync: FsyncPolicy
  readonly #published: FileHandle
  readonly #stop = new AbortController()
  #active: ActiveSegment
  #producers: ProducerTable
  #endOffset: number
  #durableTo: number
  #logStart: number
  /** Set once, for good. */
  #failure: MillraceError | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #syncing: Promise<void> | undefined
  #intervalSync: Promise<void> | undefined

  /** @throws LOG_CORRUPT if what is there can't be believed */
  static async open(
    ports: Ports,
    directory: string,
    config: TopicConfig,
    fsync: FsyncPolicy,
  ): Promise<PartitionWriter> {
    const writer = new PartitionWriter(ports, directory, config, fsync, {
      ...(await recoverPartition(ports, directory)),
      published: ports.files.open(highWatermarkPath(directory), 'write'),
    })
    writer.#publish()
    await writer.#published.sync()
    await ports.files.syncDirectory(directory)
    return writer
  }

  private constructor(
    ports: Ports,
    directory: string,
    config: TopicConfig,
    fsync: FsyncPolicy,
    recovered: {
      readonly active: ActiveSegment
      readonly producers: ProducerTable
      readonly nextOffset: number
      readonly logStart: number
      readonly published: FileHandle
    },
  ) {
    this.#ports = ports
    this.directory = directory
    this.#config = config
    this.#fsync = fsync
    this.#active = recovered.active
    this.#producers = recovered.producers
    this.#endOffset = recovered.nextOffset
    this.#durableTo = recovered.nextOffset
    this.#logStart = recovered.logStart
    this.#published = recovered.published
  }

  /** The offset that the next record gets. */
  get endOffset(): number {
    return this.#endOffset
  }

  get logStart(): number {
    return this.#logStart
  }

  get activeBaseOffset(): number {
    return this.#active.baseOffset
  }

  /** True when a full disk has stopped the writer: opened anew, the partition goes on. A failed sync stops it for good. */
  get mayRecover(): boolean {
    const { code, facts } = this.#failure ?? {}
    return code === 'LOG_WRITE_FAILED' && (facts?.errno === 'ENOSPC' || facts?.errno === 'EDQUOT')
  }

  producer(producerId: number): ProducerState | undefined {
    return this.#producers.get(producerId)
  }

  /** Runs `body` when every append before it has its place; none gets one meanwhile. */
  exclusively<Result>(body: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(() => {
      if (this.#failure !== undefined) throw this.#failure
      return body()
    })
    this.#queue = result.catch(() => {})
    return result
  }

  /** Appends one batch, as `BatchBuilder.finish` gives it, and answers under the fsync policy. */
  async append(batch: Uint8Array, producer?: ProducerSequence): Promise<AppendedBatch> {
    const appended = await this.exclusively(() => this.place(batch, producer))
    await this.acknowledge()
    return appended
  }

  /**
   * Writes one batch at the log's end, within `exclusively`; `acknowledge` says when it is safe.
   * @throws LOG_RECORD_TOO_LARGE, LOG_WRITE_FAILED (nothing was appended), LOG_PRODUCER_FENCED, LOG_SEQUENCE_GAP
   */
  async place(batch: Uint8Array, producer?: ProducerSequence): Promise<AppendedBatch> {
    if (batch.length > this.#config.messageBytesMax) throw this.#tooLarge(batch.length)
    const { recordCount } = readBatchHeader(batch, 0)
    const nowMs = this.#ports.clock.nowMs()
    if (producer !== undefined) {
      const check = this.#producers.check(producer, recordCount)
      if (check.kind === 'duplicate')
        return {
          baseOffset: check.baseOffset,
          endOffset: check.lastOffset + 1,
          appendTimeMs: nowMs,
          duplicate: true,
        }
    }
    if (this.#mustRoll(batch.length, nowMs)) await this.roll()
    const baseOffset = this.#endOffset
    const appendTimeMs = this.#config.timestampType === 'LogAppendTime' ? nowMs : undefined
    stampBatch(batch, baseOffset, appendTimeMs, producer)
    this.#write(batch, nowMs)
    this.#producers.record(readBatchHeader(batch, 0))
    this.#endOffset = baseOffset + recordCount
    if (this.#fsync.kind !== 'batch') this.#publish()
    return { baseOffset, endOffset: this.#endOffset, appendTimeMs: nowMs, duplicate: false }
  }

  /** Resolves when what has been placed so far is as safe as the policy says. */
  async acknowledge(): Promise<void> {
    if (this.#fsync.kind === 'batch') return this.sync()
    if (this.#fsync.kind === 'os' || this.#intervalSync !== undefined) return
    this.#intervalSync = this.#ports.clock
      .sleep(this.#fsync.intervalMs, this.#stop.signal)
      .then(() => this.sync())
      // A failure is kept in #failure and met by the next append.
      .catch(() => {})
      .finally(() => {
        this.#intervalSync = undefined
      })
  }

  /**
   * Resolves when what has been placed so far is on the disk.
   * @throws LOG_FSYNC_FAILED
   */
  async sync(): Promise<void> {
    const target = this.#endOffset
    while (this.#durableTo < target) {
      if (this.#failure !== undefined) throw this.#failure
      this.#syncing ??= this.#syncOnce().finally(() => {
        this.#syncing = undefined
      })
      await this.#syncing
    }
  }

  /** Ends the active segment and begins the next, within `exclusively`. An empty segment stays. */
  async roll(): Promise<void> {
    const { faultPoint, files } = this.#ports
    await this.sync()
    await this.#syncing
    const ended = this.#active
    if (ended.bytes === 0) return
    indexTime(ended)
    faultPoint('log.roll.index-sync')
    await this.#guarded('sync', async () => {
      await ended.index.sync()
      await ended.timeIndex.sync()
    })
    const base = this.#endOffset
    const snapshot = segmentPath(this.directory, base, 'producers')
    await this.#guarded('write', () =>
      replaceFile(this.#ports, snapshot, this.#producers.toText(), 'log.producers'),
    )
    faultPoint('log.roll.create')
    await this.#guarded('write', async () => {
      this.#active = openSegment(files, this.directory, base)
    })
    faultPoint('log.roll.directory-sync')
    await this.#guarded('sync', () => files.syncDirectory(this.directory))
    closeSegment(ended)
    faultPoint('log.roll.done')
  }

  /** Retention has taken, or is about to take, what lies below `offset`. Durable when it resolves. */
  async moveLogStart(offset: number): Promise<void> {
    invariant(offset >= this.#logStart && offset <= this.#endOffset, `a log start of ${offset}`)
    this.#logStart = offset
    this.#publish()
    await this.#guarded('sync', () => this.#published.sync())
  }

  /** Syncs what was placed; then refuses everything. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#queue
    await this.#intervalSync
    try {
      if (this.#failure === undefined) {
        await this.sync()
        indexTime(this.#active)
      }
    } finally {
      await this.#syncing?.catch(() => {})
      this.#failure ??= new MillraceError('LOG_WRITE_FAILED', {
        message: `${this.directory} is closed for writing`,
        hint: 'open the log again',
        facts: { directory: this.directory },
      })
      closeSegment(this.#active)
      this.#published.close()
    }
  }

  #mustRoll(bytes: number, nowMs: number): boolean {
    const { bytes: used, firstAppendMs } = this.#active
    if (used === 0) return false
    if (used + bytes > this.#config.segmentBytes) return true
    return firstAppendMs !== undefined && nowMs - firstAppendMs > this.#config.segmentMs
  }

  #write(batch: Uint8Array, nowMs: number): void {
    const segment = this.#active
    const before = { ...segment }
    try {
      this.#ports.faultPoint('log.append.write')
      segment.log.write(batch, segment.bytes)
      this.#ports.faultPoint('log.append.index')
      indexBatch(segment, readBatchHeader(batch, 0), nowMs)
      this.#ports.faultPoint('log.append.written')
    } catch (error) {
      this.#takeBack(segment, before)
      throw this.#failed('write', error)
    }
  }

  /** A full disk may have taken half a batch: the end is cut back to where it was. */
  #takeBack(segment: ActiveSegment, before: ActiveSegment): void {
    Object.assign(segment, before)
    try {
      segment.log.truncate(segment.bytes)
      segment.index.truncate(segment.indexBytes)
      segment.timeIndex.truncate(segment.timeIndexBytes)
    } catch (error) {
      this.#failure = this.#failed('write', error)
    }
  }

  async #syncOnce(): Promise<void> {
    const target = this.#endOffset
    const { log } = this.#active
    this.#ports.faultPoint('log.fsync.before')
    await this.#guarded('sync', () => log.sync())
    this.#ports.faultPoint('log.fsync.after')
    this.#durableTo = Math.max(this.#durableTo, target)
    this.#publish()
  }

  #publish(): void {
    const acknowledged = this.#fsync.kind === 'batch' ? this.#durableTo : this.#endOffset
    this.#ports.faultPoint('log.high-watermark.publish')
    publish(this.#published, {
      highWatermark: acknowledged,
      durableTo: this.#durableTo,
      logStart: this.#logStart,
    })
  }

  /** A step whose failure ends the writer: nobody knows what the disk has. */
  async #guarded(step: 'write' | 'sync', body: () => Promise<void>): Promise<void> {
    try {
      await body()
    } catch (error) {
      this.#failure ??= this.#failed(step, error)
      throw this.#failure
    }
  }

  #failed(step: 'write' | 'sync', cause: unknown): MillraceError {
    const facts = { directory: this.directory, errno: errorCode(cause) }
    if (step === 'sync')
      return new MillraceError('LOG_FSYNC_FAILED', {
        message: `${this.directory} could not be synced to the disk (${facts.errno ?? cause})`,
        hint: 'check the disk, then start again: what was acknowledged is kept, the rest is checked',
        facts,
        cause,
      })
    return new MillraceError('LOG_WRITE_FAILED', {
      message: `${this.directory} could not be written (${facts.errno ?? cause})`,
      hint:
        facts.errno === 'ENOSPC'
          ? 'the disk is full: free space, or shorten the retention of topics'
          : 'check that the disk is there and may be written',
      facts,
      cause,
    })
  }

  #tooLarge(bytes: number): MillraceError {
    return new MillraceError('LOG_RECORD_TOO_LARGE', {
      message: `a batch of ${bytes} bytes for ${this.directory}, which takes ${this.#config.messageBytesMax}`,
      hint: "raise the topic's max.message.bytes, or send smaller records",
      facts: { bytes, bytesMax: this.#config.messageBytesMax },
    })
  }
}
