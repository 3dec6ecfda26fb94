/**
 * The same SQL over the same events, here and on a real Flink: tables must be equal, late rows and all.
 *
 *   node scripts/test.ts test/interop/flink        needs Java 17, Maven, pip; Flink is fetched into .cache/
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { startFlink, stopFlink } from '../../scripts/engines/flink.ts'
import { type FlinkSession, openFlinkSession } from '../../scripts/engines/flink-sql.ts'
import { open } from '../../src/index.ts'
import { folded, told } from './flink-rows.ts'

const COLUMNS = `k STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3)`
/** Of one file: one split, so that what is late is the same everywhere. */
const EVENTS = randomEvents(3000)

const QUERIES: Readonly<Record<string, string>> = {
  'tumbling count, sum, minimum, maximum and average': `SELECT k, window_start, COUNT(*), SUM(v), MIN(v), MAX(v), AVG(v), COUNT(v)
    FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end`,
  'tumbling windows without a key': `SELECT window_start, window_end, SUM(price), AVG(price)
    FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '7' SECOND)) GROUP BY window_start, window_end`,
  'hopping windows': `SELECT k, window_start, COUNT(*), MAX(d)
    FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end`,
  'distinct and filtered aggregates': `SELECT window_start, COUNT(DISTINCT k), SUM(v) FILTER (WHERE v > 50), COUNT(*) FILTER (WHERE k = 'a')
    FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '30' SECOND)) GROUP BY window_start, window_end`,
  'groups without a window':
    'SELECT k, COUNT(*), SUM(v), AVG(v), MIN(price), MAX(price) FROM t GROUP BY k',
  'groups of groups':
    'SELECT n, COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) GROUP BY n',
  having: 'SELECT v, COUNT(*) FROM t WHERE v IS NOT NULL GROUP BY v HAVING COUNT(*) > 25',
  distinct: 'SELECT DISTINCT k, v / 25 FROM t',
  'expressions and three-valued logic': `SELECT k, v + 1, v / 7, MOD(v, 7), price * 2, price / 3, CASE WHEN v > 50 THEN 'high' WHEN v <= 50 THEN 'low' END,
    UPPER(k), CHAR_LENGTH(k), k = 'a' OR v > 90, NOT (v > 10), COALESCE(v, -1), CAST(v AS STRING), CAST(price AS INT), EXTRACT(SECOND FROM ts) FROM t`,
  union: "SELECT k, v FROM t WHERE v > 90 UNION ALL SELECT 'x', v FROM t WHERE v < 10",
}

let directory: string
let flink: FlinkSession

before(
  async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-flink-'))
    writeFileSync(
      join(directory, 'events.json'),
      EVENTS.map((event) => `${JSON.stringify(event)}\n`).join(''),
    )
    await startFlink()
    flink = await openFlinkSession({
      'execution.runtime-mode': 'streaming',
      'pipeline.auto-watermark-interval': '0 ms',
      'table.local-time-zone': 'UTC',
    })
    await flink.execute(tableSql(join(directory, 'events.json')))
  },
  { timeout: 600_000 },
)
after(async () => {
  await flink?.close()
  await stopFlink()
  rmSync(directory, { recursive: true, force: true })
})

for (const [name, sql] of Object.entries(QUERIES)) {
  test(`${name}: as Flink`, { timeout: 120_000 }, async () => {
    await using db = await open({
      tables: tableSql(join(directory, 'events.json')),
      data: join(directory, 'data'),
    })
    const ours = (await db.query(sql).rows()).map((row) => Object.values(row).map(told))
    const theirs = folded(await flink.execute(sql)).map((row) => row.map(told))
    assert.ok(theirs.length > 0)
    assert.deepEqual(ours.map(String).sort(), theirs.map(String).sort())
  })
}

function tableSql(path: string): string {
  return `CREATE TABLE t (${COLUMNS}, WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
    WITH ('connector' = 'filesystem', 'path' = 'file://${path}', 'format' = 'json')`
}

/** Out of order by up to eight seconds, three of which are waited for; some values NULL. */
function randomEvents(count: number): object[] {
  let state = 12345
  const below = (bound: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state % bound
  }
  const start = Date.UTC(2026, 0, 1)
  return Array.from({ length: count }, (_, index) => ({
    k: below(20) === 0 ? null : 'abcdefg'[below(7)],
    v: below(15) === 0 ? null : below(100),
    d: below(1000) / 8,
    price: (below(100_000) / 100).toFixed(2),
    ts: new Date(start + index * 100 - below(8000)).toISOString().slice(0, 23).replace('T', ' '),
  }))
}
