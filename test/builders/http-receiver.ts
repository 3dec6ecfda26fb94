/** A real HTTP server on loopback that records what it is sent, and answers as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Answers one request; without it 200. */
export type Respond = (received: Received, response: ServerResponse, count: number) => void

export interface Receiver {
  readonly url: string
  readonly received: readonly Received[]
  respond: Respond
  /** Resolves when so many have been received. */
  until(count: number): Promise<void>
  /** Takes no connections any more, and cuts those there are. */
  close(): Promise<void>
}

/** @param port a free one unless told */
export async function httpReceiver(respond: Respond = answerOk, port = 0): Promise<Receiver> {
  const received: Received[] = []
  const waiting: { readonly count: number; resolve(): void }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const bytes of request) body += bytes
    const { method = '', url = '', headers } = request
    const one = { method, path: url, headers, body }
    received.push(one)
    receiver.respond(one, response, received.length)
    for (const each of waiting) if (received.length >= each.count) each.resolve()
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    respond,
    until: (count) =>
      new Promise((resolve) => {
        if (received.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}

export const answerOk: Respond = (_, response) => response.end('ok')

export function answerStatus(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Respond {
  return (_, response) => response.writeHead(status, headers).end(`it is ${status}`)
}
