import assert from 'node:assert/strict'
import test from 'node:test'
import { LinearMemory } from '../data/memory.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from '../testing/ports.ts'
import { simulatedRandom } from '../testing/random.ts'
import { compactPartition } from './compaction.ts'
import { inspectPartition, verifyTopic } from './inspect.ts'
import { type EventLog, openLog } from './log.ts'
import { partitionRange } from './lookup.ts'
import { copyPins, pin, unpin } from './pins.ts'
import { openReader } from './reader.ts'
import { configureTopicFile } from './topics.ts'

const DATA = '/data'
const HOUR = 3_600_000
/** Bytes that compression does not shrink. */
const noise = simulatedRandom(7)

test('segments go when they are old, and readers of what is gone are told what is there', async () => {
  const { ports, log } = await hourly({ 'retention.ms': String(4.5 * HOUR) })
  const { segmentsRemoved } = await log.maintain()
  const { startOffset, endOffset } = partitionRange(ports, DATA, 't', 0)
  assert.ok(segmentsRemoved > 0 && startOffset > 0)
  assert.equal(endOffset, 10)
  const times = inspectPartition(ports, DATA, 't', 0).map((batch) => batch.maxTimestampMs)
  assert.ok(times.some((time) => time >= ports.clock.nowMs() - 4.5 * HOUR))
  assert.deepEqual(offsets(ports, startOffset), range(startOffset, 10))
  assert.throws(() => offsets(ports, 0), { code: 'LOG_OFFSET_OUT_OF_RANGE' })
  assert.deepEqual(verifyTopic(ports, DATA, 't')[0]!.damages, [])
  await log.close()
})

test('segments go when there are too many bytes, and what is pinned stays', async () => {
  const { ports, log } = await hourly({ 'retention.bytes': '1500' })
  await pin(ports, place('p', 'orders'), 3)
  await pin(ports, place('q', 'orders'), 5)
  await log.maintain()
  assert.ok(partitionRange(ports, DATA, 't', 0).startOffset <= 3)
  await pin(ports, place('p', 'orders'), 6)
  await pin(ports, place('p', 'orders again'), 6)
  await log.maintain()
  const { startOffset } = partitionRange(ports, DATA, 't', 0)
  assert.ok(startOffset > 3 && startOffset <= 5)
  unpin(ports, DATA, 'q')
  unpin(ports, DATA, 'p', ['orders'])
  await copyPins(ports, DATA, 'p', `${DATA}/savepoints/s`)
  unpin(ports, DATA, 'p')
  await log.maintain()
  assert.ok(partitionRange(ports, DATA, 't', 0).startOffset <= 6, 'the savepoint pins it')
  ports.files.remove(`${DATA}/savepoints/s`)
  await log.maintain()
  assert.ok(partitionRange(ports, DATA, 't', 0).startOffset > 5)
  await log.close()
})

test('what a topic keeps can be changed, and nothing else of it', async () => {
  const { ports, log } = await hourly({})
  await configureTopicFile(ports, DATA, 't', { 'retention.ms': String(4.5 * HOUR) })
  assert.ok((await log.maintain()).segmentsRemoved > 0)
  const { id, config } = log.topic('t')!
  await configureTopicFile(ports, DATA, 't', { 'retention.bytes': '10' })
  const changed = log.topic('t')!
  assert.deepEqual([changed.id, changed.config], [id, { ...config, retentionBytes: 10 }])
  const changes: [string, string, string][] = [
    ['t', 'cleanup.policy', 'compact'],
    ['t', 'retention.ms', 'a week'],
    ['gone', 'retention.ms', '1'],
  ]
  for (const [topic, setting, value] of changes) {
    await assert.rejects(configureTopicFile(ports, DATA, topic, { [setting]: value }), {
      code: topic === 'gone' ? 'LOG_TOPIC_MISSING' : 'LOG_TOPIC_INVALID',
    })
  }
  await log.close()
})

test('a topic keeps everything unless it is told otherwise', async () => {
  const { ports, log } = await hourly({})
  await ports.clock.advance(10_000 * HOUR)
  assert.deepEqual(await log.maintain(), { segmentsRemoved: 0, recordsRemoved: 0 })
  await log.close()
})

test('compaction keeps the last record of each key, where nothing is pinned, and readers pass the gaps', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await compactedTopic(log)
  const all = records(ports)
  await pin(ports, place('p', 'orders'), 20)
  await log.maintain()
  assert.deepEqual(
    records(ports).filter(({ offset }) => offset >= 20),
    all.slice(20),
  )
  unpin(ports, DATA, 'p')
  const before = all.length
  const { recordsRemoved } = await log.maintain()
  const left = records(ports)
  assert.ok(recordsRemoved > 0 && left.length < before)
  assert.deepEqual(latestOf(left), latestOf(all))
  assert.deepEqual(verifyTopic(ports, DATA, 't')[0]!.damages, [])
  assert.deepEqual(
    offsets(ports, 0),
    left.map(({ offset }) => offset),
  )
  await log.close()
})

