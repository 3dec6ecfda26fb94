/** Rows to a real HTTP server: what it is sent, and what comes of what it answers. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer as createSocketServer } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { type Millrace, type Outcome, open } from '../../src/index.ts'
import { answerOk, answerStatus, httpReceiver, type Receiver } from '../builders/http-receiver.ts'
import { inDirectory } from '../cli/process.ts'

const ROWS = Array.from(
  { length: 5 },
  (_, n) => `{"n":${n},"shop":"a \\"b\\" {{n}}","amount":"${n}.50"}`,
)

interface Told {
  readonly directory: string
  readonly db: Millrace
  readonly run: (name?: string) => Promise<Outcome>
}

interface Asked {
  readonly url: string
  readonly options?: string
  readonly columns?: string
  readonly rows?: readonly string[]
  readonly settings?: string
}

async function sending(
  {
    url,
    options = '',
    columns = 'n BIGINT, shop STRING, amount DECIMAL(20, 2)',
    rows = ROWS,
    settings = '',
  }: Asked,
  body: (told: Told) => Promise<void>,
): Promise<void> {
  await inDirectory(async (directory) => {
    const db = await open({
      data: join(directory, 'data'),
      directory,
      environment: { SECRET: 's3cret' },
      tables: `CREATE TABLE rows_in (${columns}) WITH ('connector' = 'values', 'data' = '${rows.join('\n')}');
        CREATE TABLE alerts (${columns}) WITH ('connector' = 'http', 'url' = '${url}',
          'sink.retry-backoff' = '1 ms'${options});`,
    })
    const run = async (name = 'alerting') => {
      const sql = `SET 'restart-strategy.exponential-delay.initial-backoff' = '1 ms'; ${settings} INSERT INTO alerts SELECT * FROM rows_in`
      return (await db.run(sql, { name, until: 'end' })).finished
    }
    try {
      await body({ directory, db, run })
    } finally {
      await db.close()
    }
  })
}

async function withReceiver(body: (receiver: Receiver) => Promise<void>): Promise<void> {
  const receiver = await httpReceiver()
  try {
    await body(receiver)
  } finally {
    await receiver.close()
  }
}

const idsOf = ({ received }: Receiver) => received.map(({ headers }) => headers['idempotency-key'])

test('each row is a JSON object, in order, with an id of its own and the headers that the table names', async () => {
  await withReceiver(async (receiver) => {
    const options = `, 'header.Authorization' = 'Bearer \${env:SECRET}', 'header.X-Team' = 'shop'`
    await sending({ url: `${receiver.url}/hook`, options }, async ({ run }) => {
      assert.equal((await run()).kind, 'finished')
      assert.deepEqual(
        receiver.received.map(({ body }) => body),
        ROWS.map((_, n) => `{"n":${n},"shop":"a \\"b\\" {{n}}","amount":${n}.50}`),
      )
      const [{ method, path, headers }] = receiver.received as [Receiver['received'][0]]
      assert.deepEqual([method, path], ['POST', '/hook'])
      assert.deepEqual(
        [headers.authorization, headers['x-team'], headers['content-type']],
        ['Bearer s3cret', 'shop', 'application/json'],
      )
      assert.equal(new Set(idsOf(receiver)).size, ROWS.length)
    })
  })
})

test('a template makes the body and the address, and no value can leave its place', async () => {
  await withReceiver(async (receiver) => {
    const options = `, 'method' = 'PUT',
      'body.template' = '{"text": "{{shop}}: {{amount}}", "n": "{{ n }}", "key": "\${env:SECRET}", "all": [{"a": "{{shop}}"}, true]}'`
    const rows = [
      `{"n":1,"shop":"a/\\"?&#{{n}}","amount":"2.00"}`,
      '{"n":null,"shop":null,"amount":null}',
    ]
    await sending(
      { url: `${receiver.url}/s/{{shop}}/{{n}}?q={{amount}}`, options, rows },
      async ({ run }) => {
        assert.equal((await run()).kind, 'finished')
        assert.deepEqual(
          receiver.received.map(({ method, path }) => `${method} ${path}`),
          ['PUT /s/a%2F%22%3F%26%23%7B%7Bn%7D%7D/1?q=2.00', 'PUT /s//?q='],
        )
        assert.deepEqual(
          receiver.received.map(({ body }) => JSON.parse(body)),
          [
            { text: 'a/"?&#{{n}}: 2.00', n: 1, key: 's3cret', all: [{ a: 'a/"?&#{{n}}' }, true] },
            { text: ': ', n: null, key: 's3cret', all: [{ a: null }, true] },
          ],
        )
      },
    )
  })
})

test('what a server can not take now is sent again under the same id', async () => {
  await withReceiver(async (receiver) => {
    receiver.respond = (received, response, count) => {
      if (count === 1) answerStatus(503)(received, response, count)
      else if (count === 2) response.destroy()
      else if (count === 3) answerStatus(429, { 'retry-after': '0' })(received, response, count)
      else if (count === 4) answerStatus(408)(received, response, count)
      else response.end()
    }
    await sending({ url: receiver.url }, async ({ run }) => {
      assert.equal((await run()).kind, 'finished')
      const ids = idsOf(receiver)
      assert.equal(ids.length, ROWS.length + 4)
      assert.equal(new Set(ids.slice(0, 5)).size, 1)
      assert.equal(new Set(ids).size, ROWS.length)
    })
  })
})

test('Retry-After is waited for, in seconds or as a date, and no longer than the table allows', async () => {
  await withReceiver(async (receiver) => {
    const at: number[] = []
    receiver.respond = (received, response, count) => {
      at.push(performance.now())
      const after = count === 1 ? '1' : new Date(Date.now() + 3_600_000).toUTCString()
      if (count <= 2) answerStatus(503, { 'retry-after': after })(received, response, count)
      else response.end()
    }
    const options = `, 'sink.retry-after-max' = '1 s'`
    await sending({ url: receiver.url, options, rows: ROWS.slice(0, 1) }, async ({ run }) => {
      assert.equal((await run()).kind, 'finished')
      assert.equal(at.length, 3)
      // Not before: a timer may be late, never early.
      for (const waited of [at[1]! - at[0]!, at[2]! - at[1]!]) assert.ok(waited > 900)
    })
  })
})

test('what is refused for good stops the pipeline by name, which keeps it and goes on when it is mended', async () => {
  await withReceiver(async (receiver) => {
    receiver.respond = (received, response, count) =>
      (count === 3 ? answerStatus(422) : answerOk)(received, response, count)
    await sending({ url: `${receiver.url}/in?token=s3cret` }, async ({ run }) => {
      const outcome = await run()
      assert.equal(outcome.kind, 'commit-refused')
      if (outcome.kind !== 'commit-refused') return
      assert.match(outcome.reason, /127\.0\.0\.1:\d+ refused message .*: status 422: it is 422/)
      assert.match(outcome.remedy, /sink.on-refusal/)
      assert.doesNotMatch(JSON.stringify(outcome), /s3cret/)
      receiver.respond = answerOk
      assert.equal((await run()).kind, 'finished')
      const bodies = receiver.received.map(({ body }) => JSON.parse(body).n)
      assert.deepEqual(bodies, [0, 1, 2, 2, 3, 4])
      assert.equal(new Set(idsOf(receiver)).size, ROWS.length)
    })
  })
})

test('refused for good, a row goes to $dead where the table says so, and the others go on', async () => {
  await withReceiver(async (receiver) => {
    receiver.respond = (received, response, count) =>
      (received.body.includes('"n":2') ? answerStatus(400) : answerOk)(received, response, count)
    await sending(
      { url: receiver.url, options: `, 'sink.on-refusal' = 'dead'` },
      async ({ run, db }) => {
        assert.equal((await run()).kind, 'finished')
        assert.equal(receiver.received.length, ROWS.length)
        db.define(
          `CREATE TABLE dead (origin STRING, reason STRING, \`bytes\` BYTES) WITH ('connector' = 'log', 'topic' = 'alerts.dead', 'format' = 'json')`,
        )
        const [dead, ...more] = await db.query('SELECT * FROM dead').rows()
        assert.deepEqual(
          [dead?.origin, dead?.reason, more.length],
          ['alerts', 'status 400: it is 400', 0],
        )
        assert.match(String(Buffer.from(dead!.bytes as Uint8Array)), /^\{"n":2,/)
      },
    )
  })
})

test('several at one time are all sent, each once', async () => {
  await withReceiver(async (receiver) => {
    receiver.respond = (_, response, count) =>
      void setTimeout(() => response.end(), (count * 7) % 5)
    const rows = Array.from({ length: 100 }, (_, n) => `{"n":${n}}`)
    const options = `, 'sink.max-in-flight' = '8'`
    await sending({ url: receiver.url, columns: 'n BIGINT', options, rows }, async ({ run }) => {
      assert.equal((await run()).kind, 'finished')
      const found = receiver.received.map(({ body }) => JSON.parse(body).n)
      assert.deepEqual(
        found.sort((left, right) => left - right),
        rows.map((_, n) => n),
      )
    })
  })
})

test('a server that is down, silent, or closes half-way is tried again, and named when the pipeline gives up', async () => {
  const silent = createSocketServer((socket) => socket.on('error', () => {}))
  const halfway = createSocketServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'))
  })
  const listen = (server: typeof silent) =>
    new Promise<string>((resolve) =>
      server.listen(0, '127.0.0.1', () =>
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      ),
    )
  const gone = await httpReceiver()
  await gone.close()
  try {
    const faults = [
      [gone.url, '60 s', /ECONNREFUSED/],
      [await listen(silent), '20 ms', /no answer within 20 ms/],
      [await listen(halfway), '60 s', /aborted|hang up/],
    ] as const
    const met = faults.map(async ([url, timeout, said]) => {
      const options = `, 'sink.max-retries' = '0', 'request.timeout' = '${timeout}'`
      const settings = `SET 'restart-strategy.exponential-delay.attempts-before-reset-backoff' = '1';`
      await sending({ url, options, settings, rows: ROWS.slice(0, 1) }, async ({ run }) => {
        const outcome = await run()
        assert.equal(outcome.kind, 'failed')
        if (outcome.kind === 'failed') assert.match(outcome.error.message, said)
      })
    })
    await Promise.all(met)
  } finally {
    silent.close()
    halfway.close()
  }
})

test('no secret is in what is kept on the disk', async () => {
  await withReceiver(async (receiver) => {
    receiver.respond = answerStatus(404)
    const options = `, 'header.Authorization' = 'Bearer \${env:SECRET}', 'body.template' = '{"k":"\${env:SECRET}","n":"{{n}}"}'`
    await sending(
      { url: `${receiver.url}/\${env:SECRET}`, options },
      async ({ run, directory }) => {
        assert.equal((await run()).kind, 'commit-refused')
        const files = readdirSync(join(directory, 'data'), {
          recursive: true,
          withFileTypes: true,
        }).filter((entry) => entry.isFile())
        assert.ok(files.some(({ name }) => name.endsWith('.jsonl')))
        for (const { parentPath, name } of files)
          assert.ok(!readFileSync(join(parentPath, name)).includes('s3cret'), name)
      },
    )
  })
})

test('what can not be is refused before anything is sent, and no value is told', async () => {
  await withReceiver(async (receiver) => {
    for (const [url, options] of [
      ['ftp://example.test', ''],
      ['nowhere-s3cret', ''],
      ['http://user:s3cret@example.test', ''],
      ['http://{{shop}}.example.test/', ''],
      [`${receiver.url}/{{none}}`, ''],
      [receiver.url, `, 'body.template' = '{"s3cret": {{n}}}'`],
      [receiver.url, `, 'body.template' = '{"x": "{{none}}"}'`],
      [receiver.url, `, 'header.Content-Length' = '3'`],
      [receiver.url, `, 'header.a b' = '3'`],
      [receiver.url, `, 'header.X' = 's3cret\n evil'`],
      [receiver.url, `, 'sink.max-in-flight' = '65'`],
    ] as const)
      await sending({ url, options }, async ({ run }) => {
        const failed = await run().then(
          (outcome) => (outcome.kind === 'failed' ? outcome.error : undefined),
          (error) => error,
        )
        assert.equal(failed?.code, 'HTTP_OPTION_INVALID', url + options)
        assert.doesNotMatch(JSON.stringify([failed.message, failed.hint, failed.facts]), /s3cret/)
      })
    assert.equal(receiver.received.length, 0)
  })
})

test('rows that are taken back are refused at plan time', async () => {
  await withReceiver(async (receiver) => {
    await sending({ url: receiver.url, columns: 'n BIGINT', rows: ['{"n":1}'] }, async ({ db }) => {
      await assert.rejects(db.run('INSERT INTO alerts SELECT COUNT(*) FROM rows_in'), {
        code: 'CHANGELOG_REFUSED',
      })
    })
  })
})
