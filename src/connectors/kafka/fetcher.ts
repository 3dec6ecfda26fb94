/**
 * Fetches partitions from their leaders, a few chunks ahead of who reads them, and goes on through broken connections, leaders that
 * move and brokers that are down. What can't pass by itself is kept with the partition, and thrown where it is read.
 *
 *   one loop a leader   asks for every partition that has room; the broker answers when something is there, or after fetch.max.wait.ms
 *   room                CHUNKS_AHEAD answers a partition, decoded to linear memory when they come
 */
import type { LinearMemory } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import type { CellsWanted } from '../../log/frame-records.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Cluster, Metadata } from './cluster.ts'
import { CODE } from './failure.ts'
import { decodeFetched, type Feed, feedAt, offsetGone, topicRecreated } from './feed.ts'
import { FETCH_KEY, type FetchedPartition, type FetchTopic, fetchApi } from './fetch-request.ts'
import { type TopicPartition, topicMissing } from './offsets.ts'

export interface FetcherOptions {
  readonly cluster: Cluster
  readonly ports: Ports
  readonly table: string
  readonly isReadCommitted: boolean
  readonly checksums: boolean
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Of one partition in one answer; undefined: a share of what all may hold. */
  readonly partitionBytesMax: number | undefined
  readonly outOfRange: 'fail' | 'earliest' | 'latest'
  /** 0: new partitions are not looked for. */
  readonly discoveryMs: number
  /** By topic: id and partitions as they were when the table was opened. */
  readonly topics: ReadonlyMap<string, KnownTopic>
}

export interface KnownTopic {
  readonly id: string
  readonly partitions: number
}

const CHUNKS_AHEAD = 2
/** What all partitions of a source may have in memory, about. */
const BYTES_AHEAD = 64 << 20
const PARTITION_BYTES_MIN = 1 << 18
const PARTITION_BYTES_MAX = 4 << 20
const ANSWER_BYTES_MAX = 50 << 20
/** While a partition has no room the others must not wait for its answer. */
const WAIT_MS_BESIDE_FULL = 10
const RETRY_MS = 100
const RETRY_MS_MAX = 2000
/** A topic that brokers do not know for so long is gone. */
const MISSING_MS = 10_000

