import assert from 'node:assert/strict'
import test from 'node:test'
import { MillraceError } from '../errors.ts'
import { bindText } from '../sql/bind-text.ts'
import { simulatedPorts } from '../testing/ports.ts'
import { CONNECTORS } from './connectors.ts'
import { runQuery } from './query.ts'

const ROWS = ['2026-01-31T15:59:59.999Z', '2026-01-31T16:00:00.000Z', '2026-02-01T15:00:00.000Z']
const DATA = ROWS.map((t) => JSON.stringify({ t })).join('\n')
const TABLE = `CREATE TABLE a (t TIMESTAMP_LTZ(3), WATERMARK FOR t AS t)
  WITH ('connector' = 'values', 'data' = '${DATA}', 'json.timestamp-format.standard' = 'ISO-8601');`
const DAYS = `SELECT CAST(window_start AS STRING) AS s, CAST(window_end AS STRING) AS e, COUNT(*) AS c
  FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(t), INTERVAL '1' DAY)) GROUP BY window_start, window_end`

test('days are those of the session’s zone, and so are the times that bound them', async () => {
  assert.deepEqual(await rowsOf(DAYS, 'Asia/Shanghai'), [
    '2026-01-31 00:00:00.000 2026-02-01 00:00:00.000 1',
    '2026-02-01 00:00:00.000 2026-02-02 00:00:00.000 2',
  ])
  assert.deepEqual(await rowsOf(DAYS, 'UTC'), [
    '2026-01-31 00:00:00.000 2026-02-01 00:00:00.000 2',
    '2026-02-01 00:00:00.000 2026-02-02 00:00:00.000 1',
  ])
})

test('hopping, cumulating and session windows show the zone’s clocks, and window_time stays the instant', async () => {
  const select = (window: string) =>
    `SELECT CAST(window_start AS STRING) AS s, CAST(window_end AS STRING) AS e, CAST(window_time AS STRING) AS w
     FROM TABLE(${window}) WHERE t = TO_TIMESTAMP_LTZ(${Date.parse(ROWS[1]!)}, 3)`
  const at = async (window: string) => (await rowsOf(select(window), '+05:30')).sort()
  // 16:00 UTC is 21:30 there.
  assert.deepEqual(await at("HOP(TABLE a, DESCRIPTOR(t), INTERVAL '1' HOUR, INTERVAL '2' HOUR)"), [
    '2026-01-31 20:00:00.000 2026-01-31 22:00:00.000 2026-01-31 21:59:59.999',
    '2026-01-31 21:00:00.000 2026-01-31 23:00:00.000 2026-01-31 22:59:59.999',
  ])
  const cumulated = await at(
    "CUMULATE(TABLE a, DESCRIPTOR(t), INTERVAL '1' HOUR, INTERVAL '1' DAY)",
  )
  assert.deepEqual(cumulated[0]!.split(' 2026')[0], '2026-01-31 00:00:00.000')
  assert.deepEqual(cumulated.length, 3)
  assert.deepEqual(await at("SESSION(TABLE a, DESCRIPTOR(t), INTERVAL '1' MINUTE)"), [
    '2026-01-31 21:29:59.999 2026-01-31 21:31:00.000 2026-01-31 21:30:59.999',
  ])
})

test('a zone whose clocks are changed is refused with a way out, where windows hang on it', async () => {
  const isRefused = (error: unknown) =>
    error instanceof MillraceError &&
    error.code === 'SETTING_INVALID' &&
    /Europe\/Oslo/.test(error.message) &&
    /CAST/.test(error.hint)
  await assert.rejects(rowsOf(DAYS, 'Europe/Oslo'), isRefused)
  const cast = "SELECT CAST(t AS STRING) AS s, '' AS e, 1 AS c FROM a"
  assert.equal((await rowsOf(cast, 'Europe/Oslo'))[0], '2026-01-31 16:59:59.999  1')
})

async function rowsOf(sql: string, timeZone: string): Promise<string[]> {
  const { queries, errors } = bindText(`${TABLE} ${sql}`, 'zoned', CONNECTORS)
  assert.deepEqual(errors, [])
  const rows: string[] = []
  for await (const row of runQuery({
    query: queries[0]!,
    settings: { 'table.local-time-zone': timeZone, 'time.future-guard': 'off' },
    connectors: CONNECTORS,
    ports: simulatedPorts(1),
    dataDirectory: '/data',
    baseDirectory: '/',
  })) {
    rows.push(Object.values(row).join(' '))
  }
  return rows
}
