/**
 * Aggregates without windows over histories that take rows back: the table equals the oracle's in every way, and with one-row
 * batches the changelog is, step by step, the difference between the tables before and after.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { PlanNode } from '../../src/plan/nodes.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { type Fed, type FedRow, rowText, runWay, SPILLED, tableOf } from '../builders/engine-run.ts'
import { fc } from '../builders/properties.ts'
import { type Input, interpret } from '../naive/interpret.ts'

// Few values, so that rows are often taken back and groups come and go.
const values = fc.record({
  k: fc.constantFrom('a', 'b', '', null),
  v: fc.constantFrom(0n, 1n, 2n, 7n, null),
  d: fc.constantFrom('1.50', '-2.25', null),
})
const history = fc
  .array(fc.record({ row: values, takes: fc.nat(2), which: fc.nat(30), update: fc.boolean() }), {
    maxLength: 24,
  })
  .map((steps) => {
    const held: FedRow['row'][] = []
    return steps.map(({ row, takes, which, update }): FedRow => {
      if (takes > 0 || held.length === 0) {
        held.push(row)
        return { kind: update ? '+U' : '+I', row }
      }
      const [gone] = held.splice(which % held.length, 1)
      return { kind: update ? '-U' : '-D', row: gone! }
    })
  })

const SINGLE = [
  'SELECT k, COUNT(*) AS n FROM changes GROUP BY k',
  'SELECT k, SUM(v) AS s, AVG(v) AS a, COUNT(v) AS n FROM changes GROUP BY k',
  'SELECT k, MIN(v) AS l, MAX(v) AS g, MAX(d) AS d FROM changes GROUP BY k',
  'SELECT v, MIN(k) AS l, MAX(k) AS g FROM changes GROUP BY v',
  'SELECT k, COUNT(DISTINCT v) AS n, SUM(DISTINCT v) AS s FROM changes GROUP BY k',
  'SELECT k, COUNT(*) FILTER (WHERE v > 0) AS n, SUM(v) FILTER (WHERE v < 5) AS s FROM changes GROUP BY k',
  'SELECT COUNT(DISTINCT k) AS n, MIN(k) AS l FROM changes',
  'SELECT SUM(d) AS s, AVG(d) AS a FROM changes',
  'SELECT DISTINCT k, v FROM changes',
  'SELECT k, v, COUNT(*) AS n FROM changes WHERE v < 5 GROUP BY k, v',
]
const DERIVED = [
  'SELECT k, COUNT(*) AS n FROM changes GROUP BY k HAVING COUNT(*) > 1',
  'SELECT n, COUNT(*) AS m FROM (SELECT k, COUNT(*) AS n FROM changes GROUP BY k) AS c GROUP BY n',
  'SELECT MAX(n) AS g, SUM(n) AS s FROM (SELECT k, COUNT(*) AS n FROM changes GROUP BY k) AS c',
  'SELECT k, SUM(v) AS s FROM (SELECT k, v FROM changes UNION ALL SELECT k, v + 1 FROM changes) AS u GROUP BY k',
  'SELECT k, v, COUNT(*) AS n, GROUPING(k) AS g FROM changes GROUP BY CUBE (k, v)',
  'SELECT k, v, SUM(v) AS s FROM changes GROUP BY GROUPING SETS ((k, v), (k))',
  'SELECT DISTINCT n FROM (SELECT k, COUNT(*) AS n FROM changes GROUP BY k) AS c',
  "SELECT k, v + 1 AS w, CASE WHEN v > 1 THEN 'many' ELSE 'few' END AS c FROM changes WHERE k IS NOT NULL",
]

const way = fc.record({
  rowsMax: fc.constantFrom(1, 2, 3, 1000),
  restartAfter: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  writesAhead: fc.boolean(),
  settings: fc.constantFrom({}, SPILLED),
})

test("the table is the oracle's, whatever the batches and restarts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...SINGLE, ...DERIVED),
      history,
      way,
      async (sql, fed, how) => {
        const plan = planOf(sql)
        const ran = await runWay(plan, fedOf(fed), how)
        assert.deepEqual(tableOf(ran.changes), oracleTable(plan, fed))
      },
    ),
    { numRuns: 400 },
  )
})

test('with one-row batches each change is the difference between two tables', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SINGLE), history, async (sql, fed) => {
      const plan = planOf(sql)
      const ran = await runWay(plan, fedOf(fed), { rowsMax: 1 })
      const changes = ran.changes.map(({ kind, row }) => `${kind} ${rowText(row)}`)
      assert.deepEqual(changes, differences(plan, fed))
    }),
    { numRuns: 200 },
  )
})

test('ORDER BY, LIMIT and OFFSET tell the same rows in the same order', async () => {
  const orders = [
    'ORDER BY v, k',
    'ORDER BY k DESC, v',
    'ORDER BY v DESC NULLS LAST, k NULLS FIRST',
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...orders),
      fc.constantFrom('', ' LIMIT 3', ' LIMIT 2 OFFSET 1', ' OFFSET 2 ROWS'),
      history,
      fc.constantFrom(1, 3, 1000),
      async (order, limit, fed, rowsMax) => {
        const plan = planOf(`SELECT k, v FROM changes ${order}${limit}`)
        const ran = await runWay(plan, fedOf(fed), { rowsMax })
        const expected = interpret(plan, new Map([['changes', inputOf(plan, fed)]])).rows
        assert.deepEqual(
          ran.changes.map(({ row }) => rowText(row)),
          expected.map(rowText),
        )
      },
    ),
    { numRuns: 150 },
  )
})

function planOf(sql: string): PlanNode {
  const table = `CREATE TABLE changes (k STRING, v BIGINT, d DECIMAL(10, 2))
    WITH ('connector' = 'scripted', 'changelog' = 'true');`
  const { queries, errors } = bindText(`${table} ${sql}`, 'property', [])
  assert.deepEqual(errors, [])
  return queries[0]!
}

function fedOf(rows: readonly FedRow[]): Fed {
  return new Map([['changes', [rows]]])
}

function oracleTable(plan: PlanNode, fed: readonly FedRow[]): string[] {
  const { rows } = interpret(plan, new Map([['changes', inputOf(plan, fed)]]))
  return rows.map(rowText).sort()
}

/** In the columns of the plan's one scan. */
function inputOf(plan: PlanNode, fed: readonly FedRow[]): Input {
  let node = plan
  while (node.kind !== 'scan') node = node.kind === 'union-all' ? node.inputs[0]! : innerOf(node)
  const { schema } = node
  return fed.map(({ kind, row }) => ({ kind, row: schema.map(({ name }) => row[name] ?? null) }))
}

function innerOf(node: PlanNode): PlanNode {
  assert.ok('input' in node)
  return node.input
}

/** Each step adds or takes one row, so at most one row of the result goes and one comes. */
function differences(plan: PlanNode, fed: readonly FedRow[]): string[] {
  let before: string[] = []
  return fed.flatMap((_, index) => {
    const after = oracleTable(plan, fed.slice(0, index + 1))
    const gone = before.filter((row) => !after.includes(row))
    const came = after.filter((row) => !before.includes(row))
    before = after
    const updates = gone.length > 0 && came.length > 0
    return [
      ...gone.map((row) => `${updates ? '-U' : '-D'} ${row}`),
      ...came.map((row) => `${updates ? '+U' : '+I'} ${row}`),
    ]
  })
}
