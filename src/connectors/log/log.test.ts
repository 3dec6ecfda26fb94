import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, type Plain, rowsOf } from '../../../test/builders/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { mapEntries, nestedBytes } from '../../data/nested.ts'
import { type Schema, types } from '../../data/types.ts'
import { bytesAt, isNull } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import { openLog } from '../../log/log.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from '../../testing/ports.ts'
import type { CommitRequest, Sink, SinkRequest } from '../contract/sink.ts'
import type { SourceRequest } from '../contract/source.ts'
import { log as connector } from './connector.ts'

const DATA = '/data'
const SCHEMA: Schema = [
  { name: 'city', type: types.string },
  { name: 'amount', type: types.decimal(10, 2) },
  { name: 'at', type: types.timestampLtz(3) },
]
const AT = 1_700_000_000_123_000n

test('rows that are written are read back the same, with keys, partitions and times', async () => {
  const ports = simulatedPorts(1)
  const options = { topic: 't', 'key.fields': 'city', 'sink.partitions': '3' }
  const rows: Plain[][] = [
    ['oslo', '12.50', AT],
    ['berg"en', null, null],
    [null, '-5.00', AT],
  ]
  const sink = await openSink(ports, options)
  await commitRows(sink, rows, 1)
  const metadata = ['partition', 'offset', 'key', 'log-append-time', 'topic']
  const read = await readTable(ports, options, metadata)
  const expected = new Map(rows.map((row) => [row[0], row]))
  assert.equal(read.length, 3)
  for (const [city, amount, at, partition, offset, key, appended, topic] of read) {
    assert.deepEqual([city, amount, at], expected.get(city!))
    assert.ok(typeof partition === 'bigint' && partition >= 0n && partition < 3n)
    assert.ok(typeof offset === 'bigint' && offset >= 0n)
    assert.equal(key, JSON.stringify({ city }))
    assert.equal(appended, BigInt(ports.clock.nowMs()) * 1000n)
    assert.equal(topic, 't')
  }
})

test('prepared rows are not visible before their commit, and a repeated commit adds nothing', async () => {
  const ports = simulatedPorts(1)
  const sink = await openSink(ports, { topic: 't' })
  const commit = await prepareRows(sink, [['a', '1.00', null]], 1)
  assert.deepEqual(await readTable(ports, { topic: 't' }), [])
  const committer = await sink.openCommitter()
  assert.equal(await committer.lastCommitted('p'), undefined)
  assert.deepEqual(await committer.commit(commit), {
    kind: 'committed',
    already: false,
    detail: '1 rows',
  })
  assert.deepEqual(await committer.commit(commit), { kind: 'committed', already: true })
  assert.deepEqual(await committer.lastCommitted('p'), { incarnation: 1, counter: 1 })
  assert.deepEqual(await readTable(ports, { topic: 't' }), [['a', '1.00', null]])
  await committer.close()
})

test('a commit that a crash cuts anywhere is completed once by its repetition', async () => {
  const points = [
    'log.sink.ledger.write',
    'log.sink.ledger.sync',
    'log.sink.ledger.rename',
    'log.sink.ledger.directory-sync',
    'log.sink.commit.append',
    'log.append.write',
    'log.append.written',
    'log.fsync.before',
    'log.fsync.after',
    'log.high-watermark.publish',
    'log.sink.commit.appended',
    'log.sink.staged.remove',
  ]
  for (const point of points)
    for (const kind of ['kill', 'power'] as const)
      for (const nth of [1, 2, 9]) await cutCommit(point, kind, nth)
})

async function cutCommit(point: string, kind: 'kill' | 'power', nth: number): Promise<void> {
  const ports = simulatedPorts(nth)
  const options = { topic: 't', 'sink.partitions': '2' }
  const sink = await openSink(ports, options)
  const first: Plain[][] = [['a', '1.00', null]]
  const second: Plain[][] = Array.from({ length: 24 }, (_, index) => [`b${index}`, '2.00', null])
  await commitRows(sink, first, 1)
  const commit = await prepareRows(sink, second, 2, 12)
  ports.crashAt(point, nth, kind)
  const cut = await sink.openCommitter()
  const outcome = await cut.commit(commit).catch((error: unknown) => error)
  await cut.close().catch(() => {})
  ports.disarm()
  const committer = await sink.openCommitter()
  // Without a crash (the point was passed less often) the first attempt has done it.
  const again = await committer.commit(commit)
  assert.equal(again.kind, 'committed', `${point}: ${outcome}`)
  const third: Plain[][] = [['c', '3.00', null]]
  await committer.commit(await prepareRows(sink, third, 3))
  await openLog({ ports, dataDirectory: DATA }).recover()
  await committer.close()
  const cities = (await readTable(ports, options)).map(([city]) => city).sort()
  const expected = [...first, ...second, ...third].map(([city]) => city).sort()
  assert.deepEqual(cities, expected, `${kind} at ${point}, ${nth}: ${outcome}`)
}

