/**
 * Ownership of a data directory by a local socket and an epoch file.
 *
 *   <data>/owner/<epoch, 10 digits>.json   an OwnerRecord; made whole by a hard link, which fails if the name exists
 *   <data>/owner/<random>.sock             where that owner listens (on Windows a named pipe, which is no file)
 *
 * A process listens first and then links its record as the next epoch, so a record's socket answers from the moment the
 * record can be seen. If it does not answer, that owner is gone, and the next epoch is free to take: of several who
 * try, the link lets one through. No socket name is ever used twice, so nobody can unlink another's; and names are
 * relative to the directory, so a copy of it is not taken for the original.
 */
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MillraceError } from '../../errors.ts'
import type { Files } from '../files.ts'
import type { Epoch, OwnerRecord, Ownership } from '../ownership.ts'
import type { Random } from '../random.ts'

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the closing zero. */
const SOCKET_PATH_BYTES_MAX = 103
/** A living owner's kernel accepts at once, even while the process is busy or stopped. */
const CONNECT_MS_MAX = 500
/** Records of earlier owners that are kept, for whoever wonders who was there. */
const RECORDS_KEPT = 8

export interface OwnershipRequest {
  readonly directory: string
  readonly files: Files
  readonly random: Random
  readonly nowMs: number
  /** Serves the control channel; without it, callers are told that this owner takes no requests. */
  readonly onConnection?: (socket: Socket) => void
}

/**
 * Becomes the owner of `directory`, which is made if missing.
 *
 * @throws OWNER_EXISTS within a second if a living process owns it
 */
export async function takeOwnership(request: OwnershipRequest): Promise<Ownership> {
  const { directory, files } = request
  const folder = ownerFolder(directory)
  files.makeDirectory(folder)
  const socket = `${Buffer.from(request.random.bytes(8)).toString('hex')}.sock`
  const listener = await listen(folder, socket, request.onConnection ?? refuseRequests)
  try {
    for (;;) {
      const last = lastEpoch(files, folder)
      const before = last === 0 ? undefined : readRecord(files, folder, last)
      if (before !== undefined && (await answers(folder, before.socket)))
        throw ownerExists(directory, before)
      const epoch = last + 1
      const record = { epoch, socket, processId: process.pid, startedMs: request.nowMs }
      if (!(await publishRecord(files, folder, record))) continue
      sweep(files, folder, record)
      return ownership(request, listener, record)
    }
  } catch (error) {
    await close(listener, folder, socket)
    throw error
  }
}

/** The living owner of `directory`; undefined if nobody is. */
export async function findOwner(directory: string, files: Files): Promise<OwnerRecord | undefined> {
  const folder = ownerFolder(directory)
  if (!files.exists(folder)) return undefined
  const last = lastEpoch(files, folder)
  const record = last === 0 ? undefined : readRecord(files, folder, last)
  return record !== undefined && (await answers(folder, record.socket)) ? record : undefined
}

/** A connection to the owner that `record` tells of. Rejects with Node's error if it is gone. */
export function connectOwner(directory: string, record: OwnerRecord): Promise<Socket> {
  return connectTo(ownerFolder(directory), record.socket)
}

/** What another thread of the owner asks: whether `epoch` is still the directory's last. */
export function ownershipSince(directory: string, files: Files, epoch: number): Epoch {
  const folder = ownerFolder(directory)
  const own = recordPath(folder, epoch)
  const next = recordPath(folder, epoch + 1)
  return {
    epoch,
    assertCurrent() {
      // Epochs have no gaps and old records are swept from below: our own missing means that many came after us.
      if (!files.exists(next) && files.exists(own)) return
      throw new MillraceError('OWNER_FENCED', {
        message: `this process (epoch ${epoch}) no longer owns ${directory}: another process has taken it over`,
        hint: 'nothing more was written by this one; see `millrace status` for the present owner',
        facts: { directory, epoch },
      })
    },
  }
}

function ownership(request: OwnershipRequest, listener: Listener, record: OwnerRecord): Ownership {
  const { directory, files } = request
  const folder = ownerFolder(directory)
  let closing: Promise<void> | undefined
  return {
    ...ownershipSince(directory, files, record.epoch),
    release() {
      closing ??= close(listener, folder, record.socket)
      return closing
    },
  }
}

function ownerFolder(directory: string): string {
  return join(resolve(directory), 'owner')
}

function recordPath(folder: string, epoch: number): string {
  return join(folder, `${String(epoch).padStart(10, '0')}.json`)
}

function lastEpoch(files: Files, folder: string): number {
  return files
    .list(folder)
    .filter((name) => /^\d{10}\.json$/.test(name))
    .reduce((last, name) => Math.max(last, Number(name.slice(0, 10))), 0)
}

