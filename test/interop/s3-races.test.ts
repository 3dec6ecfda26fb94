/** Many pipelines commit to one Delta table of a real S3-compatible server at once, while the server fails now and then. */
import assert from 'node:assert/strict'
import { request as ask, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { makeBucket, SEAWEED, startSeaweed, stopSeaweed } from '../../scripts/engines/seaweed.ts'
import { open } from '../../src/index.ts'
import { inDirectory } from '../cli/process.ts'

const WRITERS = 64
const BUCKET = 'races'
/** Of every so many requests one each is answered 500, SlowDown, or not at all although it was done. */
const FAULT_EVERY = 23

let asked = 0
const failing = createServer((incoming, outgoing) => {
  const turn = asked++ % FAULT_EVERY
  if (turn === 3 || turn === 9) {
    incoming.resume()
    outgoing.writeHead(turn === 3 ? 500 : 503).end(turn === 3 ? '' : '<Code>SlowDown</Code>')
    return
  }
  const { method, url, headers } = incoming
  const target = { method, headers, path: url, host: '127.0.0.1' }
  const { port } = new URL(SEAWEED.AWS_ENDPOINT_URL!)
  const onward = ask({ ...target, port }, (answer) => {
    if (turn === 15) {
      answer.resume().on('end', () => outgoing.destroy())
      return
    }
    outgoing.writeHead(answer.statusCode!, answer.headers)
    answer.pipe(outgoing)
  })
  onward.on('error', () => outgoing.destroy())
  incoming.pipe(onward)
})

before(async () => {
  await startSeaweed()
  await makeBucket(BUCKET)
  await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve))
  const { port } = failing.address() as AddressInfo
  Object.assign(process.env, SEAWEED, { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` })
})

after(async () => {
  failing.closeAllConnections()
  failing.close()
  await stopSeaweed()
})

test(`${WRITERS} pipelines commit to one table at once, through errors and lost answers: each row is there once`, {
  timeout: 400_000,
}, async () => {
  const sink = `CREATE TABLE sink (w INT) WITH ('connector' = 'delta', 'table-path' = 's3://${BUCKET}/t${Date.now()}')`
  await inDirectory(async (directory) => {
    const write = async (writer: number) => {
      await using db = await open({ data: join(directory, `${writer}`), tables: sink })
      const sql = `INSERT INTO sink SELECT w FROM (VALUES (${writer})) AS v (w)`
      const { finished } = await db.run(sql, { name: `writer-${writer}`, until: 'end' })
      const outcome = await finished
      assert.ok(outcome.kind === 'finished', `${writer}: ${JSON.stringify(outcome)}`)
    }
    await write(0)
    await Promise.all(Array.from({ length: WRITERS - 1 }, (_, at) => write(at + 1)))
    await using db = await open({ data: join(directory, 'reader'), tables: sink })
    const rows = await db.query('SELECT w FROM sink').rows()
    const found = rows.map(({ w }) => Number(w)).sort((x, y) => x - y)
    assert.deepEqual(
      found,
      Array.from({ length: WRITERS }, (_, writer) => writer),
    )
  })
})