test('what was prepared and given up before a crash is never seen', async () => {
  const ports = simulatedPorts(1)
  const sink = await openSink(ports, { topic: 't' })
  await prepareRows(sink, [['lost', '1.00', null]], 1)
  ports.crashAt('log.sink.stage', 1, 'power')
  await assert.rejects(prepareRows(sink, [['lost', '1.00', null]], 2), SimulatedCrash)
  const commit = { ...(await prepareRows(sink, [['kept', '2.00', null]], 1)) }
  const committer = await sink.openCommitter()
  await committer.commit(commit)
  await committer.close()
  assert.deepEqual(await readTable(ports, { topic: 't' }), [['kept', '2.00', null]])
  assert.deepEqual(ports.files.list('/data/log/staged/p/out'), [])
})

test('a staged file that is damaged or missing fails its commit by name, and appends nothing', async () => {
  for (const damage of ['flip', 'remove'] as const) {
    const ports = simulatedPorts(1)
    const sink = await openSink(ports, { topic: 't' })
    const commit = await prepareRows(sink, [['a', '1.00', null]], 1)
    const path = '/data/log/staged/p/out/1-1-0.batches'
    if (damage === 'flip') ports.files.flip(path, 70)
    else ports.files.remove(path)
    const committer = await sink.openCommitter()
    await assert.rejects(committer.commit(commit), (error: Error) => {
      assert.ok(error instanceof MillraceError && error.code === 'LOG_CORRUPT')
      assert.equal(error.facts.path, path)
      return true
    })
    await committer.close()
    assert.deepEqual(await readTable(ports, { topic: 't' }), [])
  }
})

test('rows too many for one batch are cut, and one row too long is refused', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t', { settings: { 'max.message.bytes': '4096' } })
  await log.close()
  const sink = await openSink(ports, { topic: 't' })
  const rows: Plain[][] = Array.from({ length: 100 }, (_, index) => [`${index}`, '1.00', AT])
  await commitRows(sink, rows, 1)
  assert.deepEqual(await readTable(ports, { topic: 't' }), rows)
  await assert.rejects(commitRows(sink, [['x'.repeat(5000), '1.00', AT]], 2), {
    code: 'LOG_RECORD_TOO_LARGE',
  })
})

test('a commit into a topic that is gone is refused with a remedy', async () => {
  const ports = simulatedPorts(1)
  const sink = await openSink(ports, { topic: 't' })
  const commit = await prepareRows(sink, [['a', '1.00', null]], 1)
  ports.files.remove('/data/log/topics/t.json')
  const committer = await sink.openCommitter()
  const outcome = await committer.commit(commit)
  assert.equal(outcome.kind, 'refused')
  await committer.close()
})

test('reading again from any position gives the rows that came after it', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t', { settings: { 'segment.bytes': '1024' } })
  for (let index = 0; index < 60; index++)
    await log.append('t', 0, [json({ city: `c${index}` }), json({ city: `d${index}` })])
  await log.close()
  const all = await readTable(ports, { topic: 't' })
  assert.equal(all.length, 120)
  for (const offset of [0, 1, 7, 64, 119, 120]) {
    const specific = `partition:0,offset:${offset}`
    const options = {
      topic: 't',
      'scan.startup.mode': 'specific-offsets',
      'scan.startup.specific-offsets': specific,
    }
    assert.deepEqual(await readTable(ports, options), all.slice(offset))
  }
})

test('a record that is no row is set aside with its bytes, reason and offset', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t')
  await log.append('t', 0, [
    json({ city: 'a' }),
    { value: utf8('{"city":') },
    { value: null },
    json({}),
  ])
  await log.close()
  const memory = new LinearMemory()
  const source = await connector.source!.open(sourceRequest(ports, { topic: 't' }))
  const reader = await source.open('0', undefined, memory)
  const polled = await reader.poll({ rowsMax: 10, waitMs: 0 })
  assert.ok(polled !== undefined && typeof polled !== 'string')
  assert.deepEqual(rowsOf(memory, polled.batch), [
    ['a', null, null],
    [null, null, null],
  ])
  assert.deepEqual(
    polled.dead.map(({ bytes, position, beforeRow }) => [text(bytes), position, beforeRow]),
    [
      ['{"city":', '1', 1],
      ['', '2', 2],
    ],
  )
  assert.deepEqual([polled.next, polled.lag, await source.endPosition('0')], ['4', 0, '4'])
  await reader.close()
})

