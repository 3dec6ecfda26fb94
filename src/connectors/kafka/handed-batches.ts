/**
 * Record batches from a writer in a thread of its own to the thread that has the transaction: one producer numbers what goes to a
 * partition, whoever made it.
 *
 *   there   batch   goes into the transaction that is open
 *           below   asks to be answered when the transactions have at most so many bytes that are not acknowledged
 *   back    reached or failed, to each `below`; whoever asks waits for it before asking again
 */
import type { MessagePort } from 'node:worker_threads'
import { type ErrorCode, type Facts, MillraceError } from '../../errors.ts'
import type { BatchSender, QueuePlace } from './batch-sender.ts'

type Handed =
  | {
      readonly kind: 'batch'
      readonly place: QueuePlace
      readonly bytes: Uint8Array<ArrayBuffer>
      readonly recordCount: number
    }
  | { readonly kind: 'below'; readonly bytes: number }

type Answer =
  | { readonly kind: 'reached' }
  | {
      readonly kind: 'failed'
      readonly code: ErrorCode
      readonly told: { readonly message: string; readonly hint: string; readonly facts: Facts }
    }

/** Handed over without having asked: what a thread may be ahead of the one that sends. */
const UNASKED_BYTES = 8 << 20

/** What batches are handed to. */
export interface BatchTaker {
  sender(): Pick<BatchSender, 'add'>
  below(bytes: number): Promise<void>
}

export function takeBatches(line: MessagePort, taker: BatchTaker): void {
  const answer = (told: Answer): void => line.postMessage(told)
  line.on('message', (message: Handed) => {
    if (message.kind === 'batch') {
      taker.sender().add(message.place, message.bytes, message.recordCount)
      return
    }
    taker.below(message.bytes).then(
      () => answer({ kind: 'reached' }),
      (cause: MillraceError) => {
        const { code, message, hint, facts } = cause
        answer({ kind: 'failed', code, told: { message, hint, facts } })
      },
    )
  })
}

export interface BatchHands {
  /** `bytes` is not the caller's any more. */
  add(place: QueuePlace, bytes: Uint8Array<ArrayBuffer>, recordCount: number): void
  /** True when one should ask before more is added. */
  readonly full: boolean
  /** Everything that was added has arrived, and at most so many bytes are not acknowledged. @throws what keeps them from being */
  below(bytes: number): Promise<void>
  close(): void
}

export function handBatches(line: MessagePort): BatchHands {
  let unasked = 0
  let asked: PromiseWithResolvers<void> | undefined
  line.on('message', (answer: Answer) => {
    if (answer.kind === 'reached') asked?.resolve()
    else asked?.reject(new MillraceError(answer.code, answer.told))
  })
  const hand = (message: Handed, transferred: readonly ArrayBuffer[]): void =>
    line.postMessage(message, transferred)
  return {
    add(place, bytes, recordCount) {
      unasked += bytes.length
      hand({ kind: 'batch', place, bytes, recordCount }, [bytes.buffer])
    },
    get full() {
      return unasked > UNASKED_BYTES
    },
    async below(bytes) {
      unasked = 0
      asked = Promise.withResolvers()
      hand({ kind: 'below', bytes }, [])
      await asked.promise
    },
    close: () => line.close(),
  }
}
