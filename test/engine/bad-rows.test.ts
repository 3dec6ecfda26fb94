/** Everything that a topic may hold besides good rows, in one pipeline: each is set aside with its reason, and no good row around it is lost. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openLog } from '../../src/log/log.ts'
import { type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { deltaRows } from '../simulate/lake.ts'
import { DATA, live, topicTexts } from '../simulate/lives.ts'

const SQL = `
  SET 'pipeline.name' = 'p';
  CREATE TABLE given (n BIGINT NOT NULL, small TINYINT, price DECIMAL(5, 2), at_time TIMESTAMP_LTZ(3), text STRING, inner_row ROW<a INT, b STRING>,
    WATERMARK FOR at_time AS at_time - INTERVAL '1' MINUTE)
  WITH ('connector' = 'log', 'topic' = 'given', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
  CREATE TABLE kept (n BIGINT, text STRING, small TINYINT, price DECIMAL(5, 2), a INT) WITH ('connector' = 'delta', 'table-path' = '/lake/kept');
  INSERT INTO kept SELECT n, text, small, price, inner_row.a FROM given;`
const TIME = '"at_time":"2023-11-14T22:00:00.000Z"'
const MEGABYTE = 'x'.repeat(1 << 20)

/** Rows that are used, whatever stands in them besides. */
const GOOD: readonly string[] = [
  `{${TIME},"n":1,"text":"plain"}`,
  `{${TIME},"n":2,"nope":{"deep":[1,2,{"er":null}]},"text":"fields too many"}`,
  `{${TIME},"n":3}`,
  `{${TIME},"n":0,"n":4,"text":"first","text":"of equal keys the last"}`,
  `{${TIME},"__proto__":{"n":7},"constructor":1,"n":5,"text":"__proto__"}`,
  `{${TIME},"n":6,"text":"${MEGABYTE}"}`,
  `{${TIME},"n":7,"small":-128,"price":-999.99,"inner_row":{"b":"x"}}`,
]

/** Rows that are not, with what is said of them. */
const BAD: readonly (readonly [string | Uint8Array, RegExp])[] = [
  ['{"n":1}', /the event time is NULL/],
  ['{"n":1,"at_time":"2999-01-01T00:00:00.000Z"}', /ahead of the time/],
  ['', /byte 0: expected/],
  ['oops', /byte 0: expected "{"/],
  ['[{"n":1}]', /byte 0: expected "{"/],
  ['{"n":1', /byte 6: expected/],
  ['{"n":1,"text":"cut', /byte \d+: /],
  ['{"n":1}{"n":2}', /bytes after the object/],
  ["{'n':1}", /byte 1: /],
  ['{"n":NaN}', /byte \d+: /],
  ['{"n":01}', /byte \d+: /],
  [`{"n":1,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /nested deeper than 128/],
  [`{"n":1,"x":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`, /nested deeper than 128/],
  ['{"text":"no n"}', /column n: missing or null/],
  ['{"n":null}', /column n: missing or null/],
  ['{"n":"one"}', /column n: "one" is not of type BIGINT/],
  ['{"n":{}}', /column n/],
  ['{"n":9223372036854775808}', /does not fit BIGINT/],
  ['{"n":1e400}', /column n/],
  ['{"n":1,"small":128}', /128 does not fit TINYINT/],
  ['{"n":1,"price":1000.00}', /does not fit DECIMAL\(5,2\)/],
  ['{"n":1,"at_time":"2023-02-30T00:00:00.000Z"}', /column at_time/],
  ['{"n":1,"at_time":"2023-11-14T25:00:00.000Z"}', /column at_time/],
  ['{"n":1,"at_time":"yesterday"}', /column at_time/],

  ['{"n":1,"inner_row":[1]}', /column inner_row/],
  ['{"n":1,"inner_row":{"a":"x"}}', /column inner_row\.?.*a/],
  [bytesOf('{"n":1,"text":"', [0xff, 0xfe], '"}'), /UTF-8/],
  [bytesOf('{"n":1,"text":"', [0xed, 0xa0, 0x80], '"}'), /UTF-8/],
]

function bytesOf(before: string, middle: readonly number[], after: string): Uint8Array {
  return Uint8Array.from([...Buffer.from(before), ...middle, ...Buffer.from(after)])
}

test('each bad row is set aside with its reason, and every good row around it is in the table', async () => {
  for (const workers of [1, 2]) {
    const ports = simulatedPorts(1)
    // A good one before each bad one, and one behind them all.
    await append(ports, [
      ...GOOD,
      ...BAD.flatMap(([bad], at) => [`{${TIME},"n":${100 + at},"text":"between"}`, bad]),
      `{${TIME},"n":99,"text":"last"}`,
    ])
    const ended = await live(ports, { sql: SQL, until: 'end', workers })
    assert.deepEqual(ended, { kind: 'finished', because: 'end' })
    const rows = await deltaRows(ports, '/lake/kept')
    const wanted = [1, 2, 3, 4, 5, 6, 7, 99, ...BAD.map((_, at) => 100 + at)]
    assert.deepEqual(
      rows.map(({ n }) => Number(n)).sort((left, right) => left - right),
      wanted.sort((left, right) => left - right),
    )
    const textOf = (n: number) => rows.find((row) => Number(row.n) === n)?.text
    assert.equal(textOf(4), 'of equal keys the last')
    assert.equal(textOf(6), MEGABYTE)
    const dead = topicTexts(ports, 'kept.dead').map((text): { reason: string; position: string } =>
      JSON.parse(text),
    )
    dead.sort((left, right) => Number(left.position) - Number(right.position))
    assert.equal(dead.length, BAD.length)
    for (const [at, [bad, reason]] of BAD.entries()) {
      assert.match(dead[at]!.reason, reason, String(bad).slice(0, 80))
      assert.equal(dead[at]!.position, `${GOOD.length + 2 * at + 1}`, String(bad).slice(0, 80))
    }
  }
})

test('a topic that is not there, and a table that cannot be read, stop a start by name', async () => {
  const ports = simulatedPorts(1)
  const missing = await live(ports, { sql: SQL, until: 'end' })
  assert.ok(missing !== 'crashed' && missing.kind === 'failed')
  assert.equal(missing.error.code, 'LOG_TOPIC_MISSING')
  assert.match(missing.error.message, /given/)
  const fromTable = SQL.replace(
    /WITH \('connector' = 'log'[^)]*\)/,
    "WITH ('connector' = 'delta', 'table-path' = '/lake/nope')",
  )
  const none = await live(ports, { sql: fromTable, until: 'end' })
  assert.ok(none !== 'crashed' && none.kind === 'failed')
  assert.equal(none.error.code, 'DELTA_TABLE_MISSING')
  assert.match(none.error.message, /\/lake\/nope/)
})

async function append(
  ports: SimulatedPorts,
  values: readonly (string | Uint8Array)[],
): Promise<void> {
  const log = openLog({ ports, dataDirectory: DATA })
  await log.recover()
  await log.createTopic('given')
  for (const value of values) {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
    await log.append('given', 0, [{ value: bytes }])
  }
  await log.close()
}
