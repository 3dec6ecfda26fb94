/** What keeps a pipeline from committing or going on: told by name, with the way out, and nothing lost when the way is taken. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { ErrorCode } from '../../src/errors.ts'
import type { Ports } from '../../src/ports/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import type { Outcome, RunHandle } from '../../src/run/handle.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import type { FailureRule } from '../../src/testing/files.ts'
import { type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { deltaRows } from '../simulate/lake.ts'
import { DATA, type Life, live, produceRows, topicTexts } from '../simulate/lives.ts'

const TABLES = `
  CREATE TABLE orders (n BIGINT) WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');
  CREATE TABLE kept (n BIGINT) WITH ('connector' = 'delta', 'table-path' = '/lake/kept');
  CREATE TABLE copied (n BIGINT) WITH ('connector' = 'log', 'topic' = 'copied', 'format' = 'json');`
const PIPELINE = (name: string, inserts: string) =>
  `SET 'pipeline.name' = '${name}'; SET 'execution.checkpointing.interval' = '3 ms'; ${TABLES} ${inserts}`
const INTO_KEPT = 'INSERT INTO kept SELECT n FROM orders;'
const INTO_COPIED = 'INSERT INTO copied SELECT n FROM orders;'
const SQL = PIPELINE('p', INTO_KEPT)
const finishedNow = { kind: 'finished', because: 'now' }
const stopped = { kind: 'finished', because: 'stopped' }

test('a table dropped under a running pipeline stops it by name, and what was prepared comes in when it is restored', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 50)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), finishedNow)
  let ticks = 0
  const outcome = await live(ports, {
    sql: SQL,
    async meanwhile() {
      if (++ticks !== 20) return
      ports.files.rename('/lake/kept', '/lake/dropped')
      await produce(ports, 50, 80)
    },
  })
  assert.ok(outcome !== 'crashed' && outcome.kind === 'commit-refused', JSON.stringify(outcome))
  assert.equal(outcome.sink, 'kept')
  assert.match(outcome.reason, /gone/)
  assert.match(outcome.remedy, /restore the table/)
  assert.equal(outcome.pending.committables.length, 1)
  // Started again without it: the same, and no new table is in the way of the old one.
  assert.equal(await codeOf(ports, { sql: SQL, until: 'now' }), 'COMMIT_REFUSED')
  assert.ok(!ports.files.exists('/lake/kept/_delta_log'))
  for (const name of ports.files.list('/lake/dropped'))
    ports.files.rename(`/lake/dropped/${name}`, `/lake/kept/${name}`)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), finishedNow)
  assert.deepEqual(await kept(ports), range(0, 80))
})

test('a table dropped while its pipeline stood still is not silently made again, unless all is begun anew', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 50)
  await live(ports, { sql: SQL, until: 'now' })
  ports.files.remove('/lake/kept')
  assert.equal(await codeOf(ports, { sql: SQL, until: 'now' }), 'COMMIT_REFUSED')
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now', fresh: true }), finishedNow)
  assert.deepEqual(await kept(ports), range(0, 50))
})

test('going on behind what a table holds is refused with both positions, and allowed by a flag', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 50)
  await live(ports, { sql: SQL, until: 'now' })
  const fresh = await live(ports, { sql: SQL, until: 'now', fresh: true })
  assert.ok(fresh !== 'crashed' && fresh.kind === 'failed')
  assert.equal(fresh.error.code, 'RESTORE_BEHIND')
  assert.match(fresh.error.message, /from the beginning.*up to checkpoint 1-/)
  const allowed: Life = { sql: SQL, until: 'now', fresh: true, allowDuplicates: true }
  assert.deepEqual(await live(ports, allowed), finishedNow)
  assert.deepEqual(await kept(ports), [...range(0, 50), ...range(0, 50)].sort(ascending))
  // Behind by a savepoint: the same.
  const path = `${DATA}/savepoints/s`
  let asked = false
  await live(ports, {
    sql: SQL,
    meanwhile(run) {
      if (asked) return
      asked = true
      void run.savepoint(path).then(() => run.stop())
    },
  })
  await produce(ports, 50, 60)
  await live(ports, { sql: SQL, until: 'now' })
  assert.equal(
    await codeOf(ports, { sql: SQL, until: 'now', fromSavepoint: path }),
    'RESTORE_BEHIND',
  )
})

test('a sink that was removed after a clean stop is forgotten; one whose rows may be lost is not', async () => {
  const both = PIPELINE('p', INTO_KEPT + INTO_COPIED)
  const ports = simulatedPorts(1)
  await produce(ports, 0, 50)
  await live(ports, { sql: both, until: 'now' })
  await produce(ports, 50, 60)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), finishedNow)
  assert.deepEqual(await kept(ports), range(0, 60))
  assert.deepEqual(copied(ports), range(0, 50))

  const crashed = simulatedPorts(1)
  await produce(crashed, 0, 50)
  crashed.crashAt('checkpoint-durable', 1, 'kill')
  assert.equal(await live(crashed, { sql: both, until: 'now' }), 'crashed')
  assert.equal(await codeOf(crashed, { sql: SQL, until: 'now' }), 'CHECKPOINT_MISMATCH')
  assert.deepEqual(await live(crashed, { sql: both, until: 'now' }), finishedNow)
  assert.deepEqual(copied(crashed), range(0, 50))
})

test('a sink removed and taken in again begins with what comes then', async () => {
  const ports = simulatedPorts(1)
  const both = PIPELINE('p', INTO_KEPT + INTO_COPIED)
  await produce(ports, 0, 10)
  await live(ports, { sql: both, until: 'now' })
  await live(ports, { sql: PIPELINE('p', INTO_COPIED), until: 'now' })
  ports.files.remove('/lake/kept')
  await produce(ports, 10, 20)
  assert.deepEqual(await live(ports, { sql: both, until: 'now' }), finishedNow)
  assert.deepEqual(await kept(ports), range(10, 20))
})

test('two pipelines write one table, each exactly once', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 50)
  for (const name of ['p', 'q']) {
    ports.crashAt('checkpoint-durable', 1, 'kill')
    assert.equal(await live(ports, { sql: PIPELINE(name, INTO_KEPT), until: 'now' }), 'crashed')
  }
  for (const name of ['p', 'q', 'p', 'q']) {
    const life: Life = { sql: PIPELINE(name, INTO_KEPT), until: 'now' }
    assert.deepEqual(await live(ports, life), finishedNow)
  }
  assert.deepEqual(await kept(ports), [...range(0, 50), ...range(0, 50)].sort(ascending))
})

test('two pipelines that run side by side commit to one table by turns, each exactly once', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 50)
  let isStarted = false
  let other: Outcome | undefined
  let stopping: RunHandle | undefined
  let ticks = 0
  const first = await live(ports, {
    sql: PIPELINE('p', INTO_KEPT),
    interleaving: { rowsMax: 3 },
    async meanwhile(run, own) {
      if (!isStarted) {
        isStarted = true
        const { pipeline } = bindText(PIPELINE('q', INTO_KEPT), 'q', CONNECTORS)
        const place = { dataDirectory: DATA, baseDirectory: '/', interleaving: { rowsMax: 2 } }
        const start = { pipeline: pipeline!, connectors: CONNECTORS, ports: own, ...place }
        const second = await startPipeline(start)
        void second.finished.then((outcome) => {
          other = outcome
        })
        stopping = second
      }
      if (++ticks % 10 === 0 && ticks < 60) await produce(own, 40 + ticks, 50 + ticks)
      if (ticks === 120) void stopping?.stop()
      if (other !== undefined) void run.stop()
    },
  })
  assert.deepEqual([first, other], [stopped, stopped])
  const all = range(0, 100)
  assert.deepEqual(await kept(ports), [...all, ...all].sort(ascending))
  const versions = ports.files.list('/lake/kept/_delta_log').filter((name) => /^\d/.test(name))
  assert.ok(versions.length > 6, 'both have committed, time and again')
})

test('a store that gives no answer for a while stops nothing: the commit is tried again, and made once', async () => {
  const ports = simulatedPorts(1)
  await produce(ports, 0, 50)
  await live(ports, { sql: SQL, until: 'now' })
  await produce(ports, 50, 80)
  let isAway = true
  let ticks = 0
  let restarts = 0
  const outcome = await live(ports, {
    sql: SQL,
    until: 'now',
    meanwhile(run) {
      restarts = Math.max(restarts, run.status().restarts)
      if (++ticks === 6000) isAway = false
    },
    objects: (store) => ({
      ...store,
      put: async (key, bytes, options) =>
        isAway && options?.ifAbsent === true ? 'ambiguous' : store.put(key, bytes, options),
    }),
  })
  assert.deepEqual(outcome, finishedNow)
  assert.ok(restarts > 0)
  assert.deepEqual(await kept(ports), range(0, 80))
})

test('on a disk that is full, fails or may not be written a pipeline waits or stops by name, and loses nothing', async () => {
  const rules: FailureRule[] = []
  for (const code of ['ENOSPC', 'EROFS', 'EIO'] as const) {
    for (const call of ['write', 'open', 'rename', 'sync', 'sync-directory', 'link'] as const) {
      for (const nth of [1, 6]) rules.push({ call, code, nth, forever: true })
    }
  }
  let given = 0
  for (const rule of rules) {
    const ports = simulatedPorts(1)
    const where = JSON.stringify(rule)
    await produce(ports, 0, 30)
    await live(ports, { sql: PIPELINE('p', INTO_KEPT + INTO_COPIED), until: 'now' })
    await produce(ports, 30, 60)
    ports.files.fail(rule)
    let ticks = 0
    const outcome = await live(ports, {
      sql: PIPELINE('p', INTO_KEPT + INTO_COPIED),
      until: 'now',
      meanwhile() {
        // A person makes room, some simulated minutes later.
        if (++ticks === 200) ports.files.heal()
      },
    })
    assert.ok(outcome !== 'crashed', where)
    if (outcome.kind !== 'finished') {
      given++
      const code = outcome.kind === 'failed' ? outcome.error.code : 'COMMIT_REFUSED'
      assert.notEqual(code, 'INVARIANT_BROKEN', `${where}: ${messageOf(outcome)}`)
    }
    ports.files.heal()
    const again = await live(ports, {
      sql: PIPELINE('p', INTO_KEPT + INTO_COPIED),
      until: 'now',
    })
    assert.deepEqual(again, finishedNow, `${where}: ${messageOf(again)}`)
    assert.deepEqual(await kept(ports), range(0, 60), where)
    assert.deepEqual(copied(ports), range(0, 60), where)
  }
  assert.ok(given > 0, 'some give up')
})

test('a crash on the way to beginning anew or taking up a savepoint leaves a pipeline that starts', async () => {
  const first = simulatedPorts(1)
  const path = `${DATA}/savepoints/s`
  await savedAndGoneOn(first, path)
  const before = new Map(first.passed)
  const adopt: Life = { sql: SQL, until: 'now', fromSavepoint: path, allowDuplicates: true }
  await live(first, adopt)
  const points = [...first.passed.keys()].filter(
    (name) =>
      first.passed.get(name) !== before.get(name) &&
      /checkpoint|incarnation|manifest|pin|restore|savepoint|state/.test(name),
  )
  assert.ok(points.includes('savepoint-copied') && points.includes('savepoint-adopted'))
  for (const kind of ['kill', 'power'] as const) {
    for (const point of points) {
      const where = `${kind} at ${point}`
      const ports = simulatedPorts(1)
      await savedAndGoneOn(ports, path)
      ports.crashAt(point, 1, kind)
      await live(ports, adopt)
      ports.disarm()
      // Whichever checkpoint stands now, it is a whole one: nothing is read again from the beginning.
      const again = await live(ports, { sql: SQL, until: 'now', allowDuplicates: true })
      assert.deepEqual(again, finishedNow, where)
      const rows = await kept(ports)
      assert.deepEqual([...new Set(rows)], range(0, 60), where)
      assert.ok(rows.filter((n) => n < 50).length === 50, `${where}: ${rows.join()}`)
    }
  }
  for (const kind of ['kill', 'power'] as const) {
    for (const nth of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const ports = simulatedPorts(1)
      await produce(ports, 0, 50)
      await live(ports, { sql: SQL, until: 'now' })
      const fresh: Life = { sql: SQL, until: 'now', fresh: true, allowDuplicates: true }
      ports.crashAt(['incarnation-taken', 'checkpoints-forgotten'][nth % 2]!, 1 + (nth >> 1), kind)
      await live(ports, fresh)
      ports.disarm()
      const again = await live(ports, { sql: SQL, until: 'now', allowDuplicates: true })
      assert.deepEqual(again, finishedNow)
      assert.deepEqual([...new Set(await kept(ports))], range(0, 50))
    }
  }
})

async function savedAndGoneOn(ports: SimulatedPorts, path: string): Promise<void> {
  await produce(ports, 0, 50)
  let asked = false
  await live(ports, {
    sql: SQL,
    meanwhile(run) {
      if (asked) return
      asked = true
      void run.savepoint(path).then(() => run.stop())
    },
  })
  await produce(ports, 50, 60)
  await live(ports, { sql: SQL, until: 'now' })
}

async function codeOf(ports: SimulatedPorts, life: Life): Promise<ErrorCode | undefined> {
  const outcome = await live(ports, life)
  return outcome !== 'crashed' && outcome.kind === 'failed' ? outcome.error.code : undefined
}

function messageOf(outcome: Outcome | 'crashed'): string {
  if (outcome === 'crashed' || outcome.kind === 'finished') return ''
  return outcome.kind === 'failed'
    ? `${outcome.error.code}: ${outcome.error.stack}`
    : outcome.reason
}

function produce(ports: Ports, from: number, to: number): Promise<void> {
  return produceRows(
    ports,
    'orders',
    range(from, to).map((n) => ({ n })),
  )
}

async function kept(ports: SimulatedPorts): Promise<number[]> {
  return (await deltaRows(ports, '/lake/kept')).map((row) => Number(row.n)).sort(ascending)
}

function copied(ports: SimulatedPorts): number[] {
  return topicTexts(ports, 'copied')
    .map((text) => Number(JSON.parse(text).n))
    .sort(ascending)
}

function ascending(one: number, other: number): number {
  return one - other
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
