/**
 * The S3 store against a real S3-compatible server: objects, races, faults, and Delta tables in it.
 *
 *   node scripts/test.ts test/interop/s3      needs pip; SeaweedFS is fetched into .cache/
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { makeBucket, SEAWEED, startSeaweed, stopSeaweed } from '../../scripts/engines/seaweed.ts'
import { open } from '../../src/index.ts'
import type { HttpSend } from '../../src/ports/http.ts'
import { nodeHttp } from '../../src/ports/node/http.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import type { ObjectStore } from '../../src/ports/objects.ts'
import { s3Objects } from '../../src/ports/s3/objects.ts'
import { inDirectory } from '../cli/process.ts'

const BUCKET = 'lake'
const { clock, random } = nodePorts()
/** Faults are tried again at once. */
const impatient = { ...clock, sleep: async () => {} }

before(async () => {
  await startSeaweed()
  await makeBucket(BUCKET)
})
after(stopSeaweed)

function storeAt(path: string, http: HttpSend = nodeHttp): ObjectStore {
  return s3Objects({ http, clock: impatient, random }, SEAWEED, `s3://${BUCKET}/${path}`)
}

async function keysOf(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, after === undefined ? {} : { after }))
    keys.push(key)
  return keys
}

const bytes = (text: string) => new TextEncoder().encode(text)
const told = (content: Uint8Array | undefined) =>
  content === undefined ? undefined : Buffer.from(content).toString()

test('what is put is there, whole and in parts, listed in order, and gone when it is removed', async () => {
  const store = storeAt('plain')
  const odd = "x=a b/ü+&'()*.json"
  assert.equal(await store.put(odd, bytes('hello')), 'created')
  assert.equal(told(await store.get(odd)), 'hello')
  assert.equal(told(await store.getRange(odd, 1, 3)), 'ell')
  assert.equal(told(await store.getRange(odd, -2, 2)), 'lo')
  assert.deepEqual([(await store.head(odd))!.bytes, (await store.head(odd))!.key], [5, odd])
  await store.put('empty', new Uint8Array())
  assert.equal((await store.head('empty'))!.bytes, 0)
  assert.deepEqual(
    [await store.get('none'), await store.head('none'), await store.getRange('none', 0, 1)],
    [undefined, undefined, undefined],
  )
  for (const name of ['l/3', 'l/1', 'l/2', 'm']) await store.put(name, bytes(name))
  assert.deepEqual(await keysOf(store, 'l/'), ['l/1', 'l/2', 'l/3'])
  assert.deepEqual(await keysOf(store, 'l/', 'l/1'), ['l/2', 'l/3'])
  assert.ok((await keysOf(store, '')).includes(odd))
  await store.remove(odd)
  await store.remove(odd)
  assert.equal(await store.head(odd), undefined)
})

test('a large object appears whole when it is finished, and not at all when it is given up', async () => {
  const store = storeAt('large')
  const part = new Uint8Array(5 << 20).map((_, at) => at * 7)
  const writer = await store.writer('big')
  for (let times = 0; times < 4; times++) writer.write(part)
  assert.equal(await store.head('big'), undefined)
  await writer.finish()
  assert.equal((await store.head('big'))!.bytes, 4 * part.length)
  const first = await store.getRange('big', part.length, 64)
  assert.deepEqual(Uint8Array.from(first!), part.slice(0, 64))
  const given = await store.writer('none')
  given.write(part)
  await given.abort()
  assert.equal(await store.head('none'), undefined)
})

test('of 64 who put one key at once, one has made it', async () => {
  const store = storeAt('race')
  const outcomes = await Promise.all(
    Array.from({ length: 64 }, (_, writer) =>
      store.put('commit', bytes(`writer ${writer}`), { ifAbsent: true }),
    ),
  )
  const created = outcomes.flatMap((outcome, writer) => (outcome === 'created' ? [writer] : []))
  const there = told(await store.get('commit'))
  // Who was told nothing certain reads back who it was.
  const ambiguous = outcomes.flatMap((outcome, writer) =>
    outcome === 'ambiguous' && there === `writer ${writer}` ? [writer] : [],
  )
  assert.deepEqual(
    [...created, ...ambiguous].map((writer) => `writer ${writer}`),
    [there],
  )
})

