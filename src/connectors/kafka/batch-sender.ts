/**
 * Sends record batches to the leaders of their partitions, each once and in order: what an idempotent producer does.
 *
 *   in flight   one batch a partition; one request a broker, with a batch of every partition that it leads
 *   repeated    under the same sequence, which the broker recognises, until delivery.timeout.ms has passed
 */
import { MillraceError } from '../../errors.ts'
import { type ProducerSequence, stampBatch } from '../../log/record-batch.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Cluster } from './cluster.ts'
import { CODE, isPassing } from './failure.ts'
import { topicMissing } from './offsets.ts'
import { produceApi } from './produce-request.ts'

export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

export interface SenderOptions {
  readonly cluster: Cluster
  readonly ports: Ports
  /** For messages. */
  readonly table: string
  readonly deliveryTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly transactionalId?: string
  /** Asked before the first batch, and again when the broker has forgotten the producer. */
  identity(): Promise<ProducerIdentity>
  /** Resolves when these partitions may be written to. */
  admit?(partitions: readonly QueuePlace[]): Promise<void>
}

export interface QueuePlace {
  readonly topic: string
  readonly partition: number
}

interface Waiting {
  readonly batch: Uint8Array
  readonly recordCount: number
  /** Gives the offset of the batch's first record. */
  readonly acknowledged: ((baseOffset: number) => void) | undefined
  sequence: number | undefined
  /** When it was first sent. */
  sinceMs: number | undefined
}

interface Queue extends QueuePlace {
  readonly waiting: Waiting[]
  leader: number
  nextSequence: number
  isSending: boolean
}

const RETRY_MS = 100
const SEQUENCES = 2 ** 31

