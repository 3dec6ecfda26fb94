/**
 * One transaction for each checkpoint, shared by all tables of a pipeline on one cluster.
 *
 *   two transactional ids, in turn: rows behind a checkpoint go into the next transaction before the last one is committed
 *   prepare   all rows and a marker are acknowledged; the committable {id, producerId, epoch, marker} goes into the manifest
 *   commit    EndTxn, once the manifest is durable
 *   restart   EndTxn first, by what the manifest has, and only then a new epoch of each id, which aborts what else was open
 *   aborted   by the transaction's time-out: the marker says so, and the run goes back to the checkpoint before
 */
import type { MessagePort } from 'node:worker_threads'
import { MillraceError } from '../../errors.ts'
import { createBatchBuilder } from '../../log/batch-builder.ts'
import { TRANSACTIONAL_BIT } from '../../log/record-batch.ts'
import type {
  CheckpointId,
  CommitOutcome,
  CommitRequest,
  SinkCommitter,
  SinkRequest,
} from '../contract/sink.ts'
import { BatchSender, type QueuePlace, transactionLost } from './batch-sender.ts'
import type { Cluster } from './cluster.ts'
import { CODE } from './failure.ts'
import { takeBatches } from './handed-batches.ts'
import { ensureMarkerTopic, fateOf, lastMarker, MARKER_PARTITION } from './markers.ts'
import { clusterOf } from './open-cluster.ts'
import { optionInvalid, type Properties } from './properties.ts'
import {
  addPartitions,
  endTransaction,
  openProducer,
  settled,
  type TransactionName,
} from './transaction-requests.ts'

/** What a manifest keeps. */
interface Prepared extends TransactionName {
  readonly markerTopic: string
  readonly markerTopicId?: string
  readonly markerOffset: number
}

interface Slot {
  readonly id: string
  name: TransactionName | undefined
  readonly sender: BatchSender
  readonly added: Set<string>
  /** The checkpoint whose transaction it is, from prepare to commit. */
  prepared: { readonly checkpoint: CheckpointId; readonly committable: string } | undefined
  isUsed: boolean
}

export interface TransactionsOptions {
  readonly request: SinkRequest
  readonly properties: Properties
  readonly prefix: string
  readonly markerTopic: string
  readonly timeoutMs: number
}

/** The broker's default for transaction.max.timeout.ms: nothing longer is sure to be taken. */
export const TIMEOUT_MS = 900_000
const joined = new Map<string, Transactions>()

/** What tables of one transaction must say alike, by option. */
const SHARED = [
  ['prefix', 'sink.transactional-id-prefix'],
  ['markerTopic', 'sink.checkpoint-topic'],
  ['timeoutMs', 'properties.transaction.timeout.ms'],
] as const

/** The same for all tables of a pipeline on one cluster. @throws KAFKA_OPTION_INVALID for a second cluster, or other transactions */
export function joinTransactions(request: SinkRequest, properties: Properties): Transactions {
  const { pipeline, options, table, dataDirectory } = request
  const place = `${dataDirectory}\n${pipeline}`
  const servers = options['properties.bootstrap.servers']!
  const wanted: TransactionsOptions = {
    request,
    properties,
    prefix: options['sink.transactional-id-prefix'] ?? `millrace-${pipeline}`,
    markerTopic: options['sink.checkpoint-topic'] ?? 'millrace-checkpoints',
    timeoutMs: properties.number('transaction.timeout.ms', TIMEOUT_MS),
  }
  const known = joined.get(place)
  if (known === undefined) {
    const made = new Transactions(wanted, () => joined.delete(place))
    joined.set(place, made)
    return made
  }
  if (known.servers !== servers)
    throw optionInvalid(
      table,
      'properties.bootstrap.servers',
      `pipeline '${pipeline}' writes exactly once to ${known.servers} already: one cluster a pipeline, the others at least once`,
    )
  for (const [name, option] of SHARED)
    if (known.options[name] !== wanted[name])
      throw optionInvalid(
        table,
        option,
        `another table of pipeline '${pipeline}' has ${known.options[name]}: all share one transaction`,
      )
  return known
}

export class Transactions {
  readonly options: TransactionsOptions
  readonly #leave: () => void
  #cluster: Promise<Cluster> | undefined
  #slots: Slot[] = []
  #current = 0
  #users = 0
  /** The last that was committed here: other tables of the transaction ask for it too. */
  #done: string | undefined
  #opening: Promise<void> | undefined
  #markerTopicId = ''

  constructor(options: TransactionsOptions, leave: () => void) {
    this.options = options
    this.#leave = leave
  }

