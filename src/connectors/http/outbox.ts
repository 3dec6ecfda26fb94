/**
 * Messages that wait for their commit, each with its id, and what has been sent of them.
 *
 *   <dataDirectory>/outbox/<pipeline>/<table>/<incarnation>-<counter>-<worker>.jsonl   one checkpoint's of one worker
 *   <dataDirectory>/outbox/<pipeline>/<table>/<incarnation>-<counter>-<worker>.sent    how many of them have been sent
 *   <dataDirectory>/outbox/<pipeline>/<table>/ledger.json                              the last commit that was begun, or done
 *
 * A message is a row, `{"id": ..., "values": {column: JSON text}}`, and not yet a request: what a table's options add to it, which may
 * be secret, is added when it is sent.
 */
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { MillraceError } from '../../errors.ts'
import { ensureDirectory, readText, readWhole, replaceFile } from '../../log/durable-files.ts'
import type { FileHandle } from '../../ports/files.ts'
import type { Ports } from '../../ports/ports.ts'
import { type CheckpointId, isAfter } from '../contract/sink.ts'

export interface Message {
  /** Of this message alone, of all there ever were. */
  readonly id: string
  readonly values: Readonly<Record<string, string>>
}

/** What a committable says. */
export interface StagedMessages {
  readonly file: string
  readonly bytes: number
  readonly messages: number
  readonly crc: number
}

export interface Outbox {
  readonly ports: Ports
  readonly dataDirectory: string
  readonly directory: string
}

export interface Staging {
  /** True when `flush` should come before more is added. */
  readonly full: boolean
  add(values: Message['values']): void
  flush(): void
  prepare(checkpoint: CheckpointId): Promise<StagedMessages | undefined>
  close(): void
}

const BUFFER_LENGTH = 1 << 20
const NAME = /^(\d+)-(\d+)-\d+\.(jsonl|sent)$/

export function outboxOf(
  ports: Ports,
  dataDirectory: string,
  pipeline: string,
  table: string,
): Outbox {
  const of = [encodeURIComponent(pipeline), encodeURIComponent(table)]
  return { ports, dataDirectory, directory: join(dataDirectory, 'outbox', ...of) }
}

/** Messages are written as they come, to a file that gets its name when it is prepared. */
export function createStaging(
  { ports, dataDirectory, directory }: Outbox,
  worker: number,
): Staging {
  const { files, random } = ports
  const unnamed = join(directory, `${worker}.open`)
  let file: FileHandle | undefined
  let waiting = ''
  let bytes = 0
  let messages = 0
  let crc = 0
  let idStart = ''
  function flush(): void {
    if (waiting === '') return
    if (file === undefined) {
      files.makeDirectory(directory)
      file = files.open(unnamed, 'write')
      file.truncate(0)
    }
    const chunk = Buffer.from(waiting)
    file.write(chunk, bytes)
    crc = crc32(chunk, crc)
    bytes += chunk.length
    waiting = ''
  }
  return {
    get full() {
      return waiting.length >= BUFFER_LENGTH
    },
    add(values) {
      if (messages === 0) idStart = Buffer.from(random.bytes(12)).toString('hex')
      waiting += `${JSON.stringify({ id: `${idStart}-${messages++}`, values })}\n`
    },
    flush,
    async prepare({ incarnation, counter }) {
      flush()
      if (file === undefined) return undefined
      ports.faultPoint('http.sink.prepare.sync')
      await file.sync()
      file.close()
      file = undefined
      const name = `${incarnation}-${counter}-${worker}.jsonl`
      files.rename(unnamed, join(directory, name))
      await ensureDirectory(ports, dataDirectory, directory)
      await files.syncDirectory(directory)
      ports.faultPoint('http.sink.prepared')
      const staged = { file: name, bytes, messages, crc }
      bytes = 0
      messages = 0
      crc = 0
      return staged
    },
    close() {
      file?.close()
      file = undefined
    },
  }
}

/** @throws OUTBOX_CORRUPT if the file is not as it was prepared */
export function readStaged({ ports, directory }: Outbox, staged: StagedMessages): Message[] {
  const path = join(directory, staged.file)
  const bytes = readWhole(ports.files, path)
  if (bytes === undefined || bytes.length !== staged.bytes || crc32(bytes) !== staged.crc)
    throw outboxCorrupt(path)
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Message)
}

export interface Progress {
  /** Messages from the first that have been sent. */
  readonly sent: number
  /** Durable when it resolves. */
  note(sent: number): Promise<void>
  close(): void
}

/** How far sending a file's messages has got. */
export function openProgress({ ports, directory }: Outbox, { file }: StagedMessages): Progress {
  const path = join(directory, file.replace(/\.jsonl$/, '.sent'))
  const text = readText(ports, path) ?? ''
  const handle = ports.files.open(path, 'write')
  return {
    // What was cut off by a crash counts for nothing: a message more is sent again, with its id.
    sent: /^\d{10}\n$/.test(text) ? Number(text) : 0,
    async note(sent) {
      handle.write(Buffer.from(`${String(sent).padStart(10, '0')}\n`), 0)
      await handle.sync()
    },
    close: () => handle.close(),
  }
}

/** Removes what was staged for `checkpoint` and before it: sent, or never to be. */
export function removeStaged(
  { ports: { files }, directory }: Outbox,
  checkpoint: CheckpointId,
): void {
  if (!files.exists(directory)) return
  for (const name of files.list(directory)) {
    const match = NAME.exec(name)
    if (match === null) continue
    const id = { incarnation: Number(match[1]), counter: Number(match[2]) }
    if (!isAfter(id, checkpoint)) files.remove(join(directory, name))
  }
}

export interface Ledger {
  readonly state: 'sending' | 'sent'
  readonly checkpoint: CheckpointId
}

/** Undefined before the first commit. @throws OUTBOX_CORRUPT */
export function readLedger({ ports, directory }: Outbox): Ledger | undefined {
  const path = join(directory, 'ledger.json')
  const text = readText(ports, path)
  if (text === undefined) return undefined
  try {
    const ledger = JSON.parse(text) as Ledger
    if (Number.isInteger(ledger.checkpoint.counter)) return ledger
  } catch {
    // Not JSON: the same as JSON that is no ledger.
  }
  throw outboxCorrupt(path)
}

export async function writeLedger(outbox: Outbox, ledger: Ledger): Promise<void> {
  const { ports, dataDirectory, directory } = outbox
  await ensureDirectory(ports, dataDirectory, directory)
  const path = join(directory, 'ledger.json')
  await replaceFile(ports, path, `${JSON.stringify(ledger)}\n`, 'http.sink.ledger')
}

function outboxCorrupt(path: string): MillraceError {
  return new MillraceError('OUTBOX_CORRUPT', {
    message: `${path} is not as it was written`,
    hint: 'restore the file from a copy; or start with --fresh, which may send messages again or not at all',
    facts: { path },
  })
}
