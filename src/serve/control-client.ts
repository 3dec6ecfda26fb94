/** The caller's side of the control channel. */
import type { Socket } from 'node:net'
import { MillraceError } from '../errors.ts'
import { connectOwner, findOwner } from '../ports/node/ownership.ts'
import type { OwnerRecord } from '../ports/ownership.ts'
import type { Ports } from '../ports/ports.ts'
import { jsonLines } from './lines.ts'
import { ANSWER_BYTES_MAX, type OperationRequest, readAnswer, requestLine } from './protocol.ts'

export interface ControlClient {
  readonly owner: OwnerRecord
  /** @throws the owner's error, or OWNER_MISSING if it goes away before it has answered */
  ask(request: OperationRequest): Promise<unknown>
  close(): void
}

/** A connection to the owner of `directory`; undefined if nobody owns it. */
export async function connectControl(
  directory: string,
  { files }: Pick<Ports, 'files'>,
): Promise<ControlClient | undefined> {
  const owner = await findOwner(directory, files)
  if (owner === undefined) return undefined
  // An owner that went away since it was found owns nothing.
  const socket = await connectOwner(directory, owner).catch(() => undefined)
  return socket === undefined ? undefined : controlClient(owner, socket, directory)
}

/** @throws OWNER_MISSING if nobody owns it */
export async function requireControl(
  directory: string,
  ports: Pick<Ports, 'files'>,
): Promise<ControlClient> {
  const client = await connectControl(directory, ports)
  if (client !== undefined) return client
  throw new MillraceError('OWNER_MISSING', {
    message: `nothing runs on ${directory}`,
    hint: 'start it with `millrace run`, in this project or with --data',
    facts: { directory },
  })
}

function controlClient(owner: OwnerRecord, socket: Socket, directory: string): ControlClient {
  socket.on('error', () => socket.destroy())
  const answers = jsonLines(socket, ANSWER_BYTES_MAX)
  let id = 0
  return {
    owner,
    async ask(request) {
      const asked = ++id
      if (socket.writable) socket.write(requestLine(asked, request))
      const next = await answers.next().catch(goneUnlessTold)
      if (next.done) throw ownerGone(directory, owner)
      return readAnswer(next.value, asked)
    },
    close() {
      socket.destroy()
    },
  }
}

/** A socket's error is the owner's end; a line that can't be read is told as it is. */
function goneUnlessTold(error: unknown): IteratorResult<unknown> {
  if (error instanceof MillraceError) throw error
  return { done: true, value: undefined }
}

function ownerGone(directory: string, owner: OwnerRecord): MillraceError {
  return new MillraceError('OWNER_MISSING', {
    message: `the owner of ${directory} (process ${owner.processId}) went away before it answered`,
    hint: 'what it had not answered may or may not have been done: look with `millrace status`, and ask again',
    facts: { directory, processId: owner.processId },
  })
}
