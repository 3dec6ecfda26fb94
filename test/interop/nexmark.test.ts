/**
 * Nexmark's published queries over the published events, here and on a real Flink: tables must be equal.
 *
 *   node scripts/test.ts test/interop/nexmark      needs Java 17, Maven, pip; Flink is fetched into .cache/
 *
 * NEXMARK_EVENTS is how many events (20,000 unless told).
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { eventsFile } from '../../bench/data.ts'
import { EVENT_COLUMNS, PUBLISHED, VIEWS } from '../../bench/nexmark/published.ts'
import { startFlink, stopFlink } from '../../scripts/engines/flink.ts'
import { type FlinkSession, openFlinkSession } from '../../scripts/engines/flink-sql.ts'
import { open } from '../../src/index.ts'
import { folded, told } from './flink-rows.ts'

/** Where Flink gives upserts. */
const UPSERT_KEYS: Readonly<Record<string, readonly number[]>> = { q9: [0], q18: [0, 1] }
const EVENTS = Number(process.env.NEXMARK_EVENTS ?? 20_000)

let directory: string
let path: string
let flink: FlinkSession

before(
  async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'))
    path = await eventsFile({ layout: 'nested', events: EVENTS, seed: 42 })
    await startFlink()
    flink = await openFlinkSession({
      'execution.runtime-mode': 'streaming',
      'pipeline.auto-watermark-interval': '0 ms',
      'table.local-time-zone': 'UTC',
    })
    await flink.execute(tableSql(`file://${path}`))
    for (const view of VIEWS) await flink.execute(view)
  },
  { timeout: 600_000 },
)
after(async () => {
  await flink?.close()
  await stopFlink()
  rmSync(directory, { recursive: true, force: true })
})

for (const [name, sql] of Object.entries(PUBLISHED)) {
  test(`${name}: as Flink`, { timeout: 600_000 }, async () => {
    await using db = await open({
      tables: [tableSql(path), ...VIEWS].join(';\n'),
      data: join(directory, 'data'),
    })
    const ours = (await db.query(sql).rows()).map((row) => Object.values(row).map(told).join('|'))
    const theirs = folded(await flink.execute(sql), UPSERT_KEYS[name]).map((row) =>
      row.map(told).join('|'),
    )
    assert.ok(theirs.length > 0)
    assert.equal(ours.length, theirs.length)
    assert.deepEqual(ours.sort(), theirs.sort())
  })
}

function tableSql(path: string): string {
  return `CREATE TABLE events (${EVENT_COLUMNS})
    WITH ('connector' = 'filesystem', 'path' = '${path}', 'format' = 'json')`
}
