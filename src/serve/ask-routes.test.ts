import assert from 'node:assert/strict'
import test from 'node:test'
import type { Row } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { Asking } from '../run/asking.ts'
import { addAskRoutes } from './ask-routes.ts'
import { serveHttp } from './http.ts'

const STATUS = {
  ...{ version: '0', processId: 1, epoch: 1, startedMs: 0, directory: '', pipelines: [] },
}

type Ask = Asking<Row>['ask']

async function withAsk(
  ask: Ask | undefined,
  run: (
    post: (
      body: string,
      headers?: Readonly<Record<string, string>>,
      query?: string,
    ) => Promise<{ readonly status: number; readonly body: Row }>,
  ) => Promise<void>,
  token?: string,
): Promise<void> {
  const none = async () => {}
  const asking = ask && { ask, ended: Promise.resolve(), close: none, [Symbol.asyncDispose]: none }
  const server = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => STATUS,
    routes: (app) =>
      addAskRoutes(app, [
        { name: 'verdict', id: 'payment', asking: () => asking, newId: () => 'new' },
      ]),
    ...(token === undefined ? {} : { token }),
  })
  try {
    await run(async (body, headers = {}, query = '') => {
      const answer = await fetch(`${server.url}/asks/verdict${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      })
      return { status: answer.status, body: (await answer.json()) as Row }
    })
  } finally {
    await server.close()
  }
}

const echo: Ask = async (event, options) => ({ ...event, ...options })

test('the id is the key that was sent, the one the event holds, or a new one', async () => {
  await withAsk(echo, async (post) => {
    const idOf = async (body: string, headers = {}) => (await post(body, headers)).body.id
    assert.equal(await idOf('{}', { 'idempotency-key': 'k' }), 'k')
    assert.equal(await idOf('{"payment":"p"}'), 'p')
    assert.equal(await idOf('{"payment":"p"}', { 'idempotency-key': 'p' }), 'p')
    assert.equal(await idOf('{"payment":null}'), 'new')
    assert.equal((await post('{}', {}, '?timeout-ms=5')).body.timeoutMs, 5)
  })
})

test('what is no event is refused before it is appended', async () => {
  const never: Ask = () => assert.fail('it was asked')
  await withAsk(never, async (post) => {
    for (const [body, headers, query] of [
      ['no', {}, ''],
      ['[{}]', {}, ''],
      ['', {}, ''],
      ['{"payment":7}', {}, ''],
      ['{"payment":""}', {}, ''],
      ['{"payment":"a"}', { 'idempotency-key': 'b' }, ''],
      ['{}', { 'idempotency-key': 'x'.repeat(257) }, ''],
      ['{}', {}, '?timeout-ms=0'],
      ['{}', {}, '?timeout-ms=60001'],
      ['{}', {}, '?timeout-ms=1e3'],
    ] as const)
      assert.equal((await post(body, headers, query)).status, 400, body + query)
    assert.equal((await post('{}', { 'content-type': 'text/plain' })).status, 415)
    assert.equal((await post(`{"x":"${'x'.repeat(2 << 20)}"}`)).status, 413)
  })
})

test('an answer that does not come in time is 202: the event is durable, and the id to ask again with is told', async () => {
  const late: Ask = async () => {
    throw new MillraceError('ANSWER_LATE', { message: 'late', hint: 'ask again' })
  }
  await withAsk(late, async (post) => {
    const { status, body } = await post('{"payment":"p"}')
    assert.equal(status, 202)
    assert.deepEqual([body.code, body.durable, body.id], ['ANSWER_LATE', true, 'p'])
  })
})

test('a log that takes nothing, and too many who ask, are 503', async () => {
  for (const code of ['STORE_FULL', 'ASKS_TOO_MANY'] as const) {
    const failing: Ask = async () => {
      throw new MillraceError(code, { message: 'no', hint: 'later' })
    }
    await withAsk(failing, async (post) => {
      const { status, body } = await post('{}')
      assert.deepEqual([status, body.code], [503, code])
    })
  }
  await withAsk(undefined, async (post) => assert.equal((await post('{}')).status, 503))
})

test('with a token, who has none asks nothing', async () => {
  const run = async (post: Parameters<Parameters<typeof withAsk>[1]>[0]) => {
    assert.equal((await post('{}')).status, 401)
    assert.equal((await post('{}', { authorization: 'Bearer wrong' })).status, 401)
    assert.equal((await post('{}', { authorization: 'Bearer secret' })).status, 200)
  }
  await withAsk(echo, run, 'secret')
})
