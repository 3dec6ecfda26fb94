/**
 * Asking: an event is appended durably, and its own result awaited. Fraud before approval, stock before the next order.
 *
 * The answer follows from the log alone, in the order of its rows: asked again with the same id, also after a crash, the event is not
 * appended twice, and the answer is the same.
 */
import { type RowAppender, rowAppender } from '../connectors/log/append-rows.ts'
import { jsonText, type Row } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import type { Change } from './handle.ts'
import { createNudge, type Nudge } from './nudge.ts'
import { openView } from './view.ts'

export interface Asking<Answer> extends AsyncDisposable {
  /**
   * Appends `event` and resolves with the first row of the query that bears its id.
   * `id` is one of the event's own, or a new one: with the same one it can be asked again.
   * @throws ANSWER_LATE after `timeoutMs` (10 s unless told): the event is in the log all the same
   * @throws ASKS_TOO_MANY, before anything is appended, while `ASKS_WAITING_MAX` wait for their answers
   */
  ask(event: Row, options?: AskOptions): Promise<Answer>
  /** Resolves when it has been closed; rejects with what made the query fail. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

export interface AskOptions {
  readonly id?: string
  readonly timeoutMs?: number
}

/** Who waits for an answer at one time. */
export const ASKS_WAITING_MAX = 10_000
const TIMEOUT_MS = 10_000

export interface AskingStart {
  /** As a view's; the nudge is told of each event once it is durable, so that the query does not wait to look for it. */
  begin(signal: AbortSignal, caughtUp: () => void, nudge?: Nudge): AsyncIterable<Change>
  readonly ports: Ports
  readonly dataDirectory: string
  readonly topic: string
  /** The column of the event, and of the answer, that holds the id. */
  readonly id: string
  /** How events reach the topic; as they are unless told. Resolves when one is durable; of those of one id only the first is appended. */
  readonly append?: RowAppender['append']
}

interface Waiter {
  answer(row: Row): void
  fail(error: unknown): void
}

export async function openAsking(start: AskingStart): Promise<Asking<Row>> {
  const { ports, id: column } = start
  const appender = await rowAppender(ports, start.dataDirectory, start.topic)
  const append = start.append ?? appender.append
  const nudge = createNudge()
  const view = openView({
    key: [column],
    begin: (signal, caughtUp) => start.begin(signal, caughtUp, nudge),
  })
  const waiting = new Map<string, Set<Waiter>>()
  const ended = new AbortController()
  let waiters = 0

  async function listen(): Promise<void> {
    try {
      for await (const { kind, row } of view.changes(ended.signal)) {
        if (kind !== '+I' && kind !== '+U') continue
        for (const waiter of waiting.get(String(row[column])) ?? []) waiter.answer(row)
      }
      failAll(askingClosed())
    } catch (error) {
      failAll(error)
    }
  }
  function failAll(error: unknown): void {
    for (const each of waiting.values()) for (const waiter of each) waiter.fail(error)
  }
  const listening = listen()

  /** What comes for `id` from now on; `leave` when it is not waited for any more. */
  function waitFor(id: string): { readonly answer: Promise<Row>; leave(): void } {
    const { promise: answer, resolve, reject } = Promise.withResolvers<Row>()
    answer.catch(() => {})
    const waiter = { answer: resolve, fail: reject }
    const all = waiting.get(id) ?? new Set()
    waiting.set(id, all.add(waiter))
    waiters++
    const leave = (): void => {
      waiters--
      all.delete(waiter)
      if (all.size === 0 && waiting.get(id) === all) waiting.delete(id)
    }
    return { answer, leave }
  }

  async function ask(event: Row, { id, timeoutMs = TIMEOUT_MS }: AskOptions = {}): Promise<Row> {
    if (ended.signal.aborted) throw askingClosed()
    const own = id ?? String(event[column] ?? newId(ports))
    const known = view.get(own)
    if (known !== undefined) return known
    if (waiters >= ASKS_WAITING_MAX) throw tooMany()
    const { answer, leave } = waitFor(own)
    try {
      await append(Buffer.from(jsonText({ ...event, [column]: own })), own)
      nudge.now()
      // It may have failed meanwhile, which only `get` tells to who comes late.
      return view.get(own) ?? (await within(answer, own, timeoutMs, ports))
    } finally {
      leave()
    }
  }

  const close = async (): Promise<void> => {
    ended.abort()
    await view.close()
    await listening
    await appender.close()
  }
  try {
    await view.ready
  } catch (error) {
    await close()
    throw error
  }
  return { ask, ended: view.ended, close, [Symbol.asyncDispose]: close }
}

async function within(
  answer: Promise<Row>,
  id: string,
  timeoutMs: number,
  { clock }: Ports,
): Promise<Row> {
  const stop = new AbortController()
  const late = clock.sleep(timeoutMs, stop.signal).then(() => {
    if (stop.signal.aborted) return undefined
    throw answerLate(id, timeoutMs)
  })
  try {
    const first = await Promise.race([answer, late])
    return first ?? (await answer)
  } finally {
    // With a reason given no error is made, whose stack would cost more than the rest.
    stop.abort('answered')
  }
}

/** An id for an event that has none. */
export function newId({ random }: Pick<Ports, 'random'>): string {
  return Buffer.from(random.bytes(16)).toString('hex')
}

function answerLate(id: string, timeoutMs: number): MillraceError {
  return new MillraceError('ANSWER_LATE', {
    message: `no row of the query came for ${id} within ${timeoutMs} ms`,
    hint: 'the event is in the log: ask again with the same id; if no answer ever comes, look whether the query keeps the id and every event',
    facts: { id, timeoutMs },
  })
}

function tooMany(): MillraceError {
  return new MillraceError('ASKS_TOO_MANY', {
    message: `${ASKS_WAITING_MAX} wait for their answers already`,
    hint: 'nothing was appended: ask again a little later, with the same id',
    facts: { waiting: ASKS_WAITING_MAX },
  })
}

function askingClosed(): MillraceError {
  return new MillraceError('ASKING_CLOSED', {
    message: 'no answers come any more: it was closed, or the query has ended',
    hint: 'an event that was appended is in the log: open it again and ask with the same id',
  })
}
