/**
 * Sends prepared messages: exactly those, each with its id as Idempotency-Key, in order unless several may be under way.
 *
 * What has been sent is noted before the next, so that a process that is killed sends at most the messages that were under way again,
 * under the same ids. Nothing is sent before the checkpoint that holds it is durable.
 */
import { openLog } from '../../log/log.ts'
import type { CommitOutcome, CommitRequest, SinkCommitter, SinkRequest } from '../contract/sink.ts'
import { isAfter } from '../contract/sink.ts'
import { type Exchanged, exchangePatiently } from './exchange.ts'
import type { HttpSinkSettings } from './options.ts'
import {
  type Message,
  type Outbox,
  openProgress,
  readLedger,
  readStaged,
  removeStaged,
  type StagedMessages,
  writeLedger,
} from './outbox.ts'

/** A longer body is refused here. */
const BODY_BYTES_MAX = 1 << 20
/** What a receiver answers is read as far as this, for messages. */
const ANSWER_BYTES_MAX = 1 << 20

interface Sending {
  readonly request: SinkRequest
  readonly settings: HttpSinkSettings
  readonly outbox: Outbox
  readonly stop: AbortSignal
}

export async function openHttpCommitter(
  request: SinkRequest,
  settings: HttpSinkSettings,
  outbox: Outbox,
): Promise<SinkCommitter> {
  const closing = new AbortController()
  const sending: Sending = { request, settings, outbox, stop: closing.signal }
  return {
    commit: (commit) => commitAll(sending, commit),
    // Of a commit that was begun a part may have been sent: restoring behind it would send that part under other ids.
    lastCommitted: async () => readLedger(outbox)?.checkpoint,
    async close() {
      closing.abort()
    },
  }
}

async function commitAll(sending: Sending, commit: CommitRequest): Promise<CommitOutcome> {
  const { outbox } = sending
  const known = readLedger(outbox)
  const { checkpoint } = commit
  if (known?.state === 'sent' && !isAfter(checkpoint, known.checkpoint)) {
    removeStaged(outbox, known.checkpoint)
    return { kind: 'committed', already: true }
  }
  await writeLedger(outbox, { state: 'sending', checkpoint })
  let count = 0
  for (const committable of commit.committables) {
    const staged = JSON.parse(committable) as StagedMessages
    const failed = await sendStaged(sending, staged)
    if (failed !== undefined) return failed
    count += staged.messages
  }
  await writeLedger(outbox, { state: 'sent', checkpoint })
  removeStaged(outbox, checkpoint)
  return { kind: 'committed', already: false, detail: `${count} messages` }
}

/** Undefined when all of them have been sent. */
async function sendStaged(
  sending: Sending,
  staged: StagedMessages,
): Promise<CommitOutcome | undefined> {
  const { outbox, settings } = sending
  const messages = readStaged(outbox, staged)
  const progress = openProgress(outbox, staged)
  let { sent } = progress
  try {
    while (sent < messages.length) {
      const together = messages.slice(sent, sent + settings.inFlightMax)
      const came = await Promise.all(together.map((message) => sendOne(sending, message)))
      const first = came.findIndex((each) => each !== undefined)
      sent += first < 0 ? together.length : first
      await progress.note(sent)
      if (first >= 0) return came[first]
    }
    return undefined
  } finally {
    progress.close()
  }
}

/** Undefined when it has been sent, or set aside. */
async function sendOne(sending: Sending, message: Message): Promise<CommitOutcome | undefined> {
  const { request, settings, stop } = sending
  const came = await send(sending, message)
  request.ports.faultPoint('http.sink.sent')
  switch (came.kind) {
    case 'answered':
      return undefined
    case 'retry':
      return {
        kind: 'retry',
        reason: `${settings.origin}${stop.aborted ? ' was not waited for' : ''}: ${came.reason}`,
      }
    case 'refused':
      if (settings.onRefusal === 'dead') {
        await setAside(request, message, came.reason)
        return undefined
      }
      return {
        kind: 'refused',
        reason: `${settings.origin} refused message ${message.id}: ${came.reason}`,
        remedy: `mend the receiver, or the options of ${request.table}, and start the pipeline again; or write 'sink.on-refusal' = 'dead', and the row goes to ${request.table}$dead`,
      }
  }
}

async function send({ request, settings, stop }: Sending, message: Message): Promise<Exchanged> {
  const value = (column: string) =>
    Object.hasOwn(message.values, column) ? message.values[column]! : 'null'
  const body = settings.body?.fill(value) ?? rowText(message)
  if (Buffer.byteLength(body) > BODY_BYTES_MAX)
    return {
      kind: 'refused',
      status: 413,
      reason: `its body is longer than ${BODY_BYTES_MAX} bytes`,
    }
  const asked = {
    method: settings.method,
    url: settings.url.fill(value),
    headers: {
      'content-type': 'application/json',
      ...settings.headers,
      'idempotency-key': message.id,
    },
    body,
    timeoutMs: settings.timeoutMs,
    answerBytesMax: ANSWER_BYTES_MAX,
  }
  return exchangePatiently(request.ports, asked, settings, stop)
}

function rowText({ values }: Message): string {
  const members = Object.entries(values).map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  return `{${members.join(',')}}`
}

/** As `$dead` has them; once, since the message's id is the record's. */
async function setAside(
  { ports, dataDirectory, table }: SinkRequest,
  message: Message,
  reason: string,
): Promise<void> {
  const log = openLog({ ports, dataDirectory })
  try {
    const topic = `${table}.dead`
    if (log.topic(topic) === undefined) await log.createTopic(topic)
    const bytes = Buffer.from(rowText(message)).toString('base64')
    const row = { origin: table, split: 'outbox', position: message.id, reason, bytes }
    await log.produce(topic, [{ value: Buffer.from(JSON.stringify(row)), eventId: message.id }])
  } finally {
    await log.close()
  }
}
