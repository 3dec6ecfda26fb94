/** Clients that mean no good, on real sockets: each is cut off or refused, and others are answered meanwhile. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import test from 'node:test'
import { eventStream } from './event-stream.ts'
import { type HttpServer, serveHttp } from './http.ts'
import { takeTexts } from './json-bodies.ts'
import type { OwnerStatus } from './status.ts'

const STATUS: OwnerStatus = {
  version: '0',
  processId: 1,
  epoch: 1,
  startedMs: 0,
  directory: '.',
  pipelines: [],
}
const BODY_BYTES_MAX = 1 << 16

interface Limits {
  readonly connectionsMax?: number
  readonly headersMsMax?: number
}

async function serving(
  limits: Limits,
  body: (server: HttpServer, taken: string[]) => Promise<void>,
) {
  const taken: string[] = []
  const server = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => STATUS,
    limits,
    async routes(app) {
      await app.register(async (scope) => {
        takeTexts(scope, ['application/json'], BODY_BYTES_MAX)
        scope.post('/taken', async ({ body }) => taken.push(String(body)))
      })
    },
  })
  try {
    await body(server, taken)
    const { status } = await fetch(`${server.url}/livez`)
    assert.equal(status, 200)
  } finally {
    await server.close()
  }
}

async function dial({ url }: HttpServer): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** What it was told, once it has been cut off. */
async function heard(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes
  })
  // `once` would reject where the connection is reset.
  if (!socket.closed) await new Promise((resolve) => socket.on('close', resolve))
  return text
}

test('who sends headers a letter at a time, or nothing at all, is cut off', async () => {
  await serving({ headersMsMax: 100 }, async (server) => {
    const slow = await dial(server)
    const silent = await dial(server)
    slow.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    const letters = setInterval(() => slow.write('a'), 10)
    const [told] = await Promise.all([heard(slow), heard(silent)])
    clearInterval(letters)
    // A letter that comes too late resets the connection, and with it what was told.
    assert.match(told, /^(HTTP\/1.1 408 |$)/)
  })
})

test('no more connections are held than may be: whoever comes beyond is not taken in, and who leaves makes room', async () => {
  await serving({ connectionsMax: 8 }, async (server) => {
    const held = await Promise.all(Array.from({ length: 8 }, () => dial(server)))
    const beyond = await Promise.all(Array.from({ length: 20 }, () => dial(server)))
    for (const socket of beyond) assert.equal(await heard(socket), '')
    for (const socket of held) socket.destroy()
    for (;;) {
      const answer = await fetch(`${server.url}/livez`).catch(() => undefined)
      if (answer?.status === 200) break
    }
  })
})

const HEAD = 'POST /taken HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

test('a body that is said to be huge is refused before it is read', async () => {
  await serving({}, async (server, taken) => {
    const socket = await dial(server)
    socket.write(`${HEAD}Content-Length: 1000000000000\r\n\r\n{`)
    assert.match(await heard(socket), /^HTTP\/1.1 413 /)
    assert.deepEqual(taken, [])
  })
})

test('a body without an end is cut off where it is longer than it may be', async () => {
  await serving({}, async (server, taken) => {
    const socket = await dial(server)
    const chunk = `1000\r\n${' '.repeat(4096)}\r\n`
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
    const pouring = setInterval(() => socket.write(chunk), 1)
    assert.match(await heard(socket), /^HTTP\/1.1 413 /)
    clearInterval(pouring)
    assert.ok(socket.bytesWritten < 100 * BODY_BYTES_MAX)
    assert.deepEqual(taken, [])
  })
})

for (const [what, request] of [
  [
    'headers beyond their bound',
    `GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
  ],
  ['two lengths', `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`],
  ['a length and chunks', `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`],
  ['what is no HTTP', '\u0016\u0003\u0001\u0002 hello\r\n\r\n'],
] as const) {
  test(`${what}: refused, and the connection is closed`, async () => {
    await serving({}, async (server, taken) => {
      const socket = await dial(server)
      socket.write(request)
      assert.match(await heard(socket), /^HTTP\/1.1 4\d\d /)
      assert.deepEqual(taken, [])
    })
  })
}

test('who follows and takes nothing is cut off, and what it was to be sent is not kept', async () => {
  let sent = 0
  const cut = Promise.withResolvers<void>()
  const server = createServer(async (_, response) => {
    const gone = new AbortController()
    const stream = eventStream(response, gone, 1000, 100)
    while (!gone.signal.aborted) {
      await stream.send('change', 'x'.repeat(1 << 16))
      sent++
    }
    stream.end()
    cut.resolve()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const follower = connect((server.address() as AddressInfo).port, '127.0.0.1')
  follower.on('error', () => {})
  follower.pause()
  follower.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await cut.promise
  // What the kernel's own buffers took, on both sides.
  assert.ok(sent < 500, `${sent}`)
  follower.destroy()
  server.close()
})
