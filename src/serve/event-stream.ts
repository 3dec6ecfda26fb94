/**
 * A stream of Server-Sent Events to one client: written no faster than it reads, with a heartbeat, and cut off when it takes nothing.
 *
 * @see WHATWG HTML, "Server-sent events"
 */
import type { ServerResponse } from 'node:http'

/** A client that takes nothing for so long is cut off. */
const STALL_MS_MAX = 30_000

export interface EventStream {
  /** Resolves when the client may be sent more, or is gone. */
  send(event: string, data: string, id?: string): Promise<void>
  end(): void
}

/** Begins the answer; `gone` is aborted when the client is. */
export function eventStream(
  response: ServerResponse,
  gone: AbortController,
  heartbeatMs: number,
  stallMsMax = STALL_MS_MAX,
): EventStream {
  response.once('close', () => gone.abort())
  response.on('error', () => gone.abort())
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  let isQuiet = false
  const heart = setInterval(() => {
    if (isQuiet && !response.writableNeedDrain) response.write(':\n\n')
    isQuiet = true
  }, heartbeatMs).unref()
  return {
    async send(event, data, id) {
      if (gone.signal.aborted) return
      isQuiet = false
      const told = id === undefined ? '' : `id: ${id}\n`
      if (response.write(`${told}event: ${event}\ndata: ${data}\n\n`)) return
      if (!(await drained(response, gone.signal, stallMsMax))) response.destroy()
    },
    end() {
      clearInterval(heart)
      response.end()
    },
  }
}

/** False if nothing was taken for too long. */
function drained(
  response: ServerResponse,
  gone: AbortSignal,
  stallMsMax: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (is: boolean) => () => {
      clearTimeout(timer)
      response.off('drain', onDrain)
      gone.removeEventListener('abort', onGone)
      resolve(is)
    }
    const timer = setTimeout(() => end(false)(), stallMsMax)
    const onDrain = end(true)
    const onGone = end(true)
    response.once('drain', onDrain)
    gone.addEventListener('abort', onGone, { once: true })
  })
}
