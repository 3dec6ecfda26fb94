import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'node:test'
import { types } from '../data/types.ts'
import type { Row } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { Change } from '../run/handle.ts'
import { openView, type View } from '../run/view.ts'
import { serveHttp } from './http.ts'
import { addViewRoutes, type OpenedView, type ViewRoutesOptions } from './view-routes.ts'

const STATUS = {
  ...{ version: '0', processId: 1, epoch: 1, startedMs: 0, directory: '', pipelines: [] },
}
const KEY = [
  { name: 'item', type: types.string },
  { name: 'size', type: types.bigint },
]

/** Changes that a test tells when it likes. */
interface Source {
  readonly view: View<Row>
  tell(kind: Change['kind'], row: Row): Promise<void>
  fail(error: Error): void
}

function source(changesKept = 100): Source {
  const waiting: (Change | Error)[] = []
  let wake: () => void = () => {}
  const view = openView({
    key: ['item', 'size'],
    changesKept,
    async *begin(signal, caughtUp) {
      signal.addEventListener('abort', () => wake())
      caughtUp()
      while (!signal.aborted) {
        const next = waiting.shift()
        if (next instanceof Error) throw next
        if (next !== undefined) yield next
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    },
  })
  return {
    view,
    async tell(kind, row) {
      waiting.push({ kind, row, positions: {} })
      wake()
      await new Promise((resolve) => setImmediate(resolve))
    },
    fail(error) {
      waiting.push(error)
      wake()
    },
  }
}

async function withView(
  run: (url: string, source: Source) => Promise<void>,
  options: ViewRoutesOptions & {
    readonly token?: string
    readonly kept?: number
    readonly view?: (source: Source) => OpenedView | undefined
  } = {},
): Promise<void> {
  const opened = source(options.kept)
  const view = options.view ?? (() => ({ view: opened.view, epoch: 'e' }))
  const server = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => STATUS,
    routes: (app) =>
      addViewRoutes(app, [{ name: 'stock', key: KEY, view: () => view(opened) }], options),
    ...(options.token === undefined ? {} : { token: options.token }),
  })
  try {
    await run(server.url, opened)
  } finally {
    await server.close()
    await opened.view.close()
  }
}

/** Reads events of a stream, as `event id data`, until there are so many. */
async function events(url: string, count: number, id?: string): Promise<string[]> {
  const stop = new AbortController()
  const answer = await fetch(url, {
    signal: stop.signal,
    ...(id === undefined ? {} : { headers: { 'last-event-id': id } }),
  })
  assert.equal(answer.headers.get('content-type'), 'text/event-stream')
  const found: string[] = []
  let text = ''
  for await (const bytes of answer.body!) {
    text += Buffer.from(bytes).toString()
    const blocks = text.split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]),
      )
      found.push(['event', 'id', 'data'].flatMap((name) => fields.get(name) ?? []).join(' '))
    }
    if (found.length >= count) break
  }
  stop.abort()
  return found
}

const pen = (size: bigint, left: number): Row => ({ item: 'pen', size, left })

test('a row is told by its key, and a key without one is 404', async () => {
  await withView(async (url, { tell }) => {
    await tell('+I', pen(1n, 3))
    const answer = await fetch(`${url}/views/stock?item=pen&size=1`)
    assert.equal(await answer.text(), '{"item":"pen","size":1,"left":3}')
    assert.equal((await fetch(`${url}/views/stock?item=pen&size=2`)).status, 404)
    assert.equal((await fetch(`${url}/views/none?item=pen`)).status, 404)
  })
})

test('keys beyond 2^53 are not confused', async () => {
  await withView(async (url, { tell }) => {
    await tell('+I', pen(9007199254740993n, 1))
    await tell('+I', pen(9007199254740992n, 2))
    const left = async (size: string) =>
      JSON.parse(await (await fetch(`${url}/views/stock?item=pen&size=${size}`)).text()).left
    assert.deepEqual([await left('9007199254740993'), await left('9007199254740992')], [1, 2])
  })
})

test('a key that is not all told, told twice, foreign, or of another type is 400', async () => {
  await withView(async (url) => {
    for (const query of [
      '',
      '?item=pen',
      '?item=pen&size=x',
      '?item=a&item=b&size=1',
      '?item=a&size=1&x=1',
      '?item=a&size=1&__proto__=1',
    ]) {
      const answer = await fetch(`${url}/views/stock${query}`)
      assert.equal(answer.status, 400, query)
      assert.equal(((await answer.json()) as Row).code, 'HTTP_REQUEST_INVALID')
    }
  })
})