/** Opened with the table; fetches once a partition is opened. */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #feeds: Feed[] = []
  /** Leaders that are asked. */
  readonly #loops = new Set<number>()
  readonly #stopping = new AbortController()
  #room = Promise.withResolvers<void>()
  #refreshing: Promise<void> | undefined
  #turn = 0
  #refreshedMs: number
  #missingSinceMs: number | undefined

  constructor(options: FetcherOptions) {
    this.#options = options
    this.#refreshedMs = options.ports.clock.monotonicMs()
  }

  /** Begins to fetch. */
  open(at: TopicPartition, offset: number, memory: LinearMemory, wanted: CellsWanted): Feed {
    const { cluster } = this.#options
    const feed = feedAt(at, offset, memory, wanted, cluster, this.#options, () => this.#wake())
    this.#feeds.push(feed)
    void this.#refreshTold()
    return feed
  }

  close(): void {
    this.#stopping.abort()
    this.#wake()
    for (const feed of this.#feeds) feed.close()
  }

  get #isClosed(): boolean {
    return this.#stopping.signal.aborted
  }

  #wake(): void {
    this.#room.resolve()
    this.#room = Promise.withResolvers<void>()
  }

  #startLoops(): void {
    for (const { leader } of this.#feeds) {
      if (leader < 0 || this.#loops.has(leader) || this.#isClosed) continue
      this.#loops.add(leader)
      void this.#loop(leader)
    }
  }

  async #loop(leader: number): Promise<void> {
    const { clock } = this.#options.ports
    let retryMs = RETRY_MS
    while (!this.#isClosed) {
      const led = this.#feeds.filter((feed) => feed.leader === leader)
      if (led.length === 0) break
      const wanted = led.filter(hasRoom)
      if (wanted.length === 0) {
        await this.#room.promise
        continue
      }
      try {
        const isMoved = await this.#fetchOnce(leader, wanted, wanted.length < led.length)
        retryMs = RETRY_MS
        if (!isMoved && !this.#isDiscoveryDue()) continue
        if (isMoved) await clock.sleep(RETRY_MS, this.#stopping.signal)
      } catch (error) {
        if (this.#isClosed) break
        for (const feed of led) tell(feed, error)
        await clock.sleep(retryMs, this.#stopping.signal)
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
      }
      await this.#refreshTold()
    }
    // At once: who finds a leader for a partition from here on begins anew.
    this.#loops.delete(leader)
  }

  #isDiscoveryDue(): boolean {
    const { discoveryMs, ports } = this.#options
    return discoveryMs > 0 && ports.clock.monotonicMs() - this.#refreshedMs >= discoveryMs
  }

  /** True if a leader has moved. */
  async #fetchOnce(leader: number, wanted: Feed[], besideFull: boolean): Promise<boolean> {
    const { cluster, isReadCommitted, minBytes, maxWaitMs } = this.#options
    const api = fetchApi(cluster.client, await cluster.versionMax(FETCH_KEY))
    const connection = await cluster.connection('fetch', leader)
    const limits = {
      maxWaitMs: besideFull ? Math.min(WAIT_MS_BESIDE_FULL, maxWaitMs) : maxWaitMs,
      minBytes,
      maxBytes: ANSWER_BYTES_MAX,
      isReadCommitted,
    }
    const answer = await cluster.ask('fetching', connection, api, limits, this.#topicsOf(wanted))
    if (this.#isClosed) return false
    if (answer.errorCode !== CODE.none) throw cluster.failed('fetching', answer.errorCode)
    let isMoved = false
    for (const partition of answer.partitions) {
      const feed = wanted.find((each) => this.#isOf(each, partition))
      if (feed !== undefined && this.#accept(feed, partition)) isMoved = true
    }
    return isMoved
  }

  /** Each time another partition comes first: a broker gives a batch that is larger than the limit only to the first. */
  #topicsOf(asked: readonly Feed[]): FetchTopic[] {
    const first = this.#turn++ % asked.length
    const wanted = [...asked.slice(first), ...asked.slice(0, first)]
    const share = Math.floor(BYTES_AHEAD / CHUNKS_AHEAD / this.#feeds.length)
    const bounded = Math.min(Math.max(share, PARTITION_BYTES_MIN), PARTITION_BYTES_MAX)
    const bytesMax = this.#options.partitionBytesMax ?? bounded
    return [...new Set(wanted.map(({ topic }) => topic))].map((name) => ({
      name,
      id: this.#options.topics.get(name)!.id,
      partitions: wanted
        .filter(({ topic }) => topic === name)
        .map(({ partition, fetchOffset }) => ({ partition, offset: fetchOffset, bytesMax })),
    }))
  }

  #isOf({ topic, partition }: Feed, fetched: FetchedPartition): boolean {
    const { id } = this.#options.topics.get(topic)!
    return partition === fetched.partition && (fetched.topic === topic || fetched.topic === id)
  }

  /** True if who leads must be asked for. */
  #accept(feed: Feed, fetched: FetchedPartition): boolean {
    const { errorCode } = fetched
    if (errorCode === CODE.offsetOutOfRange) {
      void this.#outOfRange(feed)
      return false
    }
    if (errorCode !== CODE.none) {
      const what = `fetching ${feed.topic}[${feed.partition}]`
      tell(feed, this.#options.cluster.failed(what, errorCode))
      return feed.failure === undefined
    }
    feed.trouble = undefined
    feed.highWatermark = fetched.highWatermark
    feed.isAnswered = true
    try {
      decodeFetched(feed, fetched, this.#options)
    } catch (error) {
      tell(feed, error)
    }
    return false
  }

  /** Rows that were to be read are gone, or the partition ends before them: by the table's policy. */
  async #outOfRange(feed: Feed): Promise<void> {
    const { outOfRange, table } = this.#options
    if (feed.isResetting) return
    feed.isResetting = true
    try {
      const range = await feed.range()
      if (feed.fetchOffset >= range.start && feed.fetchOffset <= range.end) return
      if (outOfRange === 'fail') feed.failure = offsetGone(table, feed, range)
      else {
        const to = outOfRange === 'earliest' ? range.start : range.end
        feed.gaps.push({ from: feed.fetchOffset, to })
        feed.fetchOffset = to
      }
    } catch (error) {
      tell(feed, error)
    } finally {
      feed.isResetting = false
      this.#wake()
    }
  }

  /** Looks who leads what; a failure is told with the partitions. */
  #refreshTold(): Promise<void> {
    this.#refreshing ??= this.#refresh()
      .catch((error: unknown) => {
        for (const feed of this.#feeds) tell(feed, error)
        this.#refreshLater()
      })
      .finally(() => {
        this.#refreshing = undefined
      })
    return this.#refreshing
  }

  async #refresh(): Promise<void> {
    const { cluster, topics, ports } = this.#options
    const answer = await cluster.metadata([...topics.keys()])
    this.#refreshedMs = ports.clock.monotonicMs()
    const isMissing = answer.topics.some(({ errorCode }) => isUnknown(errorCode))
    this.#missingSinceMs = isMissing ? (this.#missingSinceMs ?? this.#refreshedMs) : undefined
    for (const topic of answer.topics) this.#look(topic)
    this.#startLoops()
    this.#wake()
    if (this.#feeds.some(({ leader }) => leader < 0)) this.#refreshLater()
  }

  #look({ name, topicId, partitions, errorCode }: Metadata['topics'][number]): void {
    const { table, cluster, topics, discoveryMs } = this.#options
    const known = topics.get(name ?? '')
    for (const feed of this.#feeds) {
      if (known === undefined || feed.topic !== name) continue
      if (isUnknown(errorCode)) {
        const missingMs = this.#refreshedMs - (this.#missingSinceMs ?? this.#refreshedMs)
        if (missingMs >= MISSING_MS) feed.failure = topicMissing(table, name, cluster.servers)
        feed.trouble = `topic ${name} is not there`
      } else if (errorCode === CODE.none) {
        if (topicId !== known.id) feed.failure = topicRecreated(table, name)
        const own = partitions.find((each) => each.partitionIndex === feed.partition)
        feed.leader = own?.leaderId ?? -1
        if (discoveryMs > 0 && partitions.length > known.partitions)
          feed.failure = partitionsAdded(table, name, known, partitions.length)
      }
    }
  }

  /** Partitions without a leader have no loop that would look again. */
  #refreshLater(): void {
    const { clock } = this.#options.ports
    void clock.sleep(RETRY_MS * 5, this.#stopping.signal).then(() => {
      if (!this.#isClosed) void this.#refreshTold()
    })
  }
}

function hasRoom(feed: Feed): boolean {
  return feed.failure === undefined && !feed.isResetting && feed.chunks.length < CHUNKS_AHEAD
}

function isUnknown(errorCode: number): boolean {
  return errorCode === CODE.unknownTopic || errorCode === CODE.unknownTopicId
}

/** What passes is told while it lasts; what does not ends the partition. */
function tell(feed: Feed, error: unknown): void {
  feed.trouble = error instanceof Error ? error.message : String(error)
  if (error instanceof MillraceError && !error.retryable) feed.failure = error
}

/** The restart that follows reads the new ones from their beginning. */
function partitionsAdded(
  table: string,
  topic: string,
  { partitions }: KnownTopic,
  now: number,
): MillraceError {
  return new MillraceError('KAFKA_PARTITIONS_ADDED', {
    message: `table ${table}: topic ${topic} has ${now} partitions, ${now - partitions} more than before`,
    hint: 'the pipeline goes on from its last checkpoint with all of them',
    facts: { table, topic, partitions: now },
  })
}
