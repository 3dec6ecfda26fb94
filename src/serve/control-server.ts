/** The owner's side of the control channel: reads requests one after another, answers each before the next. */
import type { Socket } from 'node:net'
import { jsonLines } from './lines.ts'
import {
  errorLine,
  type Operation,
  REQUEST_BYTES_MAX,
  readRequest,
  resultLine,
} from './protocol.ts'

/** Does what is asked; the result goes out as JSON. Errors it throws go to the caller. */
export type Handler = (operation: Operation) => Promise<unknown>

/** Serves one connection until it ends. A line that can't be understood is answered, and ends it. */
export async function serveConnection(socket: Socket, handle: Handler): Promise<void> {
  // A caller that goes away, in the middle of an answer or not, is its own affair.
  socket.on('error', () => socket.destroy())
  try {
    for await (const line of jsonLines(socket, REQUEST_BYTES_MAX)) {
      const request = readRequest(line)
      const answered = await handle(request.operation).then(
        (result) => resultLine(request.id, result),
        (error: unknown) => errorLine(request.id, error),
      )
      if (!socket.writable) return
      socket.write(answered)
    }
    socket.end()
  } catch (error) {
    if (socket.writable) socket.end(errorLine(0, error))
  }
}