  get servers(): string {
    return this.options.request.options['properties.bootstrap.servers']!
  }

  get bytesPending(): number {
    return this.#slots.reduce((sum, { sender }) => sum + sender.bytesPending, 0)
  }

  get failure(): MillraceError | undefined {
    return this.#slots.find(({ sender }) => sender.failure !== undefined)?.sender.failure
  }

  /** Connected, and the topic of markers is there. Whoever opens leaves. */
  async open(): Promise<Cluster> {
    this.#cluster ??= this.#connected()
    try {
      const cluster = await this.#cluster
      this.#users++
      return cluster
    } catch (error) {
      // The next attempt connects anew.
      this.#leave()
      throw error
    }
  }

  async #connected(): Promise<Cluster> {
    const { request, properties, prefix, markerTopic } = this.options
    const cluster = await clusterOf(request, properties)
    try {
      this.#markerTopicId = await ensureMarkerTopic(cluster, markerTopic)
    } catch (error) {
      await cluster.close()
      throw error
    }
    this.#slots = [0, 1].map((number) => this.#slot(cluster, `${prefix}-${number}`))
    return cluster
  }

  #slot(cluster: Cluster, id: string): Slot {
    const { request, properties, timeoutMs } = this.options
    const slot: Slot = {
      id,
      name: undefined,
      added: new Set(),
      prepared: undefined,
      isUsed: false,
      sender: new BatchSender({
        cluster,
        ports: request.ports,
        table: request.table,
        deliveryTimeoutMs: properties.number('delivery.timeout.ms', 120_000),
        requestTimeoutMs: properties.number('request.timeout.ms', 30_000),
        transactionalId: id,
        identity: async () => {
          await this.#openProducers(cluster, timeoutMs)
          return slot.name!
        },
        admit: (places) => this.#admit(cluster, slot, places),
      }),
    }
    return slot
  }

  /** Both at once: what either had open before is aborted, and keeps nobody from reading. */
  #openProducers(cluster: Cluster, timeoutMs: number): Promise<void> {
    this.#opening ??= (async () => {
      for (const slot of this.#slots)
        slot.name = { id: slot.id, ...(await openProducer(cluster, slot.id, timeoutMs)) }
    })().catch((error: unknown) => {
      // Whoever asks next tries anew.
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #admit(cluster: Cluster, slot: Slot, places: readonly QueuePlace[]): Promise<void> {
    const missing = places.filter((place) => !slot.added.has(keyOf(place)))
    if (missing.length === 0) return
    const added = await addPartitions(cluster, slot.name!, missing)
    if (added === 'fenced') throw transactionLost(this.options.request.table, slot.id)
    for (const place of missing) slot.added.add(keyOf(place))
  }

  /** Of the transaction that rows go into now. */
  sender(): BatchSender {
    const slot = this.#slots[this.#current]!
    const open = slot.prepared === undefined ? slot : this.#next()
    open.isUsed = true
    return open.sender
  }

  #next(): Slot {
    this.#current = 1 - this.#current
    const slot = this.#slots[this.#current]!
    if (slot.prepared === undefined) return slot
    throw new MillraceError('INVARIANT_BROKEN', {
      message: `both transactions of ${this.options.prefix} wait for their commit`,
      hint: 'this is a bug in Millrace: please report it with the steps that led here',
    })
  }

  async below(bytes: number): Promise<void> {
    for (const { sender } of this.#slots) await sender.below(bytes)
  }

  /** The same committable for every table; undefined if no row was written since the last one. */
  async #prepare(checkpoint: CheckpointId): Promise<string | undefined> {
    const { request, markerTopic, timeoutMs } = this.options
    const slot = this.#slots[this.#current]!
    if (isSame(slot.prepared?.checkpoint, checkpoint)) return slot.prepared!.committable
    // What an earlier life had open must not stay until it times out, though there is nothing to write.
    await this.#openProducers(await this.#cluster!, timeoutMs)
    if (slot.prepared !== undefined || !slot.isUsed) return undefined
    const { promise, resolve } = Promise.withResolvers<number>()
    const batch = markerBatch(request.pipeline, checkpoint, request.ports.clock.nowMs())
    request.ports.faultPoint('kafka.transaction.marker')
    slot.sender.add({ topic: markerTopic, partition: MARKER_PARTITION }, batch, 1, resolve)
    await slot.sender.below(0)
    request.ports.faultPoint('kafka.transaction.prepared')
    const markerOffset = await promise
    // Acknowledged as written before, without a place: what became of it could not be read.
    if (markerOffset < 0) throw transactionLost(request.table, slot.id)
    const markerTopicId = this.#markerTopicId
    const prepared: Prepared = { ...slot.name!, markerTopic, markerTopicId, markerOffset }
    slot.prepared = { checkpoint, committable: JSON.stringify(prepared) }
    return slot.prepared.committable
  }

  /** Batches of a writer in another thread. */
  attach(line: MessagePort): void {
    takeBatches(line, this)
  }

  committer(): SinkCommitter {
    return {
      // A transaction that was lost takes all of its checkpoint with it: nothing else may be visible by then.
      first: true,
      prepare: (checkpoint) => this.#prepare(checkpoint),
      commit: (commit) => this.#commit(commit),
      lastCommitted: async (pipeline) =>
        lastMarker(await this.#cluster!, this.options.markerTopic, pipeline),
      close: () => this.leave(),
    }
  }

  async #commit({ pipeline, checkpoint, committables }: CommitRequest): Promise<CommitOutcome> {
    let already = true
    for (const committable of new Set(committables)) {
      if (committable === this.#done) continue
      const slot = this.#slots.find((each) => each.prepared?.committable === committable)
      const prepared: Prepared = JSON.parse(committable)
      const outcome = await this.#commitOne(pipeline, checkpoint, prepared, slot)
      if (outcome === 'unknown') return markerGone(prepared)
      if (outcome === 'lost')
        return {
          kind: 'lost',
          reason: 'the broker has aborted the transaction: its time-out had passed',
        }
      already &&= outcome === 'already'
      this.#done = committable
      if (slot === undefined) continue
      slot.prepared = undefined
      slot.isUsed = false
      slot.added.clear()
    }
    return { kind: 'committed', already }
  }

  async #commitOne(
    pipeline: string,
    checkpoint: CheckpointId,
    { markerTopic, markerTopicId, markerOffset, ...name }: Prepared,
    slot: Slot | undefined,
  ): Promise<'committed' | 'already' | 'lost' | 'unknown'> {
    const cluster = await this.#cluster!
    const place = { topic: markerTopic, topicId: markerTopicId, offset: markerOffset }
    const fate = () => fateOf(cluster, place, name.producerId, pipeline, checkpoint)
    // In a later life the id may have gone on to another transaction: whether this one is open is read first.
    const before = slot === undefined ? await fate() : 'open'
    if (before === 'committed') return 'already'
    if (before === 'aborted') return 'lost'
    if (before === 'unknown') return 'unknown'
    if ((await endTransaction(cluster, name, 'commit')) === 'ended') {
      await settled(cluster, name.id)
      return 'committed'
    }
    // The broker is aborting it, or another has committed it: which, is known when it is done.
    return cluster.patiently(60_000, async () => {
      const after = await fate()
      if (after === 'open')
        throw cluster.failed(`ending the transaction of ${name.id}`, CODE.concurrentTransactions)
      if (after === 'unknown') return after
      return after === 'committed' ? 'already' : 'lost'
    })
  }

  /** The last one closes. */
  async leave(): Promise<void> {
    if (--this.#users > 0) return
    this.#leave()
    for (const { sender } of this.#slots) sender.close()
    await (await this.#cluster)?.close()
  }
}

/** Going back would write what may be there, and going on would leave out what may not. */
function markerGone({ id, markerTopic }: Prepared): CommitOutcome {
  return {
    kind: 'refused',
    reason: `what became of the transaction of ${id} can't be known: topic ${markerTopic} is not the one that its marker was written to, or has lost its end`,
    remedy: `see whether the rows are in the topics that the pipeline writes; then start it with --fresh, or from a savepoint with --allow-duplicates`,
  }
}

function keyOf({ topic, partition }: QueuePlace): string {
  return `${topic}:${partition}`
}

function isSame(left: CheckpointId | undefined, right: CheckpointId): boolean {
  return left?.incarnation === right.incarnation && left.counter === right.counter
}

function markerBatch(pipeline: string, checkpoint: CheckpointId, nowMs: number): Uint8Array {
  const { incarnation, counter } = checkpoint
  const builder = createBatchBuilder()
  const encoder = new TextEncoder()
  const value = encoder.encode(JSON.stringify({ incarnation, counter }))
  builder.add({ key: encoder.encode(pipeline), value }, nowMs)
  const batch = builder.finish('none')
  const view = new DataView(batch.buffer, batch.byteOffset)
  view.setInt16(21, view.getInt16(21) | TRANSACTIONAL_BIT)
  return batch
}
