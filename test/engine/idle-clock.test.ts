import assert from 'node:assert/strict'
import test from 'node:test'
import type { Connector } from '../../src/connectors/contract/connector.ts'
import { MillraceError } from '../../src/errors.ts'
import { runChanges } from '../../src/run/query.ts'
import { settingsOf } from '../../src/run/settings.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { simulatedPorts } from '../../src/testing/ports.ts'
import { batchOf } from '../builders/batch.ts'

const START_MS = Date.UTC(2026, 0, 31, 12)
const IDLE = { 'table.exec.source.idle-timeout': '5 s' }
const SQL = `CREATE TABLE clicks (name STRING, clicked TIMESTAMP_LTZ(3), WATERMARK FOR clicked AS clicked - INTERVAL '10' SECOND)
  WITH ('connector' = 'fed');
SELECT window_start, COUNT(*) AS clicks
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(clicked), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end`

/** Seconds after the start at which a split gives a row of that moment. */
type Arrivals = readonly (readonly number[])[]

test('a watermark that may follow the clock fires the window of a source that has fallen silent', async () => {
  assert.deepEqual(await firedAtSeconds([[1, 2]], { 'time.idle-watermark': 'clock' }), [[70, '2']])
})

test('otherwise it holds: events move time, and nothing else', async () => {
  assert.deepEqual(await firedAtSeconds([[1, 2]], {}), [])
})

test('as long as one split gives rows the watermark is theirs', async () => {
  const busy = Array.from({ length: 100 }, (_, second) => second)
  const fired = await firedAtSeconds([[1], busy], { 'time.idle-watermark': 'clock' })
  assert.deepEqual(fired[0], [70, '61'], 'the row at 70 s moves it to the minute')
})

test('an event behind the clock’s watermark is late, and a later one counts again', async () => {
  const fired = await firedAtSeconds([[1, 100]], { 'time.idle-watermark': 'clock' })
  assert.deepEqual(fired, [
    [70, '1'],
    [130, '1'],
  ])
})

test('anything but hold and clock is refused', () => {
  assert.throws(
    () => settingsOf({ 'time.idle-watermark': 'now' }),
    (error: unknown) => error instanceof MillraceError && error.code === 'SETTING_INVALID',
  )
})

/** At which seconds which counts came, within 200 s. */
async function firedAtSeconds(
  arrivals: Arrivals,
  settings: Readonly<Record<string, string>>,
): Promise<[number, string][]> {
  let nowMs = START_MS
  const stop = new AbortController()
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    async sleep() {
      nowMs += 500
      if (nowMs > START_MS + 200_000) stop.abort()
    },
  }
  const connectors = [fed(arrivals, () => nowMs)]
  const { queries, errors } = bindText(SQL, 'test', connectors)
  assert.deepEqual(errors, [])
  const fired: [number, string][] = []
  for await (const { row } of runChanges({
    query: queries[0]!,
    settings: { ...IDLE, ...settings },
    connectors,
    ports: { ...simulatedPorts(1), clock },
    dataDirectory: '/data',
    baseDirectory: '/',
    signal: stop.signal,
  })) {
    fired.push([(nowMs - START_MS) / 1000, String(row.clicks)])
  }
  return fired
}

/** A source that never ends, and gives each row when its time has come. */
function fed(arrivals: Arrivals, nowMs: () => number): Connector {
  return {
    name: 'fed',
    summary: 'Rows of a test',
    options: [],
    metadata: {},
    source: {
      replay: 'exact',
      bounded: () => false,
      open: async ({ schema }) => ({
        replay: 'exact',
        bounded: false,
        splits: async () => arrivals.map((_, split) => `${split}`),
        endPosition: async (split) => `${arrivals[Number(split)]!.length}`,
        open: async (split, _start, memory) => {
          let next = 0
          return {
            poll() {
              const second = arrivals[Number(split)]![next]
              if (second === undefined || nowMs() < START_MS + second * 1000) return undefined
              next++
              const row = ['a', BigInt(START_MS + second * 1000) * 1000n]
              return {
                batch: batchOf(memory, schema, [row]),
                appendTimeUs: 0,
                next: `${next}`,
                dead: [],
              }
            },
            committed: async () => {},
            close: async () => {},
          }
        },
        close: async () => {},
      }),
    },
  }
}
