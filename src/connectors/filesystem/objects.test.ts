/** Tables of objects in a store, here of local files: what is written there is read there, once. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { afterEach, beforeEach } from 'node:test'
import { batchOf, rowsOf } from '../../../test/builders/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { ObjectStore } from '../../ports/objects.ts'
import type { Ports } from '../../ports/ports.ts'
import type { CommitRequest } from '../contract/sink.ts'
import type { Source } from '../contract/source.ts'
import { filesystem } from './filesystem.ts'

const schema: Schema = [{ name: 'n', type: types.bigint }]
const memory = new LinearMemory()
const checkpoint = { incarnation: 1, counter: 4 }
let directory: string
let ports: Ports
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-objects-'))
  const node = nodePorts()
  ports = { ...node, objects: (url) => node.objects(join(directory, url.replace('s3://', ''))) }
})
afterEach(() => rmSync(directory, { recursive: true }))

const shared = () => ({
  table: 't',
  schema,
  metadataKeys: [undefined],
  ports,
  baseDirectory: directory,
  dataDirectory: directory,
})

function openSource(path: string, options: Record<string, string> = {}): Promise<Source> {
  const given = { path, format: 'json', ...options }
  return filesystem.source!.open({ ...shared(), options: given, physical: schema })
}

function openSink() {
  return filesystem.sink!.open({
    ...shared(),
    pipeline: 'p',
    options: { path: 's3://lake/out', format: 'json' },
    primaryKey: [],
    partitionedBy: [],
    mode: 'append',
  })
}

function storeAt(path: string): ObjectStore {
  return ports.objects(`s3://${path}`)
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}

async function numbersOf(source: Source, split: string, start?: string): Promise<unknown[]> {
  const reader = await source.open(split, start, memory)
  const numbers: unknown[] = []
  for (;;) {
    const mark = memory.arena.mark()
    const polled = await reader.poll({ rowsMax: 1000, waitMs: 0 })
    if (polled === 'waiting') await new Promise((resolve) => setImmediate(resolve))
    else if (polled === undefined || polled === 'ended') return numbers
    else numbers.push(...rowsOf(memory, polled.batch).map(([n]) => n))
    memory.arena.release(mark)
  }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const request = (committables: string[]): CommitRequest => ({
  pipeline: 'p',
  checkpoint,
  committables,
  positions: {},
})

test('each object below the path is a split, but for hidden ones; a last line needs no end', async () => {
  const store = storeAt('lake/in')
  await store.put('a.json', bytes('{"n":1}\n{"n":2}'))
  await store.put('day=1/b.json', bytes('{"n":3}\n'))
  for (const hidden of ['.c.json', '_log/d.json', 'day=1/.e']) await store.put(hidden, bytes('{'))
  const source = await openSource('s3://lake/in')
  assert.deepEqual(await source.splits(), ['a.json', 'day=1/b.json'])
  assert.equal(await source.endPosition('a.json'), '15')
  assert.deepEqual(await numbersOf(source, 'a.json'), [1n, 2n])
  assert.deepEqual(await numbersOf(source, 'a.json', '8'), [2n])
  assert.deepEqual(await numbersOf(source, 'day=1/b.json'), [3n])
})

test('a path may be one object, and what is not there is said', async () => {
  await storeAt('lake/in').put('a.json', bytes('{"n":7}'))
  const source = await openSource('s3://lake/in/a.json')
  assert.deepEqual(await source.splits(), [''])
  assert.deepEqual(await numbersOf(source, ''), [7n])
  const none = await openSource('s3://lake/none')
  await assert.rejects(none.splits(), { code: 'FILE_MISSING', message: /s3:\/\/lake\/none/ })
  const followed = await openSource('s3://lake/none', { 'source.monitor-interval': '1 s' })
  assert.deepEqual(await followed.splits(), [])
})

test('objects longer than what is fetched at a time, and lines longer than what is read, come whole', async () => {
  const long = `{"other":"${'x'.repeat(6 << 20)}","n":0}\n`
  const count = 700_000
  const lines = Array.from({ length: count }, (_, n) => `{"n":${n + 1}}\n`)
  await storeAt('lake').put('in', bytes(long + lines.join('')))
  const numbers = await numbersOf(await openSource('s3://lake/in'), '')
  assert.equal(numbers.length, count + 1)
  assert.ok(numbers.every((n, at) => n === BigInt(at)))
})

test('an object that goes while it is read stops the pipeline and names it', async () => {
  const store = storeAt('lake')
  await store.put('in', bytes('{"n":1}\n'.repeat(1_000_000)))
  const source = await openSource('s3://lake/in')
  const reader = await source.open('', undefined, memory)
  await store.remove('in')
  const reading = async () => {
    for (let polls = 0; polls < 1000; polls++) {
      await reader.poll({ rowsMax: 1000, waitMs: 0 })
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await assert.rejects(reading, { code: 'FILE_MISSING', message: /lake.*in/ })
})

test('rows are objects with names at commit and not before, once, however often it is committed', async () => {
  const sink = await openSink()
  await sink.prepareTable({ isWritten: false })
  const store = storeAt('lake/out')
  const committer = await sink.openCommitter()
  const writer = await sink.openWriter(0, memory)
  writer.write(batchOf(memory, schema, [[1n], [2n]]))
  await writer.drain()
  writer.write(batchOf(memory, schema, [[3n]]))
  const committable = (await writer.prepare(checkpoint))!
  assert.equal(await writer.prepare({ ...checkpoint, counter: 5 }), undefined)
  const hidden = await keysOf(store)
  assert.ok(hidden.length === 2 && hidden.every((key) => /^\.p-0-\w+\.inprogress$/.test(key)))
  assert.equal(await committer.lastCommitted('p'), undefined)
  for (const already of [false, true]) {
    const outcome = await committer.commit(request([committable]))
    assert.deepEqual(outcome, { kind: 'committed', already })
    assert.deepEqual(await keysOf(store), ['p-0-1-4-1.json', 'p-0-1-4.json'])
  }
  assert.deepEqual(await committer.lastCommitted('p'), checkpoint)
  const source = await openSource('s3://lake/out')
  assert.deepEqual(await numbersOf(source, 'p-0-1-4.json'), [1n, 2n])
  assert.deepEqual(await numbersOf(source, 'p-0-1-4-1.json'), [3n])
})

test('a commit that was cut off between copying and removing is done again; what is gone is refused', async () => {
  const sink = await openSink()
  const store = storeAt('lake/out')
  const writer = await sink.openWriter(1, memory)
  writer.write(batchOf(memory, schema, [[1n]]))
  const committable = (await writer.prepare(checkpoint))!
  const dying = {
    ...ports,
    faultPoint: (name: string) => assert.notEqual(name, 'filesystem.object-copied'),
  }
  const before = ports
  ports = dying
  await assert.rejects((await (await openSink()).openCommitter()).commit(request([committable])))
  ports = before
  assert.equal((await keysOf(store)).length, 2)
  const committer = await sink.openCommitter()
  const again = await committer.commit(request([committable]))
  assert.deepEqual(again, { kind: 'committed', already: false })
  assert.deepEqual(await keysOf(store), ['p-1-1-4.json'])
  await store.remove('p-1-1-4.json')
  const outcome = await committer.commit(request([committable]))
  assert.equal(outcome.kind, 'refused')
})
