/** Retention beside pipelines that run, stand still, save and forget: what a checkpoint needs stays, and nothing else. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { maintainOnce, startMaintenance } from '../../src/connectors/log/maintain.ts'
import { partitionRange } from '../../src/log/lookup.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { DATA, type Life, live, produceRows, topicTexts } from '../simulate/lives.ts'

const SETTINGS = { 'segment.bytes': '1024', 'retention.bytes': '0' }
const TABLES = `
  CREATE TABLE orders (n BIGINT, filler STRING) WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');
  CREATE TABLE copied (n BIGINT) WITH ('connector' = 'log', 'topic' = 'copied', 'format' = 'json');`
const SQL = `SET 'pipeline.name' = 'copy'; SET 'execution.checkpointing.interval' = '3 ms'; ${TABLES}
  INSERT INTO copied SELECT n FROM orders;`
const finishedNow = { kind: 'finished', because: 'now' }

test('what a pipeline that stands still would read stays, and what it has read goes', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 60)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), finishedNow)
  await produce(ports, 60, 120)
  await maintainOnce(ports, DATA)
  const { startOffset } = partitionRange(ports, DATA, 'orders', 0)
  assert.ok(startOffset > 50 && startOffset <= 60, `${startOffset}`)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), finishedNow)
  assert.deepEqual(copied(ports), range(0, 120))
})

test('a pipeline that begins anew, has ended, or no longer reads a topic keeps nothing of it', async () => {
  const ended = simulatedPorts(1)
  await produce(ended, 0, 60)
  await live(ended, { sql: SQL, until: 'end' })
  await produce(ended, 60, 120)
  await maintainOnce(ended, DATA)
  assert.ok(partitionRange(ended, DATA, 'orders', 0).startOffset > 110, 'ended')

  const fresh = simulatedPorts(1)
  await produce(fresh, 0, 60)
  await live(fresh, { sql: SQL, until: 'now' })
  await produce(fresh, 60, 120)
  const other = SQL.replaceAll("'orders'", "'others'")
  await produceRows(fresh, 'others', [{ n: 1 }])
  const renewed = { sql: other, until: 'now', fresh: true, allowDuplicates: true } as const
  assert.deepEqual(await live(fresh, renewed), finishedNow)
  await maintainOnce(fresh, DATA)
  assert.ok(partitionRange(fresh, DATA, 'orders', 0).startOffset > 110, 'fresh')
})

test('a savepoint keeps what it needs until it is removed', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 60)
  const saved = await liveWithSavepoint(ports, `${DATA}/savepoints/s`)
  assert.deepEqual(saved, { kind: 'finished', because: 'stopped' })
  await produce(ports, 60, 120)
  await live(ports, { sql: SQL, until: 'now' })
  await maintainOnce(ports, DATA)
  assert.ok(partitionRange(ports, DATA, 'orders', 0).startOffset <= 60)
  const again: Life = { sql: SQL, until: 'now', fromSavepoint: `${DATA}/savepoints/s` }
  assert.deepEqual(await live(ports, { ...again, allowDuplicates: true }), finishedNow)
  assert.deepEqual([...new Set(copied(ports))], range(0, 120))
  ports.files.remove(`${DATA}/savepoints/s`)
  await maintainOnce(ports, DATA)
  assert.ok(partitionRange(ports, DATA, 'orders', 0).startOffset > 110)
})

test('whatever crashes, retention that follows takes no row that a checkpoint still needs', async () => {
  const first = simulatedPorts(1)
  await produce(first, 0, 20)
  await live(first, { sql: SQL, until: 'now' })
  await produce(first, 20, 40)
  const before = new Map(first.passed)
  await live(first, { sql: SQL, until: 'now' })
  await maintainOnce(first, DATA)
  const points = [...first.passed.keys()].filter(
    (name) => first.passed.get(name) !== before.get(name) && /pin|checkpoint|retention/.test(name),
  )
  assert.ok(points.length >= 8, points.join())
  for (const kind of ['kill', 'power'] as const) {
    for (const point of points) await throughCrashes(point, kind)
  }
})

test('the owner maintains its log at once and then every minute, and goes on after a pass that failed', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 60)
  const errors: unknown[] = []
  const removed: number[] = []
  const maintenance = startMaintenance({
    ports,
    dataDirectory: DATA,
    onPass: ({ segmentsRemoved }) => removed.push(segmentsRemoved),
    onError: (error) => errors.push(error),
  })
  await ports.clock.advance(10)
  assert.equal(removed.length, 1)
  await produce(ports, 60, 120)
  ports.files.fail({ call: 'list', code: 'EIO', nth: 1 })
  await ports.clock.advance(60_000)
  assert.deepEqual([removed.length, errors.length], [1, 1])
  await ports.clock.advance(60_000)
  assert.equal(removed.length, 2)
  assert.ok(partitionRange(ports, DATA, 'orders', 0).startOffset > 110)
  await maintenance.close()
})

test('a topic that was deleted and made again is refused by name, at the start and while the pipeline runs', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 60)
  await live(ports, { sql: SQL, until: 'now' })
  remove(ports)
  // As many rows as before: every offset that was saved is there.
  await produce(ports, 100, 160)
  const outcome = await live(ports, { sql: SQL, until: 'now' })
  assert.ok(outcome !== 'crashed' && outcome.kind === 'failed')
  assert.equal(outcome.error.code, 'SOURCE_REPLACED')
  assert.deepEqual(copied(ports), range(0, 60))

  let ticks = 0
  const running = await live(ports, {
    sql: SQL,
    fresh: true,
    allowDuplicates: true,
    async meanwhile() {
      if (++ticks !== 40) return
      remove(ports)
      await produce(ports, 200, 210)
    },
  })
  assert.ok(running !== 'crashed' && running.kind === 'failed')
  assert.equal(running.error.code, 'SOURCE_REPLACED')
})

async function throughCrashes(point: string, kind: 'kill' | 'power'): Promise<void> {
  const where = `${kind} at ${point}`
  const ports = simulatedPorts(1)
  await produce(ports, 0, 20)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), finishedNow)
  for (const [life, nth] of [1, 2, 3].entries()) {
    await produce(ports, 20 + 20 * life, 40 + 20 * life)
    ports.crashAt(point, nth, kind)
    await live(ports, { sql: SQL, until: 'now' })
    await maintainOnce(ports, DATA).catch((error: unknown) => {
      if (!(error instanceof SimulatedCrash)) throw error
    })
    ports.disarm()
  }
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), finishedNow, where)
  assert.deepEqual(copied(ports), range(0, 80), where)
}

async function liveWithSavepoint(ports: SimulatedPorts, path: string) {
  let isAsked = false
  return live(ports, {
    sql: SQL,
    meanwhile(run) {
      if (isAsked) return
      isAsked = true
      void run.savepoint(path).then(() => run.stop())
    },
  })
}

function produce(ports: SimulatedPorts, from: number, to: number): Promise<void> {
  const rows = range(from, to).map((n) => ({ n, filler: 'x'.repeat(200) }))
  return produceRows(ports, 'orders', rows, { settings: SETTINGS })
}

/** As a person does who removes its files. */
function remove(ports: SimulatedPorts): void {
  ports.files.remove(`${DATA}/log/topics/orders.json`)
  ports.files.remove(`${DATA}/log/orders-0`)
}

function copied(ports: SimulatedPorts): number[] {
  return topicTexts(ports, 'copied')
    .map((text) => JSON.parse(text).n)
    .sort((one, other) => one - other)
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
