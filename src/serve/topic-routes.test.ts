import assert from 'node:assert/strict'
import test from 'node:test'
import { appendRecords } from '../cli/produce-rows.ts'
import { openLog } from '../log/log.ts'
import { simulatedPorts } from '../testing/ports.ts'
import { serveHttp } from './http.ts'
import { addTopicRoutes } from './topic-routes.ts'

const DIRECTORY = '/data'

interface Way {
  post(
    path: string,
    body: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{
    readonly status: number
    readonly body: Record<string, unknown>
  }>
}

async function withTopic(run: (way: Way) => Promise<void>, token?: string): Promise<void> {
  const ports = simulatedPorts(1)
  ports.files.makeDirectory(DIRECTORY)
  const log = openLog({ ports, dataDirectory: DIRECTORY })
  await log.createTopic('orders', { partitions: 2 })
  const status = {
    version: '0',
    processId: 1,
    epoch: 1,
    startedMs: 0,
    directory: '',
    pipelines: [],
  }
  const server = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => status,
    routes: (app) =>
      addTopicRoutes(app, (topic, records) => appendRecords(ports, DIRECTORY, { topic, records })),
    ...(token === undefined ? {} : { token }),
  })
  try {
    await run({
      async post(path, body, headers = {}) {
        const answer = await fetch(server.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
        })
        return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
      },
    })
  } finally {
    await server.close()
    await log.close()
  }
}

const LINES = { 'content-type': 'application/x-ndjson' }

test('objects, arrays and lines are appended, with a key of theirs', async () => {
  await withTopic(async ({ post }) => {
    const appended = (count: number) => ({ status: 200, body: { appended: count, duplicates: 0 } })
    assert.deepEqual(await post('/topics/orders', '{"id":1}'), appended(1))
    assert.deepEqual(await post('/topics/orders?key=id', '[{"id":1},{"id":2}]'), appended(2))
    assert.deepEqual(await post('/topics/orders', '{"id":1}\n\n{"id":3}\n', LINES), appended(2))
  })
})

test('a request that is sent again with its Idempotency-Key appends nothing twice', async () => {
  await withTopic(async ({ post }) => {
    const key = { 'idempotency-key': 'a-1' }
    const rows = '[{"id":1},{"id":2},{"id":3}]'
    assert.deepEqual((await post('/topics/orders', rows, key)).body, { appended: 3, duplicates: 0 })
    assert.deepEqual((await post('/topics/orders', rows, key)).body, { appended: 0, duplicates: 3 })
  })
})

test('what is no row, has no key, or names no topic is refused, and nothing of its request is appended', async () => {
  await withTopic(async ({ post }) => {
    for (const [path, body, status] of [
      ['/topics/orders', 'no', 400],
      ['/topics/orders', '[{"id":1}, 7]', 400],
      ['/topics/orders?key=__proto__', '{"id":1}', 400],
      ['/topics/none', '{"id":1}', 404],
    ] as const)
      assert.equal((await post(path, body)).status, status, body)
    assert.equal((await post('/topics/orders', '{}', { 'content-type': 'text/plain' })).status, 415)
    assert.equal((await post('/topics/orders', `{"x":"${'x'.repeat(9 << 20)}"}`)).status, 413)
  })
})

test('with a token, who has none appends nothing', async () => {
  await withTopic(async ({ post }) => {
    assert.equal((await post('/topics/orders', '{"id":1}')).status, 401)
    const bearer = { authorization: 'Bearer secret' }
    assert.equal((await post('/topics/orders', '{"id":1}', bearer)).status, 200)
  }, 'secret')
})
