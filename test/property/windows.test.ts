/** Windows over random events equal the row-at-a-time oracle, rows, late and dead alike, however the events are cut, interleaved and restarted. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../../src/sql/bind-text.ts'
import {
  type Fed,
  type FedRow,
  rowText,
  runWay,
  SPILLED,
  tableOf,
  type Way,
} from '../builders/engine-run.ts'
import { fc } from '../builders/properties.ts'
import { watermarkedInputs, withoutAssigners } from '../builders/watermarked.ts'
import { interpret } from '../naive/interpret.ts'

const SECOND = 1_000_000n

// Few keys, few seconds: rows share windows, come late, tie.
const row = fc
  .record({
    k: fc.constantFrom('a', 'b', '', null),
    v: fc.oneof(fc.bigInt({ min: -2n, max: 4n }), fc.constant(null)),
    d: fc.constantFrom('1.50', '-2.25', '0.00', null),
    t: fc.oneof(
      {
        weight: 9,
        arbitrary: fc.integer({ min: -3_000, max: 30_000 }).map((ms) => BigInt(ms) * 1000n),
      },
      { weight: 3, arbitrary: fc.constantFrom(0n, 4_999_000n, 5_000_000n, 10_000_000n) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
  })
  .map((values): FedRow => ({ kind: '+I', row: values }))

const splits = fc.array(fc.array(row, { maxLength: 14 }), { minLength: 1, maxLength: 3 })
const window = fc.constantFrom(
  "TUMBLE(TABLE x, DESCRIPTOR(t), INTERVAL '5' SECOND)",
  "TUMBLE(TABLE x, DESCRIPTOR(t), INTERVAL '5' SECOND, INTERVAL '2' SECOND)",
  "HOP(TABLE x, DESCRIPTOR(t), INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
  "HOP(TABLE x, DESCRIPTOR(t), INTERVAL '5' SECOND, INTERVAL '10' SECOND)",
  "HOP(TABLE x, DESCRIPTOR(t), INTERVAL '1' SECOND, INTERVAL '8' SECOND)",
  "HOP(TABLE x, DESCRIPTOR(t), INTERVAL '2' SECOND, INTERVAL '8' SECOND, INTERVAL '1' SECOND)",
  "CUMULATE(TABLE x, DESCRIPTOR(t), INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
)
/** Late rows correct what was told, and what was told early is corrected too. */
const hint = fc.constantFrom(
  '',
  '',
  "/*+ EMIT('allow-lateness' = '3 s') */",
  "/*+ EMIT('allow-lateness' = '8 s', 'late-fire.delay' = '15 ms') */",
  "/*+ EMIT('early-fire.delay' = '0 s') */",
  "/*+ EMIT('allow-lateness' = '1 s', 'early-fire.delay' = '5 ms') */",
)
const where = fc.constantFrom(
  '',
  'WHERE v > 0',
  "WHERE k <> 'a'",
  'WHERE 6 / v > 1',
  'WHERE k IS NULL',
)
const keys = fc.constantFrom('', 'k, ', 'k, v, ')
/** From which what a slide leaves behind can be taken again. */
const sums = fc.uniqueArray(
  fc.constantFrom(
    'COUNT(*)',
    'COUNT(v)',
    'SUM(v)',
    'AVG(v)',
    'SUM(d)',
    'AVG(d)',
    'COUNT(*) FILTER (WHERE v > 0)',
    "SUM(d) FILTER (WHERE k = 'a')",
  ),
  { minLength: 1, maxLength: 4 },
)
const mixed = fc.uniqueArray(
  fc.constantFrom(
    'COUNT(*)',
    'COUNT(v)',
    'SUM(v)',
    'AVG(v)',
    'MIN(v)',
    'MAX(v)',
    'MIN(k)',
    'MAX(k)',
    'SUM(d)',
    'AVG(d)',
    'MAX(d)',
    'COUNT(DISTINCT v)',
    'COUNT(DISTINCT k)',
    'SUM(DISTINCT v)',
    'COUNT(*) FILTER (WHERE v > 0)',
    "SUM(v) FILTER (WHERE k = 'a')",
  ),
  { minLength: 1, maxLength: 4 },
)
const aggregates: fc.Arbitrary<readonly string[]> = fc.oneof(mixed, sums)

const way = fc.record({
  rowsMax: fc.constantFrom(1, 2, 3, 1000),
  schedule: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 4 })), { maxLength: 12 }),
  restartAfter: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  writesAhead: fc.boolean(),
  settings: fc.constantFrom({}, SPILLED),
})

const scenario = fc.record({
  splits,
  window,
  hint,
  where,
  keys,
  aggregates,
  delay: fc.constantFrom(0n, 2n, 7n),
  way,
  tables: fc.constantFrom(1, 2),
})

type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never

test('windows equal the oracle: rows, late rows with their watermarks, dead rows', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const plan = planOf(given)
      const fed = fedOf(given)
      const ran = await runWay(plan, fed, wayOf(given, fed))
      const { inputs, dead } = watermarkedInputs(plan, fed, ran.read, given.delay * SECOND)
      const expected = interpret(withoutAssigners(plan), inputs)
      assert.deepEqual(tableOf(ran.changes), expected.rows.map(rowText).sort())
      assert.deepEqual(
        ran.late.map(([start, , time, watermark]) => rowText([start, time, watermark])).sort(),
        expected.missed
          .map(({ startUs, timeUs, watermarkUs }) => rowText([startUs, timeUs, watermarkUs]))
          .sort(),
      )
      assert.equal(ran.dead, expected.dead + dead)
      assert.equal(ran.counted, expected.counted)
    }),
    { numRuns: 300 },
  )
})

function planOf({ window, hint, where, keys, aggregates, delay, tables }: Scenario) {
  const table = (name: string) =>
    `CREATE TABLE ${name} (k STRING, v BIGINT, d DECIMAL(10, 2), t TIMESTAMP(3),
       WATERMARK FOR t AS t - INTERVAL '${delay}' SECOND) WITH ('connector' = 'scripted');`
  const union = tables === 2 ? ' UNION ALL SELECT k, v, d, t FROM other' : ''
  const text = `${table('events')} ${table('other')}
    CREATE VIEW x AS SELECT k, v, d, t FROM events${union};
    SELECT ${hint} ${keys}${aggregates.map((call, index) => `${call} AS a${index}`).join(', ')}, window_start, window_end
    FROM TABLE(${window}) ${where} GROUP BY ${keys}window_start, window_end`
  const { queries, errors } = bindText(text, 'property', [])
  assert.deepEqual(errors, [])
  return queries[0]!
}

function fedOf({ splits: all, tables, way }: Scenario): Fed {
  // An empty split has no position in which a checkpoint could remember that it has ended.
  const splits = way.restartAfter.length === 0 ? all : all.filter((rows) => rows.length > 0)
  const [first = [], ...others] = splits
  return tables === 1
    ? new Map([['events', splits]])
    : new Map([
        ['events', [first]],
        ['other', others],
      ])
}

function wayOf({ way: { schedule, ...way } }: Scenario, fed: Fed): Way {
  const ids = [...fed].flatMap(([table, splits]) => splits.map((_, index) => `${table}/${index}`))
  if (ids.length === 0) return way
  return {
    ...way,
    schedule: schedule.map(([split, rows]) => ({ split: ids[split % ids.length]!, rows })),
  }
}
