/** What users meet of state larger than memory: settings, what it says of itself, and what it refuses. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { statePlaces } from '../../src/cli/state-places.ts'
import { LinearMemory } from '../../src/data/memory.ts'
import type { OperatorContext } from '../../src/engine/evaluation.ts'
import { graphOf, type OperatorGraphNode } from '../../src/engine/graph.ts'
import { DEFERRED_TABLE } from '../../src/engine/spill/deferred-table.ts'
import { MillraceError } from '../../src/errors.ts'
import type { Pipeline } from '../../src/plan/pipeline.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import type { RunHandle, RunStatus } from '../../src/run/handle.ts'
import { settingsOf } from '../../src/run/settings.ts'
import { refuseWaiting, spilling } from '../../src/run/spilling.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import type { StateReader } from '../../src/state/state-stream.ts'
import { simulatedPorts } from '../../src/testing/ports.ts'
import { deltaRows } from '../simulate/lake.ts'
import { DATA, live, produceRows } from '../simulate/lives.ts'

const TABLES = `
  CREATE TABLE orders (n BIGINT, k STRING, t TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, WATERMARK FOR t AS t)
    WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');
  CREATE TABLE counts (k STRING, c BIGINT, PRIMARY KEY (k) NOT ENFORCED)
    WITH ('connector' = 'delta', 'table-path' = '/lake/counts');`
const COUNTS = 'INSERT INTO counts SELECT k, COUNT(*) FROM orders GROUP BY k;'
const sqlOf = (memory: string, insert = COUNTS): string =>
  `SET 'pipeline.name' = 'p'; SET 'execution.checkpointing.interval' = '3 ms';
   SET 'state.memory' = '${memory}'; ${TABLES} ${insert}`

test('a size has a unit or is in bytes, and what is none is refused', () => {
  const bytesOf = (text: string) => settingsOf({ 'state.memory': text }).stateMemoryBytes
  assert.equal(bytesOf('64 MB'), 64 << 20)
  assert.equal(bytesOf('1g'), 2 ** 30)
  assert.equal(bytesOf('2 KiB'), 2048)
  assert.equal(bytesOf('100'), 100)
  assert.equal(bytesOf('all'), undefined)
  for (const bad of ['0', 'much', '-1 MB', '1 TB'])
    assert.throws(() => bytesOf(bad), /state\.memory/, bad)
})

test('with a bound, without, and with another, a pipeline goes on from the same checkpoints', async () => {
  const ports = simulatedPorts(1)
  for (const [at, memory] of ['1 KB', 'all', '10 MB', '1 KB'].entries()) {
    const rows = Array.from({ length: 900 }, (_, n) => ({ n, k: `k${n % 300}` }))
    await produceRows(ports, 'orders', rows)
    const outcome = await live(ports, { sql: sqlOf(memory), until: 'now', workers: 1 + (at % 3) })
    assert.deepEqual(outcome, { kind: 'finished', because: 'now' }, memory)
  }
  const counts = await deltaRows(ports, '/lake/counts')
  assert.equal(counts.length, 300)
  assert.ok(counts.every(({ c }) => `${c}` === '12'))
})

test('a checkpoint in which rows wait is not restored by an operator that would not know them', () => {
  const reader: StateReader = {
    tables: () => [DEFERRED_TABLE],
    source: () => undefined,
    table: (_name, read) => read(0, new Uint8Array(8), new Uint8Array(1)),
  }
  const operator = { name: 'group-aggregate' }
  assert.throws(
    () => refuseWaiting(reader, operator),
    (error: unknown) => {
      assert.ok(error instanceof MillraceError)
      assert.equal(error.code, 'CHECKPOINT_MISMATCH')
      assert.match(error.message, /rows of group-aggregate that wait/)
      assert.match(error.hint, /state\.memory/)
      return true
    },
  )
  refuseWaiting({ ...reader, table: () => {} }, operator)
})

test('state of another shape is refused when it is restored, not when it comes into memory', async () => {
  const ports = simulatedPorts(1)
  const graph = graphOf(pipelineOf(sqlOf('1 KB')))
  const node = graph.nodes.find(
    (each): each is OperatorGraphNode =>
      each.kind === 'operator' && each.plan.kind === 'group-aggregate',
  )!
  const spills = spilling({
    graph,
    settings: settingsOf({ 'state.memory': '1 KB' }),
    clock: ports.clock,
    opening: { ports, dataDirectory: DATA },
    pipeline: 'p',
    worker: 0,
  })
  const context: OperatorContext = {
    node: 'n',
    memory: new LinearMemory(),
    settings: { timeZone: 'UTC', overflow: 'wrap' },
    side: { late() {}, dead() {} },
    nowUs: () => 0n,
    count() {},
  }
  const operator = spills(node, context, { inputUpdates: false, watermarkUs: 0n })!
  const of = { schema: '1 another', groupStart: 0, groupEnd: 128, continues: true }
  const reader: StateReader = {
    tables: () => ['groups'],
    source: (name) => (name === 'groups' ? { ...of, read() {} } : undefined),
    table() {},
  }
  assert.throws(
    () => operator.restore(reader),
    (error) => error instanceof MillraceError && error.code === 'CHECKPOINT_MISMATCH',
  )
  operator.dispose()
})

test('each operator says whether its state may leave memory, and why not', () => {
  const places = (insert: string, memory = '1 MB'): string => {
    return statePlaces(pipelineOf(sqlOf(memory, insert))).join('\n')
  }
  assert.match(places(COUNTS), /COUNT\(\*\): may leave memory$/)
  assert.equal(places(COUNTS, 'all'), '')
  const session = `INSERT INTO counts SELECT k, COUNT(*) FROM TABLE(SESSION(TABLE orders PARTITION BY k, DESCRIPTOR(t), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end;`
  assert.match(places(session), /stays in memory: its windows lie on no grid/)
  const windows = session.replace('SESSION', 'TUMBLE').replace(' PARTITION BY k', '')
  assert.match(places(windows), /may leave memory/)
  const all = `INSERT INTO counts SELECT 'all', c FROM (SELECT COUNT(*) AS c FROM orders);`
  assert.match(places(all), /stays in memory: all its rows are of one key/)
  const interval = `INSERT INTO counts SELECT a.k, a.n FROM orders AS a JOIN orders AS b ON a.k = b.k AND a.t BETWEEN b.t AND b.t + INTERVAL '1' MINUTE;`
  assert.match(places(interval), /stays in memory: its rows go by the watermark/)
})

test('a run tells how much of its state is in memory and in files, and only with a bound', async () => {
  const lastWith = async (memory: string): Promise<RunStatus> => {
    const ports = simulatedPorts(1)
    const rows = Array.from({ length: 900 }, (_, n) => ({ n, k: `k${n % 300}` }))
    await produceRows(ports, 'orders', rows)
    let last: RunStatus | undefined
    const meanwhile = async (run: RunHandle): Promise<void> => {
      last = run.status()
      const isAnswered = last.conservation.used === 900 && (last.spilled?.waitingRows ?? 0) === 0
      if (isAnswered) await run.stop()
    }
    await live(ports, { sql: sqlOf(memory), workers: 2, meanwhile })
    return last!
  }
  const { spilled, windows } = await lastWith('1 KB')
  assert.deepEqual(windows, [])
  assert.ok(spilled !== undefined && spilled.spilledBytes > 0, JSON.stringify(spilled))
  assert.equal((await lastWith('all')).spilled, undefined)
})

test('a disk without room for it is told by path, and tried again from the checkpoint', async () => {
  const ports = simulatedPorts(1)
  await produceRows(
    ports,
    'orders',
    Array.from({ length: 400 }, (_, n) => ({ n, k: `k${n % 40}` })),
  )
  const bound = sqlOf('1 KB')
  const once = `SET 'restart-strategy.exponential-delay.attempts-before-reset-backoff' = '1'; ${bound}`
  ports.files.fail({ call: 'write', code: 'ENOSPC', nth: 3, path: '.spill', forever: true })
  const failed = await live(ports, { sql: once, until: 'now' })
  assert.ok(failed !== 'crashed' && failed.kind === 'failed')
  assert.ok(failed.error instanceof MillraceError)
  assert.equal(failed.error.code, 'SPILL_FAILED')
  assert.match(failed.error.message, /\/p\/spill\/.*ENOSPC/)
  ports.files.heal()
  ports.files.fail({ call: 'write', code: 'ENOSPC', nth: 3, path: '.spill' })
  assert.deepEqual(await live(ports, { sql: bound, until: 'end' }), {
    kind: 'finished',
    because: 'end',
  })
  assert.equal((await deltaRows(ports, '/lake/counts')).length, 40)
})

function pipelineOf(sql: string): Pipeline {
  const { pipeline, errors } = bindText(sql, 'p', CONNECTORS)
  assert.deepEqual(errors, [])
  return pipeline!
}