test('the headers of a record are a map, and NULL where it has none', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t')
  const headers = [
    { key: 'trace', value: utf8('abc') },
    { key: 'none', value: null },
  ]
  await log.append('t', 0, [json({}), { ...json({}), headers }])
  await log.close()
  const memory = new LinearMemory()
  const source = await connector.source!.open(sourceRequest(ports, { topic: 't' }, ['headers']))
  const reader = await source.open('0', undefined, memory)
  const polled = await reader.poll({ rowsMax: 10, waitMs: 0 })
  assert.ok(polled !== undefined && typeof polled !== 'string')
  const vector = polled.batch.columns[SCHEMA.length]!
  assert.deepEqual([isNull(memory, vector, 0), isNull(memory, vector, 1)], [true, false])
  const block = new DataView(bytesAt(memory, vector, 1).buffer)
  const { keys, values } = mapEntries(types.string, types.bytes, block)
  const textAt = (cell: number) => {
    const { buffer, byteOffset, byteLength } = nestedBytes(block, cell)
    return text(new Uint8Array(buffer, byteOffset, byteLength))
  }
  assert.deepEqual([textAt(keys.cellAt(0)), textAt(keys.cellAt(1))], ['trace', 'none'])
  assert.deepEqual([values.isNull(0), values.isNull(1)], [false, true])
  assert.equal(textAt(values.cellAt(0)), 'abc')
  await reader.close()
})

test('reading begins where the options say: the end, a time, and nowhere else', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t')
  await log.append('t', 0, [json({ city: 'a' })])
  await ports.clock.advance(1000)
  await log.append('t', 0, [json({ city: 'b' })])
  await log.close()
  const from = (mode: string, more: Record<string, string> = {}) =>
    readTable(ports, { topic: 't', 'scan.startup.mode': mode, ...more })
  assert.equal((await from('latest-offset')).length, 0)
  const millis = { 'scan.startup.timestamp-millis': String(ports.clock.nowMs()) }
  assert.deepEqual(
    (await from('timestamp', millis)).map(([city]) => city),
    ['b'],
  )
  await assert.rejects(from('timestamp'), { code: 'LOG_OPTION_INVALID' })
  const wrong = { 'scan.startup.specific-offsets': 'partition:0' }
  await assert.rejects(from('specific-offsets', wrong), { code: 'LOG_OPTION_INVALID' })
})

async function openSink(ports: SimulatedPorts, options: Record<string, string>): Promise<Sink> {
  const request: SinkRequest = {
    table: 'out',
    pipeline: 'p',
    options,
    schema: SCHEMA,
    primaryKey: [],
    partitionedBy: [],
    mode: 'append',
    metadataKeys: SCHEMA.map(() => undefined),
    ports,
    baseDirectory: '/',
    dataDirectory: DATA,
  }
  const sink = await connector.sink!.open(request)
  await sink.prepareTable({ isWritten: false })
  return sink
}

/** Rows in as many batches as there are, or `batches`. */
async function prepareRows(
  sink: Sink,
  rows: readonly Plain[][],
  counter: number,
  batches = 1,
): Promise<CommitRequest> {
  const memory = new LinearMemory()
  const writer = await sink.openWriter(0, memory)
  const size = Math.ceil(rows.length / batches)
  for (let from = 0; from < rows.length; from += size)
    writer.write(batchOf(memory, SCHEMA, rows.slice(from, from + size)))
  const checkpoint = { incarnation: 1, counter }
  const committable = await writer.prepare(checkpoint)
  await writer.close()
  const committables = committable === undefined ? [] : [committable]
  return { pipeline: 'p', checkpoint, committables, positions: {} }
}

async function commitRows(sink: Sink, rows: readonly Plain[][], counter: number): Promise<void> {
  const committer = await sink.openCommitter()
  await committer.commit(await prepareRows(sink, rows, counter))
  await committer.close()
}

function sourceRequest(
  ports: SimulatedPorts,
  options: Record<string, string>,
  metadata: readonly string[] = [],
): SourceRequest {
  const fields = metadata.map((name) => ({
    name,
    type: name === 'key' ? types.string : connector.metadata[name]!.type,
  }))
  return {
    table: 'in',
    options,
    schema: [...SCHEMA, ...fields],
    metadataKeys: [...SCHEMA.map(() => undefined), ...metadata],
    physical: SCHEMA,
    ports,
    baseDirectory: '/',
    dataDirectory: DATA,
  }
}

/** All rows, partition by partition. */
async function readTable(
  ports: SimulatedPorts,
  options: Record<string, string>,
  metadata: readonly string[] = [],
): Promise<Plain[][]> {
  const bounded = { ...options, 'scan.bounded.mode': 'latest-offset' }
  const source = await connector.source!.open(sourceRequest(ports, bounded, metadata))
  const rows: Plain[][] = []
  for (const split of await source.splits()) {
    const memory = new LinearMemory()
    const reader = await source.open(split, undefined, memory)
    for (;;) {
      const polled = await reader.poll({ rowsMax: 7, waitMs: 0 })
      assert.notEqual(polled, undefined)
      if (typeof polled === 'string' || polled === undefined) break
      rows.push(...rowsOf(memory, polled.batch))
    }
    await reader.close()
  }
  return rows
}

function json(row: object): { readonly value: Uint8Array } {
  return { value: utf8(JSON.stringify(row)) }
}

function utf8(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