test('a follower has all rows, then what changes', async () => {
  await withView(async (url, { tell }) => {
    await tell('+I', pen(1n, 3))
    const told = events(`${url}/views/stock/changes`, 4)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await tell('+U', pen(1n, 2))
    assert.deepEqual(await told, [
      'reset {"rows":1}',
      'change {"kind":"+I","row":{"item":"pen","size":1,"left":3}}',
      'live e-1 {}',
      'change e-2 {"kind":"+U","row":{"item":"pen","size":1,"left":2}}',
    ])
  })
})

test('who comes back with the last id goes on behind it; with an id that is gone, or of another view, it begins again', async () => {
  const run = async (url: string, { tell }: Source) => {
    for (let left = 5; left > 0; left--) await tell('+U', pen(1n, left))
    const last = 'change e-5 {"kind":"+U","row":{"item":"pen","size":1,"left":1}}'
    assert.deepEqual(await events(`${url}/views/stock/changes`, 2, 'e-4'), ['live e-4 {}', last])
    for (const gone of ['e-1', 'f-4', 'e-6', 'e--1', 'e-', 'x'])
      assert.equal(
        (await events(`${url}/views/stock/changes`, 1, gone))[0],
        'reset {"rows":1}',
        gone,
      )
  }
  await withView(run, { kept: 3 })
})

test('a stream on which nothing happens has a heartbeat', async () => {
  await withView(
    async (url) => {
      const answer = await fetch(`${url}/views/stock/changes`)
      let text = ''
      for await (const bytes of answer.body!) {
        text += Buffer.from(bytes).toString()
        if (text.endsWith(':\n\n')) break
      }
    },
    { heartbeatMs: 5 },
  )
})

test('no more follow than may, and who leaves makes room', async () => {
  await withView(
    async (url) => {
      const stop = new AbortController()
      const first = await fetch(`${url}/views/stock/changes`, { signal: stop.signal })
      assert.equal(first.status, 200)
      assert.equal((await fetch(`${url}/views/stock/changes`)).status, 503)
      stop.abort()
      for (;;) {
        const answer = await fetch(`${url}/views/stock/changes`)
        if (answer.status === 200) return answer.body!.cancel()
        await answer.text()
      }
    },
    { followersMax: 1 },
  )
})

test('a view that fails ends its followers with the reason, and answers 503', async () => {
  await withView(async (url, { fail }) => {
    const told = events(`${url}/views/stock/changes`, 3)
    await new Promise((resolve) => setTimeout(resolve, 50))
    fail(new MillraceError('LOG_CORRUPT', { message: 'no', hint: 'mend it' }))
    assert.equal((await told)[2], 'error {"error":"no","code":"LOG_CORRUPT","hint":"mend it"}')
    assert.equal((await fetch(`${url}/views/stock?item=pen&size=1`)).status, 503)
  })
})

test('a view that is still reading answers 503 and when to come again', async () => {
  await withView(
    async (url) => {
      for (const path of ['?item=pen&size=1', '/changes']) {
        const answer = await fetch(`${url}/views/stock${path}`)
        assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1'])
      }
    },
    { view: () => undefined },
  )
})

test('with a token, who has none is told nothing', async () => {
  await withView(
    async (url) => {
      for (const path of ['?item=pen&size=1', '/changes'])
        assert.equal((await fetch(`${url}/views/stock${path}`)).status, 401)
    },
    { token: 'secret' },
  )
})

test('a client that takes nothing is waited for: what it is not sent does not pile up in its socket', async () => {
  await withView(async (url, { tell }) => {
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.pause()
    socket.write(`GET /views/stock/changes HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const row = { item: 'x'.repeat(100_000), size: 1n }
    for (let told = 0; told < 200; told++) await tell('+U', row)
    // All 200 come once it reads.
    let count = 0
    let rest = ''
    socket.resume()
    for await (const bytes of socket) {
      const text = rest + bytes.toString()
      count += text.split('event: change').length - 1
      rest = text.slice(-12)
      if (count === 200) break
    }
    socket.destroy()
  })
})
