/**
 * What a partition knows of its idempotent producers: the epoch and the last five batches of each, so that a batch
 * that is sent again is recognised and a lost one is noticed.
 *
 * @see Kafka's ProducerStateManager, KIP-98
 */
import { MillraceError } from '../errors.ts'
import type { BatchHeader, ProducerSequence } from './record-batch.ts'

const BATCHES_KEPT = 5
const SEQUENCE_MAX = 0x7fffffff

export interface ProducerState {
  readonly epoch: number
  /** Of the last record that was appended. */
  readonly lastSequence: number
}

interface KnownBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
}

interface Producer {
  readonly epoch: number
  readonly batches: readonly KnownBatch[]
}

export type SequenceCheck =
  | { readonly kind: 'new' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly lastOffset: number }

export interface ProducerTable {
  /**
   * May a batch of `count` records come now?
   * @throws LOG_PRODUCER_FENCED for an older epoch, LOG_SEQUENCE_GAP when records are missing before it
   */
  check(producer: ProducerSequence, count: number): SequenceCheck
  /** Takes in a batch that is appended. */
  record(header: BatchHeader): void
  get(producerId: number): ProducerState | undefined
  /** One line of JSON. */
  toText(): string
}

/** `text` as `toText` gave it; undefined starts empty. */
export function createProducerTable(text?: string): ProducerTable {
  const producers = new Map<number, Producer>(text === undefined ? [] : parse(text))
  return {
    check(producer, count) {
      const known = producers.get(producer.producerId)
      // One that is unknown may have been known: retention took its batches. Kafka lets it go on, too.
      if (known === undefined || producer.epoch > known.epoch) return { kind: 'new' }
      if (producer.epoch < known.epoch) throw fenced(producer, known.epoch)
      return checkNext(producer, count, known)
    },
    record(header) {
      if (header.producerId < 0) return
      const known = producers.get(header.producerId)
      const batches = known?.epoch === header.producerEpoch ? known.batches : []
      const batch = {
        firstSequence: header.baseSequence,
        lastSequence: sequenceAfter(header.baseSequence, header.lastOffset - header.baseOffset),
        baseOffset: header.baseOffset,
        lastOffset: header.lastOffset,
      }
      producers.set(header.producerId, {
        epoch: header.producerEpoch,
        batches: [...batches.slice(1 - BATCHES_KEPT), batch],
      })
    },
    get(producerId) {
      const known = producers.get(producerId)
      if (known === undefined) return undefined
      return { epoch: known.epoch, lastSequence: known.batches.at(-1)!.lastSequence }
    },
    toText: () => JSON.stringify({ version: 1, producers: [...producers] }),
  }
}

/** The sequence `count` records after `sequence`: it wraps to 0 after 2^31 - 1. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % (SEQUENCE_MAX + 1)
}

/** Undefined if `text` is not what `toText` writes: the table is then made anew from the batches. */
export function restoreProducerTable(text: string): ProducerTable | undefined {
  try {
    return createProducerTable(text)
  } catch {
    return undefined
  }
}

function parse(text: string): [number, Producer][] {
  const { version, producers } = JSON.parse(text) as {
    version: number
    producers: [number, Producer][]
  }
  if (version !== 1 || !Array.isArray(producers)) throw new Error('not a table of producers')
  return producers
}

function checkNext(producer: ProducerSequence, count: number, known: Producer): SequenceCheck {
  const last = known.batches.at(-1)!
  if (producer.sequence === sequenceAfter(last.lastSequence, 1)) return { kind: 'new' }
  const lastSequence = sequenceAfter(producer.sequence, count - 1)
  const same = known.batches.find(
    (batch) => batch.firstSequence === producer.sequence && batch.lastSequence === lastSequence,
  )
  if (same !== undefined)
    return { kind: 'duplicate', baseOffset: same.baseOffset, lastOffset: same.lastOffset }
  throw new MillraceError('LOG_SEQUENCE_GAP', {
    message: `producer ${producer.producerId} sends sequence ${producer.sequence} after ${last.lastSequence}`,
    hint: 'batches were lost or reordered before this one: start the producer with a new epoch',
    facts: {
      producerId: producer.producerId,
      sequence: producer.sequence,
      lastSequence: last.lastSequence,
    },
  })
}

function fenced(producer: ProducerSequence, epoch: number): MillraceError {
  return new MillraceError('LOG_PRODUCER_FENCED', {
    message: `producer ${producer.producerId} has epoch ${producer.epoch}, but epoch ${epoch} is writing`,
    hint: 'a newer instance has taken over: stop this one',
    facts: { producerId: producer.producerId, epoch: producer.epoch, newerEpoch: epoch },
  })
}
