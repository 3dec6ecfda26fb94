/** Windows over real events equal a plain recomputation, late rows one by one: as they came, whole and cut. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../../src/sql/bind-text.ts'
import { type FedRow, runWay } from '../builders/engine-run.ts'
import { earthquakeLines, WIKIPEDIA, wikipediaLines } from './events.ts'
import { type Event, recompute, type WindowSpec } from './recompute.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DELAYS_MS = [0, MINUTE_MS, 24 * HOUR_MS]

interface Windows {
  readonly name: string
  readonly sql: string
  readonly slideMs: number
  readonly sizeMs: number
}

const HOURLY: Windows = {
  name: 'TUMBLE 1 h',
  sql: "TUMBLE(TABLE events, DESCRIPTOR(t), INTERVAL '1' HOUR)",
  slideMs: HOUR_MS,
  sizeMs: HOUR_MS,
}
const HOPPING: Windows = {
  name: 'HOP 10 min, 1 h',
  sql: "HOP(TABLE events, DESCRIPTOR(t), INTERVAL '10' MINUTE, INTERVAL '1' HOUR)",
  slideMs: 10 * MINUTE_MS,
  sizeMs: HOUR_MS,
}

const earthquakes = earthquakeLines().map((line): Event => {
  const { region, time, magnitude } = JSON.parse(line)
  return { key: region, timeMs: Date.parse(time), value: magnitude }
})

for (const windows of [HOURLY, HOPPING]) {
  for (const delayMs of DELAYS_MS) {
    for (const rowsMax of [1, 100, 8192]) {
      test(`earthquakes, ${windows.name}, delay ${delayMs / 1000} s, ${rowsMax} rows a batch`, () =>
        compare(earthquakes, { ...windows, delayMs }, windows, rowsMax))
    }
  }
}

const wikipedia = wikipediaLines()?.map((line): Event => {
  const { channel, time, __time, added } = JSON.parse(line)
  return { key: channel ?? null, timeMs: Date.parse(time ?? __time), value: added ?? null }
})
const missing = `${WIKIPEDIA} is not here: its text may not be shipped`

for (const windows of [HOURLY, HOPPING]) {
  for (const delayMs of DELAYS_MS) {
    test(
      `Wikipedia edits, ${windows.name}, delay ${delayMs / 1000} s`,
      {
        skip: wikipedia === undefined ? missing : false,
      },
      () => compare(wikipedia ?? [], { ...windows, delayMs }, windows, 8192),
    )
  }
}

test('none of the events is missing', () => {
  assert.equal(earthquakes.length, 1707)
  if (wikipedia !== undefined) assert.equal(wikipedia.length, 39_244)
})

async function compare(
  events: readonly Event[],
  spec: WindowSpec,
  { sql }: Windows,
  rowsMax: number,
): Promise<void> {
  const script = `CREATE TABLE events (id BIGINT, k STRING, v DOUBLE, t TIMESTAMP(3),
      WATERMARK FOR t AS t - INTERVAL '${spec.delayMs / 1000}' SECOND(6)) WITH ('connector' = 'scripted');
    SELECT k, window_start, COUNT(*) AS n, MAX(v) AS g, MAX(id) AS last FROM TABLE(${sql}) GROUP BY k, window_start, window_end`
  const { queries, errors } = bindText(script, 'events', [])
  assert.deepEqual(errors, [])
  const rows = events.map(({ key, timeMs, value }, index): FedRow => {
    return { kind: '+I', row: { id: BigInt(index), k: key, v: value, t: BigInt(timeMs) * 1000n } }
  })
  const ran = await runWay(queries[0]!, new Map([['events', [rows]]]), { rowsMax })
  const expected = recompute(events, spec)
  assert.deepEqual(
    ran.changes
      .map(({ row: [key, start, count, max] }) => [key, msOf(start), Number(count), max])
      .sort(byText),
    expected.rows.map(({ key, startMs, count, max }) => [key, startMs, count, max]).sort(byText),
  )
  assert.deepEqual(
    ran.late.map(([start, , , , , row]) => [JSON.parse(String(row)).id, msOf(start)]).sort(byText),
    expected.late.map(({ index, startMs }) => [index, startMs]).sort(byText),
  )
  assert.equal(ran.dead, 0)
}

function msOf(us: unknown): number {
  return Number(us) / 1000
}

function byText(left: readonly unknown[], right: readonly unknown[]): number {
  const [a, b] = [JSON.stringify(left), JSON.stringify(right)]
  return a < b ? -1 : a > b ? 1 : 0
}
