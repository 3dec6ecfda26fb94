import assert from 'node:assert/strict'
import test from 'node:test'
import { LinearMemory } from '../data/memory.ts'
import { MillraceError } from '../errors.ts'
import { settle } from '../testing/clock.ts'
import { type SimulatedPorts, simulatedPorts } from '../testing/ports.ts'
import { createBatchBuilder } from './batch-builder.ts'
import { inspectPartition, verifyTopic } from './inspect.ts'
import { type EventLog, openLog } from './log.ts'
import { offsetForTime, partitionRange } from './lookup.ts'
import type { FsyncPolicy } from './partition-writer.ts'
import type { ProducedRecord } from './produced-records.ts'
import { openReader } from './reader.ts'

const DATA = '/data'
const SMALL_SEGMENTS = { 'segment.bytes': '1024' }

test('what is appended is read back in order, across segments, whatever the size of a poll', async () => {
  for (const recordsMax of [1, 3, 1000])
    for (const compression of ['none', 'gzip', 'zstd'])
      await withLog(async (log, ports) => {
        const settings = { ...SMALL_SEGMENTS, 'compression.type': compression }
        await log.createTopic('t', { settings })
        for (let batch = 0; batch < 40; batch++)
          await log.append('t', 0, [text(`a${batch}`), text(`b${batch}`), text(`c${batch}`)])
        const expected = Array.from({ length: 40 }, (_, b) => [`a${b}`, `b${b}`, `c${b}`]).flat()
        assert.deepEqual(readAll(ports, 't', 0, { recordsMax }), expected)
        assert.deepEqual(readAll(ports, 't', 0, { recordsMax, from: 61 }), expected.slice(61))
        assert.deepEqual(
          readAll(ports, 't', 0, { recordsMax, from: 7, until: 92 }),
          expected.slice(7, 92),
        )
        assert.deepEqual(verifyTopic(ports, DATA, 't')[0]!.damages, [])
      })
})

test("a record keeps its key, headers, the producer's time and the time of its append", async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t')
    const value = utf8('v')
    const headers = [
      { key: 'trace', value: utf8('1') },
      { key: 'empty', value: null },
    ]
    await log.append('t', 0, [
      { key: utf8('k'), value, headers, timestampMs: 5 },
      { key: null, value: null, timestampMs: -3 },
    ])
    const [batch] = inspectPartition(ports, DATA, 't', 0, { withRecords: true })
    const appendTimeMs = ports.clock.nowMs()
    assert.deepEqual(batch!.records, [
      { key: utf8('k'), value, headers, timestampMs: 5, offset: 0, appendTimeMs },
      { key: null, value: null, headers: [], timestampMs: -3, offset: 1, appendTimeMs },
    ])
    const memory = new LinearMemory()
    const reader = openReader({
      ports,
      dataDirectory: DATA,
      topic: 't',
      partition: 0,
      memory,
      startOffset: 0,
      times: true,
    })
    const read = reader.poll({ recordsMax: 10 })!
    assert.deepEqual(
      [memory.i64[read.timesUs >> 3], memory.i64[(read.timesUs >> 3) + 1]],
      [5000n, -3000n],
    )
    assert.equal(memory.i64[read.appendTimesUs >> 3], BigInt(appendTimeMs) * 1000n)
    assert.equal(read.nullValues, 1)
    reader.close()
  })
})

test('readers see nothing that has not been synced, and all of it afterwards', async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t')
    await log.append('t', 0, [text('a')])
    let release = () => {}
    ports.files.slowSync = () => new Promise((resolve) => (release = resolve))
    const appending = log.append('t', 0, [text('b')])
    await settle()
    assert.deepEqual(readAll(ports, 't', 0), ['a'])
    const next = log.append('t', 0, [text('c')])
    await settle()
    release()
    await appending
    // The sync that has ended began before 'c' was written.
    assert.deepEqual(readAll(ports, 't', 0), ['a', 'b'])
    await settle()
    ports.files.slowSync = undefined
    release()
    await next
    assert.deepEqual(readAll(ports, 't', 0), ['a', 'b', 'c'])
  })
})

test('a reader that stands at the end goes on when more is appended', async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t', { settings: SMALL_SEGMENTS })
    const memory = new LinearMemory()
    const reader = openReader({
      ports,
      dataDirectory: DATA,
      topic: 't',
      partition: 0,
      memory,
      startOffset: 0,
    })
    const seen: number[] = []
    for (let round = 0; round < 30; round++) {
      assert.equal(reader.poll({ recordsMax: 10 }), undefined)
      await log.append('t', 0, [text('x'.repeat(100))])
      seen.push(reader.poll({ recordsMax: 10 })!.nextOffset)
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 30 }, (_, round) => round + 1),
    )
    reader.close()
  })
})

