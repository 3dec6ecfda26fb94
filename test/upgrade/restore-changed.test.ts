/** A pipeline that goes on with its state after its text has changed, or is refused where the state would mean something else. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { MillraceError, open } from '../../src/index.ts'

const TABLES = `
  CREATE TABLE events (k STRING, v BIGINT, t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'log', 'topic' = 'events', 'format' = 'json');
  CREATE TABLE counts (k STRING, n BIGINT) WITH ('connector' = 'log', 'topic' = 'counts', 'format' = 'json');
`
const HOURLY = "TABLE(TUMBLE(TABLE events, DESCRIPTOR(t), INTERVAL '1' HOUR))"
const counting = (aggregate: string, above: number, hint = '') =>
  `INSERT INTO counts SELECT k, ${aggregate} FROM ${hint === '' ? HOURLY : HOURLY.replace('TABLE events', `TABLE events ${hint}`)}
   WHERE v > ${above} GROUP BY k, window_start, window_end`

async function project(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-restore-'))
  const db = await open({ data: join(directory, 'data'), directory, tables: TABLES })
  context.after(async () => {
    await db.close()
    rmSync(directory, { recursive: true })
  })
  let fed = 0
  const feed = async (...rows: readonly string[]) => {
    db.define(`CREATE TABLE fed${++fed} (k STRING, v BIGINT, t TIMESTAMP(3))
      WITH ('connector' = 'values', 'data' = '${rows.join('\n')}')`)
    const run = await db.run(`INSERT INTO events SELECT * FROM fed${fed}`, {
      name: `feed${fed}`,
      until: 'end',
    })
    assert.equal((await run.finished).kind, 'finished')
  }
  const count = async (sql: string) => {
    const run = await db.run(sql, { name: 'counting', until: 'now' })
    const outcome = await run.finished
    assert.equal(outcome.kind, 'finished', JSON.stringify(outcome))
    return (await db.query('SELECT * FROM counts').rows()).map((row) => ({ ...row }))
  }
  return { feed, count }
}

const ROW = '{"k":"a","v":5,"t":"2026-01-01 00:10:00"}'
const LAST = '{"k":"a","v":5,"t":"2026-01-01 02:00:00"}'

test('state is kept where a filter constant changes', async (context) => {
  const { feed, count } = await project(context)
  await feed(ROW, ROW)
  assert.deepEqual(await count(counting('COUNT(*)', 0)), [])
  await feed(ROW, LAST)
  assert.deepEqual(await count(counting('COUNT(*)', 1)), [{ k: 'a', n: 3n }])
})

test('state is kept where an option of a table changes', async (context) => {
  const { feed, count } = await project(context)
  await feed(ROW, ROW)
  await count(counting('COUNT(*)', 0))
  await feed(ROW, LAST)
  const hint = "/*+ OPTIONS('scan.startup.mode' = 'earliest-offset') */"
  assert.deepEqual(await count(counting('COUNT(*)', 0, hint)), [{ k: 'a', n: 3n }])
})

test('state of another aggregate is refused', async (context) => {
  const { feed, count } = await project(context)
  await feed(ROW)
  await count(counting('COUNT(*)', 0))
  await assert.rejects(count(counting('SUM(v)', 0)), (error) => {
    assert.ok(error instanceof MillraceError)
    return error.code === 'CHECKPOINT_MISMATCH'
  })
})

test('rows of a join that have other columns now are refused, though they lie in the same cells', async (context) => {
  const { feed, count } = await project(context)
  await feed(ROW)
  const joined = (column: string) =>
    `INSERT INTO counts SELECT a.k, ${column} FROM events a JOIN events b ON a.k = b.k`
  await count(joined('a.v'))
  const seconds = "CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '2026-01-01 00:00:00', a.t) AS BIGINT)"
  await assert.rejects(count(joined(seconds)), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.match(error.message, /column v integer gone/)
    return error.code === 'CHECKPOINT_MISMATCH'
  })
  assert.equal((await count(joined('a.v + 1'))).length, 1)
})

test('rows of OVER that have other columns now are refused, though they lie in the same cells', async (context) => {
  const { feed, count } = await project(context)
  await feed(ROW)
  const summed = (name: string, factor: number) =>
    `INSERT INTO counts SELECT k, ${name} + SUM(v) OVER (
       PARTITION BY k ORDER BY t RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)
     FROM (SELECT k, t, v, v * ${factor} AS ${name} FROM events)`
  await count(summed('twice', 2))
  await count(summed('twice', 2))
  await assert.rejects(count(summed('thrice', 3)), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.match(error.message, /column thrice integer added/)
    assert.match(error.hint, /--fresh/)
    return error.code === 'CHECKPOINT_MISMATCH'
  })
})

test('rows of a pattern that have other columns now are refused, though they lie in the same cells', async (context) => {
  const { feed, count } = await project(context)
  await feed(ROW)
  const matched = (column: string) =>
    `INSERT INTO counts SELECT k, c FROM (SELECT k, t, ${column} FROM events) MATCH_RECOGNIZE (PARTITION BY k
       ORDER BY t MEASURES COUNT(*) AS c PATTERN (A B) DEFINE A AS TRUE, B AS TRUE)`
  await count(matched('v AS x'))
  await assert.rejects(count(matched('v * 2 AS y')), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.match(error.message, /column x integer gone/)
    return error.code === 'CHECKPOINT_MISMATCH'
  })
})