test('a pass that may remember few keys, is ended early, or runs beside appends leaves what one pass leaves', async () => {
  const [whole, pieces] = [simulatedPorts(1), simulatedPorts(1)]
  const log = openLog({ ports: whole, dataDirectory: DATA })
  await compactedTopic(log)
  await log.maintain()
  await log.close()
  const other = openLog({ ports: pieces, dataDirectory: DATA })
  await compactedTopic(other)
  const writer = await other.partition('t', 0)
  const { config } = other.topic('t')!
  let progress = { compactedTo: 0, oldestTombstoneMs: undefined as number | undefined }
  for (let pass = 0; pass < 60; pass++) {
    let pauses = pass % 7
    const pause = async () => {
      if (pass === 20) void other.append('t', 0, [{ key: utf8('beside'), value: utf8('1') }])
      return pass % 3 !== 0 || pauses-- > 0
    }
    progress = await compactPartition(pieces, writer, config, undefined, progress, pause, 3)
  }
  await other.append('t', 0, [{ key: utf8('beside'), value: utf8('2') }])
  await other.close()
  const left = records(pieces).filter(({ key }) => key !== 'beside')
  assert.deepEqual(
    left.map(({ offset }) => offset),
    records(whole).map(({ offset }) => offset),
  )
  assert.deepEqual(verifyTopic(pieces, DATA, 't')[0]!.damages, [])
})

test('what was compacted is not read again until there is more', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await compactedTopic(log)
  assert.ok((await log.maintain()).recordsRemoved > 0)
  ports.files.fail({ call: 'read', code: 'EIO', nth: 1, forever: true, path: '.log' })
  assert.deepEqual(await log.maintain(), { segmentsRemoved: 0, recordsRemoved: 0 })
  ports.files.heal()
  await log.close()
})

test('a tombstone goes when its time is over, and its key with it', async () => {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await compactedTopic(log)
  const key = utf8('gone')
  await log.append('t', 0, [{ key, value: utf8('v') }])
  await log.append('t', 0, [{ key, value: null }])
  for (let filler = 0; filler < 8; filler++)
    await log.append('t', 0, [{ key: utf8('filler'), value: noise.bytes(300) }])
  await log.maintain()
  assert.equal(records(ports).filter((record) => record.key === 'gone').length, 1)
  await ports.clock.advance(25 * HOUR)
  await log.maintain()
  assert.equal(records(ports).filter((record) => record.key === 'gone').length, 0)
  await log.close()
})

test('a crash anywhere in retention or compaction loses nothing that should stay', async () => {
  const first = simulatedPorts(1)
  await maintainOnce(first)
  const points = [...first.passed.keys()].filter((name) => /retention|compaction/.test(name))
  assert.ok(points.length >= 7, points.join(', '))
  for (const point of points)
    for (const kind of ['kill', 'power'] as const)
      for (const nth of [1, 2]) {
        const ports = simulatedPorts(nth)
        ports.crashAt(point, nth, kind)
        await maintainOnce(ports).catch((error: unknown) => {
          if (!(error instanceof SimulatedCrash)) throw error
        })
        ports.disarm()
        assert.deepEqual(
          verifyTopic(ports, DATA, 't')[0]!.damages,
          [],
          `${kind} at ${point}, ${nth}`,
        )
        const before = latestOf(records(ports))
        const log = openLog({ ports, dataDirectory: DATA })
        await log.maintain()
        await log.close()
        assert.deepEqual(latestOf(records(ports)), before)
        assert.deepEqual(verifyTopic(ports, DATA, 't')[0]!.damages, [])
      }
})

async function maintainOnce(ports: SimulatedPorts): Promise<void> {
  const log = openLog({ ports, dataDirectory: DATA })
  try {
    await compactedTopic(log)
    const settings = { 'segment.bytes': '1024', 'retention.bytes': '2000' }
    await log.createTopic('u', { settings })
    for (let index = 0; index < 20; index++)
      await log.append('u', 0, [{ value: new Uint8Array(200) }])
    await log.maintain()
  } finally {
    await log.close().catch(() => {})
  }
}

async function compactedTopic(log: EventLog): Promise<void> {
  const settings = {
    'cleanup.policy': 'compact',
    'segment.bytes': '1024',
    'compression.type': 'zstd',
  }
  await log.createTopic('t', { settings })
  for (let index = 0; index < 60; index++) {
    const value = noise.bytes(150)
    const headers = [{ key: 'n', value: utf8(String(index)) }]
    await log.append('t', 0, [
      { key: utf8(`k${index % 7}`), value, headers },
      { key: utf8(`m${index % 3}`), value: utf8(String(index)) },
    ])
  }
}

/** Ten records an hour apart, a few a segment. */
async function hourly(
  settings: Record<string, string>,
): Promise<{ readonly ports: SimulatedPorts; readonly log: EventLog }> {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t', { settings: { 'segment.bytes': '1024', ...settings } })
  for (let index = 0; index < 10; index++) {
    await log.append('t', 0, [{ value: new Uint8Array(400) }])
    await ports.clock.advance(HOUR)
  }
  return { ports, log }
}

function records(ports: SimulatedPorts) {
  return inspectPartition(ports, DATA, 't', 0, { withRecords: true }).flatMap((batch) =>
    batch.records!.map(({ key, value, offset }) => ({
      key: new TextDecoder().decode(key ?? undefined),
      value,
      offset,
    })),
  )
}

function latestOf(all: ReturnType<typeof records>): Map<string, Uint8Array | null> {
  return new Map(
    [...new Map(all.map(({ key, value }) => [key, value]))].sort(([one], [other]) =>
      one < other ? -1 : 1,
    ),
  )
}

function offsets(ports: SimulatedPorts, from: number): number[] {
  const memory = new LinearMemory()
  const at = { topic: 't', partition: 0, startOffset: from }
  const reader = openReader({ ports, dataDirectory: DATA, memory, ...at })
  const seen: number[] = []
  for (let read = reader.poll({ recordsMax: 3 }); read; read = reader.poll({ recordsMax: 3 }))
    for (let row = 0; row < read.count; row++) seen.push(read.offsetOf(row))
  reader.close()
  return seen
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

function place(pipeline: string, source: string) {
  return { dataDirectory: DATA, pipeline, source, topic: 't', partition: 0 }
}

function utf8(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}