test('an idempotent producer appends each batch once, and is told of gaps and of its successor', async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t')
    const producer = { producerId: 7, epoch: 0, sequence: 0 }
    await log.append('t', 0, [text('a'), text('b')], producer)
    const again = await log.append('t', 0, [text('a'), text('b')], producer)
    assert.deepEqual(again, { baseOffset: 0, endOffset: 2, appended: 0, duplicates: 2 })
    await assert.rejects(log.append('t', 0, [text('d')], { ...producer, sequence: 3 }), {
      code: 'LOG_SEQUENCE_GAP',
    })
    await log.append('t', 0, [text('c')], { ...producer, epoch: 1 })
    await assert.rejects(log.append('t', 0, [text('z')], { ...producer, sequence: 2 }), {
      code: 'LOG_PRODUCER_FENCED',
    })
    assert.deepEqual(readAll(ports, 't', 0), ['a', 'b', 'c'])
  })
})

test('producers are known again after a kill, from segments and from the snapshot', async () => {
  for (const settings of [{}, SMALL_SEGMENTS]) {
    const ports = simulatedPorts(1)
    const log = openLog({ ports, dataDirectory: DATA })
    await log.createTopic('t', { settings })
    for (let sequence = 0; sequence < 20; sequence++)
      await log.append('t', 0, [text('x'.repeat(200))], { producerId: 7, epoch: 3, sequence })
    ports.files.crash('kill')
    await log.close().catch(() => {})
    const after = openLog({ ports, dataDirectory: DATA })
    assert.deepEqual(await after.producer('t', 0, 7), { epoch: 3, lastSequence: 19 })
    const again = await after.append('t', 0, [text('x')], { producerId: 7, epoch: 3, sequence: 17 })
    assert.equal(again.duplicates, 1)
    await after.close()
  }
})

test('an event id is appended once within its window, also after a restart', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t', { settings: { 'event-id.window.records': '4' } })
  await log.append('t', 0, [
    { ...text('a'), eventId: '1' },
    { ...text('a'), eventId: '1' },
  ])
  await log.append('t', 0, [text('b'), { ...text('c'), eventId: '2' }])
  await log.close()
  const after = openLog({ ports, dataDirectory: DATA })
  const again = await after.append('t', 0, [
    { ...text('a'), eventId: '1' },
    { ...text('d'), eventId: '3' },
  ])
  assert.deepEqual([again.appended, again.duplicates], [1, 1])
  await after.append('t', 0, [text('e')])
  // Offset 0 is now four records back: the window is over.
  await after.append('t', 0, [{ ...text('a'), eventId: '1' }])
  assert.deepEqual(readAll(ports, 't', 0), ['a', 'b', 'c', 'd', 'e', 'a'])
  await after.close()
})

test('records with one key go to one partition, and those with one event id too', async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t', { partitions: 4 })
    const records = ['x', 'y', 'z'].map((key) => ({ key: utf8(key), value: utf8(key) }))
    for (let round = 0; round < 3; round++) await log.produce('t', records)
    for (let partition = 0; partition < 4; partition++) {
      const values = readAll(ports, 't', partition)
      for (const value of new Set(values))
        assert.equal(values.filter((each) => each === value).length, 3)
    }
    await log.produce('t', [{ value: utf8('e'), eventId: '9' }])
    const [second] = await log.produce('t', [{ value: utf8('e'), eventId: '9' }])
    assert.equal(second!.duplicates, 1)
  })
})

test("a time leads to the first record at or after it, by append time or by the producer's", async () => {
  for (const type of ['LogAppendTime', 'CreateTime'])
    await withLog(async (log, ports) => {
      const settings = { ...SMALL_SEGMENTS, 'message.timestamp.type': type }
      await log.createTopic('t', { settings })
      const start = ports.clock.nowMs()
      for (let index = 0; index < 50; index++) {
        await log.append('t', 0, [text('x'.repeat(50))])
        await ports.clock.advance(10)
      }
      for (const index of [0, 1, 17, 49])
        assert.equal(offsetForTime(ports, DATA, 't', 0, start + index * 10 - 5), index)
      assert.equal(offsetForTime(ports, DATA, 't', 0, start + 500), 50)
    })
})

test('a full disk fails an append and takes nothing of it, and the next one goes on', async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t')
    await log.append('t', 0, [text('a')])
    ports.files.fail({ call: 'write', code: 'ENOSPC', nth: 1, path: '.log', bytesWritten: 20 })
    await assert.rejects(
      log.append('t', 0, [text('b')]),
      (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, 'LOG_WRITE_FAILED')
        assert.match(error.hint, /disk is full/)
        return true
      },
    )
    await log.append('t', 0, [text('c')])
    assert.deepEqual(readAll(ports, 't', 0), ['a', 'c'])
    assert.deepEqual(verifyTopic(ports, DATA, 't')[0]!.damages, [])
  })
})