/** A record that can't be read says nothing about a living owner: its epoch counts all the same. */
function readRecord(files: Files, folder: string, epoch: number): OwnerRecord | undefined {
  const handle = files.open(recordPath(folder, epoch), 'read')
  try {
    const bytes = new Uint8Array(handle.bytes())
    handle.read(bytes, 0)
    const record: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isRecord(record) ? record : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  } finally {
    handle.close()
  }
}

function isRecord(value: unknown): value is OwnerRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'socket' in value &&
    typeof value.socket === 'string' &&
    /^[0-9a-f]+\.sock$/.test(value.socket)
  )
}

/** False if another process took this epoch first. Durable when it resolves: an epoch must not come twice. */
async function publishRecord(files: Files, folder: string, record: OwnerRecord): Promise<boolean> {
  const draft = join(folder, `${record.socket}.draft`)
  const handle = files.open(draft, 'create')
  try {
    handle.write(new TextEncoder().encode(`${JSON.stringify(record)}\n`), 0)
    await handle.sync()
  } finally {
    handle.close()
  }
  try {
    files.link(draft, recordPath(folder, record.epoch))
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  } finally {
    files.remove(draft)
  }
  await files.syncDirectory(folder)
  return true
}

/** Removes what dead owners left. Only the owner does it. */
function sweep(files: Files, folder: string, record: OwnerRecord): void {
  for (let epoch = record.epoch - 1; epoch > 0; epoch--) {
    const path = recordPath(folder, epoch)
    if (!files.exists(path)) break
    const socket = readRecord(files, folder, epoch)?.socket
    if (socket !== undefined && files.exists(join(folder, socket)))
      files.remove(join(folder, socket))
    if (epoch <= record.epoch - RECORDS_KEPT) files.remove(path)
  }
}

interface Listener {
  readonly server: Server
  readonly open: ReadonlySet<Socket>
}

function listen(
  folder: string,
  name: string,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  const open = new Set<Socket>()
  return withSocketPath(
    folder,
    name,
    (path) =>
      new Promise<Listener>((done, fail) => {
        const server = createServer((socket) => {
          open.add(socket)
          socket.once('close', () => open.delete(socket))
          onConnection(socket)
        })
        server.once('error', fail)
        server.listen(path, () => {
          server.off('error', fail)
          if (process.platform !== 'win32') chmodSync(path, 0o600)
          done({ server, open })
        })
      }),
  )
}

async function close(listener: Listener, folder: string, name: string): Promise<void> {
  await new Promise<void>((done) => {
    listener.server.close(() => done())
    for (const socket of listener.open) socket.destroy()
  })
  rmSync(join(folder, name), { force: true })
}

async function answers(folder: string, name: string): Promise<boolean> {
  try {
    const socket = await connectTo(folder, name)
    socket.destroy()
    return true
  } catch (error) {
    // Neither accepted nor refused: a full backlog is a living owner's.
    return isCode(error, 'ETIMEDOUT')
  }
}

function connectTo(folder: string, name: string): Promise<Socket> {
  return withSocketPath(
    folder,
    name,
    (path) =>
      new Promise<Socket>((done, fail) => {
        const socket = connect(path)
        const timer = setTimeout(
          () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
          CONNECT_MS_MAX,
        )
        socket.once('connect', () => {
          clearTimeout(timer)
          socket.off('error', fail)
          done(socket)
        })
        socket.once('error', (error) => {
          clearTimeout(timer)
          fail(error)
        })
      }),
  )
}

/** A path that fits a socket address: through a short-lived link in the temporary directory where the real one is too long. */
async function withSocketPath<Result>(
  folder: string,
  name: string,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  if (process.platform === 'win32') return use(`\\\\.\\pipe\\millrace-${name}`)
  const path = join(folder, name)
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return use(path)
  const link = mkdtempSync(join(tmpdir(), 'millrace-'))
  try {
    symlinkSync(folder, join(link, 'owner'))
    return await use(join(link, 'owner', name))
  } finally {
    rmSync(link, { recursive: true })
  }
}

function refuseRequests(socket: Socket): void {
  socket.on('error', () => socket.destroy())
  const told = {
    code: 'OWNER_NOT_SERVING',
    message: `process ${process.pid} owns this directory through the library and takes no requests`,
    hint: 'use the library in that process, or stop it and use `millrace run`',
    facts: {},
  }
  socket.once('data', () => socket.end(`${JSON.stringify({ v: 1, id: 0, error: told })}\n`))
}

function ownerExists(directory: string, record: OwnerRecord): MillraceError {
  return new MillraceError('OWNER_EXISTS', {
    message: `${directory} is owned by process ${record.processId} since ${new Date(record.startedMs).toISOString()}`,
    hint:
      'it can be worked with while it runs: `millrace status`, `start FILE`, `stop NAME`, `produce`, `query`; ' +
      'or stop it first, or give this one another directory with --data',
    facts: { directory, processId: record.processId, epoch: record.epoch },
  })
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