export class BatchSender {
  readonly #options: SenderOptions
  readonly #queues = new Map<string, Queue>()
  readonly #busy = new Set<number>()
  readonly #stopping = new AbortController()
  #identity: ProducerIdentity | undefined
  #opening: Promise<void> | undefined
  #waiters: {
    readonly below: number
    readonly resolve: () => void
    readonly reject: (error: unknown) => void
  }[] = []
  #failure: MillraceError | undefined
  /** Of batches that are not acknowledged. */
  bytesPending = 0

  constructor(options: SenderOptions) {
    this.#options = options
  }

  get failure(): MillraceError | undefined {
    return this.#failure
  }

  /** Takes the batch, which is the sender's from here on. */
  add(
    { topic, partition }: QueuePlace,
    batch: Uint8Array,
    recordCount: number,
    acknowledged?: (baseOffset: number) => void,
  ): void {
    const key = `${topic}:${partition}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = { topic, partition, waiting: [], leader: -1, nextSequence: 0, isSending: false }
      this.#queues.set(key, queue)
    }
    queue.waiting.push({
      batch,
      recordCount,
      acknowledged,
      sequence: undefined,
      sinceMs: undefined,
    })
    this.bytesPending += batch.length
    this.#kick()
  }

  /** Resolves when at most so many bytes are not acknowledged. @throws what keeps them from being */
  async below(bytes: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.bytesPending <= bytes) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiters.push({ below: bytes, resolve, reject })
    await promise
  }

  close(): void {
    this.#stopping.abort()
    this.#fail(closed(this.#options.table))
  }

  #kick(): void {
    if (this.#failure !== undefined || this.#opening !== undefined) return
    const ready = [...this.#queues.values()].filter(
      ({ waiting, isSending }) => waiting.length > 0 && !isSending,
    )
    if (ready.length === 0) return
    if (this.#identity === undefined || ready.some(({ leader }) => leader < 0)) {
      this.#opening = this.#open().finally(() => {
        this.#opening = undefined
        this.#kick()
      })
      return
    }
    for (const leader of new Set(ready.map((queue) => queue.leader))) {
      if (this.#busy.has(leader)) continue
      this.#busy.add(leader)
      const queues = ready.filter((queue) => queue.leader === leader)
      void this.#send(leader, queues).finally(() => {
        this.#busy.delete(leader)
        this.#kick()
      })
    }
  }

  /** Learns who it is and who leads what. */
  async #open(): Promise<void> {
    const { cluster, table } = this.#options
    try {
      this.#identity ??= await this.#options.identity()
      const names = [...new Set([...this.#queues.values()].map(({ topic }) => topic))]
      const { topics } = await cluster.metadata(names)
      for (const queue of this.#queues.values()) {
        const topic = topics.find(({ name }) => name === queue.topic)
        if (topic?.errorCode === CODE.unknownTopic)
          throw topicMissing(table, queue.topic, cluster.servers)
        const own = topic?.partitions.find((each) => each.partitionIndex === queue.partition)
        queue.leader = own?.leaderId ?? -1
      }
      if ([...this.#queues.values()].some(({ leader }) => leader < 0)) await this.#pause()
    } catch (error) {
      await this.#troubled(error)
    }
  }

  async #send(leader: number, queues: readonly Queue[]): Promise<void> {
    const { cluster, requestTimeoutMs, transactionalId, admit } = this.#options
    for (const queue of queues) queue.isSending = true
    try {
      await admit?.(queues)
      const connection = await cluster.connection('produce', leader)
      const batches = queues.map((queue) => this.#stamped(queue))
      const answer = await cluster.ask(
        'producing',
        connection,
        produceApi(cluster.client),
        transactionalId,
        requestTimeoutMs,
        batches,
      )
      let isTroubled: unknown
      for (const { name, partitionResponses } of answer.responses) {
        for (const { index, errorCode, baseOffset } of partitionResponses) {
          const queue = queues.find((each) => each.topic === name && each.partition === index)
          if (queue === undefined) continue
          const trouble = this.#answered(queue, errorCode, Number(baseOffset))
          isTroubled ??= trouble
        }
      }
      if (isTroubled !== undefined) throw isTroubled
    } catch (error) {
      for (const queue of queues) queue.leader = -1
      await this.#troubled(error)
    } finally {
      for (const queue of queues) queue.isSending = false
    }
  }

  #stamped(queue: Queue): QueuePlace & { readonly batch: Uint8Array } {
    const { topic, partition } = queue
    const head = queue.waiting[0]!
    head.sinceMs ??= this.#options.ports.clock.monotonicMs()
    if (head.sequence === undefined) {
      head.sequence = queue.nextSequence
      queue.nextSequence = (queue.nextSequence + head.recordCount) % SEQUENCES
      const producer: ProducerSequence = { ...this.#identity!, sequence: head.sequence }
      stampBatch(head.batch, 0, undefined, producer)
    }
    return { topic, partition, batch: head.batch }
  }

  /** What is wrong and may pass; what may not ends the sender. */
  #answered(queue: Queue, code: number, baseOffset: number): MillraceError | undefined {
    const { cluster, transactionalId, table } = this.#options
    // Acknowledged before, and the answer was lost.
    if (code === CODE.none || code === CODE.duplicateSequence) {
      const done = queue.waiting.shift()!
      this.bytesPending -= done.batch.length
      done.acknowledged?.(baseOffset)
      this.#settleWaiters()
      return undefined
    }
    const what = `writing to ${queue.topic}[${queue.partition}]`
    if (isPassing(code)) return cluster.failed(what, code)
    const isForgotten = code === CODE.outOfOrderSequence || code === CODE.unknownProducerId
    if (isForgotten && transactionalId === undefined) {
      this.#startOver()
      return cluster.failed(what, CODE.unknownTopic)
    }
    const isFenced = code === CODE.invalidProducerEpoch || code === CODE.producerFenced
    if (
      transactionalId !== undefined &&
      (isFenced || isForgotten || code === CODE.invalidTransactionState)
    )
      this.#fail(transactionLost(table, transactionalId))
    else if (code === CODE.messageTooLarge || code === CODE.recordListTooLarge)
      this.#fail(recordTooLarge(table, queue.topic, queue.waiting[0]!.batch.length))
    else this.#fail(cluster.failed(what, code))
    return undefined
  }

  /** The broker has forgotten the producer: what is not acknowledged goes under a new one, and may be there twice. */
  #startOver(): void {
    this.#identity = undefined
    for (const queue of this.#queues.values()) {
      queue.nextSequence = 0
      for (const each of queue.waiting) each.sequence = undefined
    }
  }

  async #troubled(error: unknown): Promise<void> {
    if (this.#failure !== undefined) return
    const isOver = error instanceof MillraceError && error.code === 'KAFKA_TRANSACTION_LOST'
    if (!(error instanceof MillraceError) || !error.retryable || isOver) {
      this.#fail(error)
      return
    }
    const { ports, deliveryTimeoutMs } = this.#options
    const nowMs = ports.clock.monotonicMs()
    for (const { waiting } of this.#queues.values()) {
      const head = waiting[0]
      if (head === undefined) continue
      head.sinceMs ??= nowMs
      if (nowMs - head.sinceMs > deliveryTimeoutMs) return this.#fail(error)
    }
    await this.#pause()
  }

  #pause(): Promise<void> {
    return this.#options.ports.clock.sleep(RETRY_MS, this.#stopping.signal)
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof MillraceError ? error : unexpected(error)
    for (const { reject } of this.#waiters.splice(0)) reject(this.#failure)
  }

  #settleWaiters(): void {
    const settled = this.#waiters.filter(({ below }) => this.bytesPending <= below)
    this.#waiters = this.#waiters.filter(({ below }) => this.bytesPending > below)
    for (const { resolve } of settled) resolve()
  }
}

export function transactionLost(table: string, transactionalId: string): MillraceError {
  return new MillraceError('KAFKA_TRANSACTION_LOST', {
    message: `table ${table}: the transaction of ${transactionalId} is not ours any more: it took longer than its time-out, or another producer has the id`,
    hint: "the pipeline goes on from its last checkpoint; raise 'properties.transaction.timeout.ms' above the longest pause, and run each pipeline once",
    facts: { table, transactionalId },
  })
}

function recordTooLarge(table: string, topic: string, bytes: number): MillraceError {
  return new MillraceError('KAFKA_RECORD_TOO_LARGE', {
    message: `table ${table}: topic ${topic} does not take a batch of ${bytes} bytes`,
    hint: "raise the topic's max.message.bytes, or lower 'properties.max.request.size'",
    facts: { table, topic, bytes },
  })
}

function closed(table: string): MillraceError {
  return new MillraceError('KAFKA_UNREACHABLE', {
    message: `table ${table}: closed while rows were on their way`,
    hint: 'they are written again from the last checkpoint',
    facts: { table },
  })
}

function unexpected(cause: unknown): MillraceError {
  return new MillraceError('INVARIANT_BROKEN', {
    message: cause instanceof Error ? cause.message : String(cause),
    hint: 'this is a bug in Millrace: please report it with the steps that led here',
    cause,
  })
}