test('a disk that is full when a segment ends stops an append, and not the partition', async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t', { settings: SMALL_SEGMENTS })
    for (const path of ['.producers', '.timeindex', '.log']) {
      const before = readAll(ports, 't', 0)
      ports.files.fail({ call: 'write', code: 'ENOSPC', nth: 1, path })
      const long = text('x'.repeat(600))
      const appends = [long, long, long].map((record) =>
        log.append('t', 0, [record]).then(
          () => 1,
          () => 0,
        ),
      )
      const appended = (await Promise.all(appends)).reduce<number>((sum, one) => sum + one, 0)
      assert.ok(appended < 3, path)
      await log.append('t', 0, [text('y')])
      const values = [...Array(appended).fill('x'.repeat(600)), 'y']
      assert.deepEqual(readAll(ports, 't', 0), [...before, ...values], path)
    }
    assert.deepEqual(verifyTopic(ports, DATA, 't')[0]!.damages, [])
  })
})

test('after a failed sync the partition refuses everything until it is opened again', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t')
  await log.append('t', 0, [text('a')])
  ports.files.fail({ call: 'sync', code: 'EIO', nth: 1 })
  await assert.rejects(log.append('t', 0, [text('b')]), { code: 'LOG_FSYNC_FAILED' })
  await assert.rejects(log.append('t', 0, [text('c')]), { code: 'LOG_FSYNC_FAILED' })
  assert.deepEqual(readAll(ports, 't', 0), ['a'])
  await log.close()
  const after = openLog({ ports, dataDirectory: DATA })
  await after.append('t', 0, [text('d')])
  assert.equal(readAll(ports, 't', 0).at(-1), 'd')
  await after.close()
})

test('a damaged batch is an error that names file and byte, for readers and for recovery', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t')
  for (const value of ['a', 'b', 'c']) await log.append('t', 0, [text(value)])
  await log.close()
  const [, second] = inspectPartition(ports, DATA, 't', 0)
  const where = { path: second!.segment, byte: second!.position }
  ports.files.flip(where.path, where.byte + 65)
  const isDamage = (error: Error) => {
    assert.ok(error instanceof MillraceError)
    assert.equal(error.code, 'LOG_CORRUPT')
    assert.deepEqual({ path: error.facts.path, byte: error.facts.byte }, where)
    return true
  }
  assert.throws(() => readAll(ports, 't', 0), isDamage)
  const damages = verifyTopic(ports, DATA, 't')[0]!.damages
  assert.deepEqual(
    damages.map(({ path, byte }) => ({ path, byte })),
    [where],
  )
  const after = openLog({ ports, dataDirectory: DATA })
  await assert.rejects(after.append('t', 0, [text('d')]), isDamage)
  await after.close()
})

test("topics are refused for what they can't be, for existing, and for being missing", async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t')
    await assert.rejects(log.createTopic('t'), { code: 'LOG_TOPIC_EXISTS' })
    await assert.rejects(log.createTopic('a/b'), { code: 'LOG_TOPIC_INVALID' })
    await assert.rejects(log.createTopic('u', { partitions: 0 }), { code: 'LOG_TOPIC_INVALID' })
    await assert.rejects(log.createTopic('u', { settings: { 'retention.hours': '1' } }), {
      code: 'LOG_TOPIC_INVALID',
    })
    await assert.rejects(log.append('u', 0, [text('a')]), { code: 'LOG_TOPIC_MISSING' })
    assert.deepEqual(log.topics(), ['t'])
    assert.deepEqual(partitionRange(ports, DATA, 't', 0), { startOffset: 0, endOffset: 0 })
    await log.append('t', 0, [text('a')])
    assert.throws(() => readAll(ports, 't', 0, { from: 2 }), { code: 'LOG_OFFSET_OUT_OF_RANGE' })
  })
})

test('a record or a batch that is too long, and one without the key it needs, are refused whole', async () => {
  await withLog(async (log, ports) => {
    await log.createTopic('t', {
      settings: { 'max.message.bytes': '2000', 'cleanup.policy': 'compact' },
    })
    const long = { key: utf8('k'), value: new Uint8Array(3000) }
    await assert.rejects(log.append('t', 0, [{ ...long, value: utf8('a') }, long]), {
      code: 'LOG_RECORD_TOO_LARGE',
    })
    const builder = createBatchBuilder()
    builder.add(long, 0)
    await assert.rejects(log.appendBatch('t', 0, builder.finish('none')), {
      code: 'LOG_RECORD_TOO_LARGE',
    })
    await assert.rejects(log.append('t', 0, [text('a')]), { code: 'LOG_KEY_MISSING' })
    assert.deepEqual(readAll(ports, 't', 0), [])
  })
})

