/**
 * Asking: an event is appended durably, and its own result awaited. Fraud before approval, stock before the next order.
 *
 * The answer follows from the log alone, in the order of its rows: asked again with the same id, also after a crash, the event is not
 * appended twice, and the answer is the same.
 */
import { rowAppender } from '../connectors/log/append-rows.ts'
import { jsonText, type Row } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import { openView, type ViewStart } from './view.ts'

export interface Asking<Answer> extends AsyncDisposable {
  /**
   * Appends `event` and resolves with the first row of the query that bears its id.
   * `id` is one of the event's own, or a new one: with the same one it can be asked again.
   * @throws ANSWER_LATE after `timeoutMs` (10 s unless told): the event is in the log all the same
   */
  ask(event: Row, options?: AskOptions): Promise<Answer>
  close(): Promise<void>
}

export interface AskOptions {
  readonly id?: string
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000

export interface AskingStart extends Pick<ViewStart, 'begin'> {
  readonly ports: Ports
  readonly dataDirectory: string
  readonly topic: string
  /** The column of the event, and of the answer, that holds the id. */
  readonly id: string
}

export async function openAsking(start: AskingStart): Promise<Asking<Row>> {
  const { ports, dataDirectory, topic, id: column } = start
  const appender = await rowAppender(ports, dataDirectory, topic)
  const view = openView({ key: [column], begin: start.begin })
  const waiting = new Map<string, (answer: Row) => void>()
  const ended = new AbortController()

  async function listen(): Promise<void> {
    for await (const { kind, row } of view.changes(ended.signal)) {
      if (kind !== '+I' && kind !== '+U') continue
      const id = String(row[column])
      waiting.get(id)?.(row)
      waiting.delete(id)
    }
  }
  const listening = listen()
  // A query that fails fails who asks: through `get`.
  listening.catch(() => {})

  async function ask(event: Row, { id, timeoutMs = TIMEOUT_MS }: AskOptions = {}): Promise<Row> {
    const own = id ?? String(event[column] ?? uuid(ports))
    const known = view.get(own)
    if (known !== undefined) return known
    const answer = new Promise<Row>((resolve) => waiting.set(own, resolve))
    await appender.append(Buffer.from(jsonText({ ...event, [column]: own })), own)
    const there = view.get(own)
    if (there !== undefined) {
      waiting.delete(own)
      return there
    }
    return within(answer, own, timeoutMs, () => waiting.delete(own), ports)
  }

  const close = async (): Promise<void> => {
    ended.abort()
    await view.close()
    await listening.catch(() => {})
    await appender.close()
  }
  await view.ready
  return { ask, close, [Symbol.asyncDispose]: close }
}

async function within(
  answer: Promise<Row>,
  id: string,
  timeoutMs: number,
  giveUp: () => void,
  { clock }: Ports,
): Promise<Row> {
  const stop = new AbortController()
  const late = clock.sleep(timeoutMs, stop.signal).then(() => {
    if (stop.signal.aborted) return undefined
    giveUp()
    throw answerLate(id, timeoutMs)
  })
  try {
    const first = await Promise.race([answer, late])
    return first ?? (await answer)
  } finally {
    stop.abort()
  }
}

function uuid({ random }: Ports): string {
  return Buffer.from(random.bytes(16)).toString('hex')
}

function answerLate(id: string, timeoutMs: number): MillraceError {
  return new MillraceError('ANSWER_LATE', {
    message: `no row of the query came for ${id} within ${timeoutMs} ms`,
    hint: 'the event is in the log: ask again with the same id; if no answer ever comes, look whether the query keeps the id and every event',
    facts: { id, timeoutMs },
  })
}