test('errors of a store that is overloaded are waited out; a conditional put says that it does not know', async () => {
  let failures = 3
  const failing: HttpSend = async (request) => {
    if (failures-- > 0) return { status: 503, headers: {}, body: bytes('<Code>SlowDown</Code>') }
    return nodeHttp(request)
  }
  const store = storeAt('faults', failing)
  assert.equal(await store.put('a', bytes('1')), 'created')
  failures = 1
  assert.equal(await store.put('b', bytes('1'), { ifAbsent: true }), 'ambiguous')
  assert.equal(await store.get('b'), undefined)
  // The answer is lost, the object is there: who asks again with the same condition must not take it for another's.
  const deaf = storeAt('faults', async (request) => {
    const answer = await nodeHttp(request)
    if (request.method === 'PUT') throw Object.assign(new Error('lost'), { code: 'ETIMEDOUT' })
    return answer
  })
  assert.equal(await deaf.put('c', bytes('mine'), { ifAbsent: true }), 'ambiguous')
  assert.equal(told(await deaf.get('c')), 'mine')
  failures = 99
  await assert.rejects(store.get('a'), { code: 'STORE_UNREACHABLE' })
})

test('wrong credentials and a bucket that is not there are told as that', async () => {
  const wrong = { ...SEAWEED, AWS_SECRET_ACCESS_KEY: 'no' }
  const outside = { http: nodeHttp, clock, random }
  await assert.rejects(s3Objects(outside, wrong, `s3://${BUCKET}/x`).put('k', bytes('1')), {
    code: 'STORE_DENIED',
  })
  await assert.rejects(s3Objects(outside, SEAWEED, 's3://nowhere/x').get('k'), {
    code: 'STORE_BUCKET_MISSING',
  })
  assert.throws(() => s3Objects(outside, {}, 's3://b/x'), { code: 'STORE_DENIED' })
})

test('a pipeline writes a Delta table into the store, and a second one beside it, each row once', async () => {
  Object.assign(process.env, SEAWEED)
  await inDirectory(async (directory) => {
    const rows = Array.from({ length: 2000 }, (_, id) => `{"id":${id},"k":"k${id % 7}"}`).join('\n')
    const tables = `CREATE TABLE src (id BIGINT, k STRING) WITH ('connector' = 'values', 'data' = '${rows}');
      CREATE TABLE sink (id BIGINT, k STRING) WITH ('connector' = 'delta', 'table-path' = 's3://${BUCKET}/table')`
    for (const name of ['first', 'second']) {
      await using db = await open({ data: join(directory, name), tables })
      const run = await db.run('INSERT INTO sink SELECT * FROM src', { name, until: 'end' })
      assert.equal((await run.finished).kind, 'finished')
    }
    await using db = await open({ data: join(directory, 'reader'), tables })
    const [counted] = await db
      .query('SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM sink')
      .rows()
    assert.deepEqual({ ...counted }, { n: 4000n, ids: 2000n })
  })
})

test('files of lines in the store are read and written, by two workers, each row once', async () => {
  Object.assign(process.env, SEAWEED)
  const store = storeAt('files')
  const lines = (from: number) =>
    Array.from({ length: 50_000 }, (_, at) => `{"id":${from + at},"k":"k${at % 7}"}`).join('\n')
  await store.put('in/a.json', bytes(lines(0)))
  await store.put('in/day=1/b.json', bytes(lines(50_000)))
  await store.put('in/_started', bytes('{'))
  const table = (name: string, path: string) =>
    `CREATE TABLE ${name} (id BIGINT, k STRING) WITH ('connector' = 'filesystem', 'path' = '${path}', 'format' = 'json');`
  const tables = `${table('src', `s3://${BUCKET}/files/in`)} ${table('sink', `s3://${BUCKET}/files/out`)}`
  await inDirectory(async (directory) => {
    await using db = await open({ data: join(directory, 'data'), tables })
    const options = { name: 'copy', until: 'end', workers: 2 } as const
    const run = await db.run('INSERT INTO sink SELECT * FROM src', options)
    assert.equal((await run.finished).kind, 'finished')
    const keys = await keysOf(store, 'out/')
    assert.ok(
      keys.every((key) => /^out\/copy-[01]-1-\d+\.json$/.test(key)),
      keys.join(),
    )
    const counts =
      'SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids, COUNT(DISTINCT k) AS ks FROM sink'
    const [counted] = await db.query(counts).rows()
    assert.deepEqual({ ...counted }, { n: 100_000n, ids: 100_000n, ks: 7n })
  })
})