test('two who open one directory share its log until the last has closed it', async () => {
  const ports = simulatedPorts(1)
  const first = openLog({ ports, dataDirectory: DATA })
  const second = openLog({ ports, dataDirectory: `${DATA}/../data/` })
  assert.equal(first, second)
  await first.createTopic('t')
  await first.close()
  await second.append('t', 0, [text('a')])
  await second.close()
  assert.deepEqual(readAll(ports, 't', 0), ['a'])
})

async function withLog(
  body: (log: EventLog, ports: SimulatedPorts) => Promise<void>,
): Promise<void> {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await body(log, ports)
  await log.close()
}

function readAll(
  ports: SimulatedPorts,
  topic: string,
  partition: number,
  { recordsMax = 100, from = 0, until = Number.MAX_SAFE_INTEGER } = {},
): string[] {
  const memory = new LinearMemory()
  const reader = openReader({
    ports,
    dataDirectory: DATA,
    topic,
    partition,
    memory,
    startOffset: from,
  })
  const values: string[] = []
  for (;;) {
    const mark = memory.arena.mark()
    const read = reader.poll({ recordsMax, untilOffset: until })
    if (read === undefined) break
    assert.ok(read.count > 0 && read.count <= recordsMax)
    for (let row = 0; row < read.count; row++) {
      const words = (read.values >> 2) + 2 * row
      const address = memory.u32[words]!
      values.push(
        new TextDecoder().decode(memory.u8.slice(address, address + memory.u32[words + 1]!)),
      )
    }
    memory.arena.release(mark)
  }
  reader.close()
  return values
}

function text(value: string): ProducedRecord {
  return { value: utf8(value) }
}

function utf8(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

test('without a sync at each append, a kill takes nothing and a power cut a tail at most', async () => {
  const policies: readonly FsyncPolicy[] = [{ kind: 'os' }, { kind: 'interval', intervalMs: 50 }]
  for (const fsync of policies)
    for (const kind of ['kill', 'power'] as const) {
      const ports = simulatedPorts(3)
      const log = openLog({ ports, dataDirectory: DATA, fsync })
      await log.createTopic('t', { settings: SMALL_SEGMENTS })
      const sent = Array.from({ length: 30 }, (_, index) => `v${index}`)
      for (const value of sent) await log.append('t', 0, [text(value.padEnd(100))])
      const synced = fsync.kind === 'interval' ? sent.length : 0
      await ports.clock.advance(50)
      ports.files.crash(kind)
      await log.close().catch(() => {})
      const after = openLog({ ports, dataDirectory: DATA, fsync })
      await after.recover()
      const there = readAll(ports, 't', 0).map((value) => value.trimEnd())
      assert.deepEqual(there, sent.slice(0, there.length))
      if (kind === 'kill') assert.equal(there.length, sent.length)
      else assert.ok(there.length >= synced, `${there.length} of ${synced}`)
      await after.close()
    }
})

test('an index that is missing, empty or of another file changes nothing but the way to a record', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t', { settings: { 'segment.bytes': '20000' } })
  const sent = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(400))
  for (const value of sent) await log.append('t', 0, [text(value)])
  await log.close()
  const indexes = ports.files.list(`${DATA}/log/t-0`).filter((name) => name.endsWith('index'))
  const contents = new Map(
    indexes.map((name) => [name, ports.files.contents(`${DATA}/log/t-0/${name}`)]),
  )
  const put = (name: string, bytes: Uint8Array) => {
    const file = ports.files.open(`${DATA}/log/t-0/${name}`, 'write')
    file.truncate(0)
    file.write(bytes, 0)
    file.close()
  }
  const check = () => {
    for (const from of [0, 13, 47, 99]) {
      assert.deepEqual(
        readAll(ports, 't', 0, { from, until: from + 2 }),
        sent.slice(from, from + 2),
      )
      offsetForTime(ports, DATA, 't', 0, 0)
    }
  }
  assert.ok([...contents.values()].some((bytes) => bytes.length > 8))
  check()
  const [first] = [...contents.values()].filter((bytes) => bytes.length > 8)
  for (const name of indexes) put(name, first!)
  check()
  for (const name of indexes) put(name, new Uint8Array(0))
  check()
  for (const name of indexes) ports.files.remove(`${DATA}/log/t-0/${name}`)
  check()
  const after = openLog({ ports, dataDirectory: DATA })
  await after.recover()
  await after.close()
  for (const [name, bytes] of contents)
    assert.deepEqual(ports.files.contents(`${DATA}/log/t-0/${name}`), bytes, name)
})
