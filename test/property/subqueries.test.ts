/** Subqueries, made joins, say what they say when they are asked again for every row. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { inputsOf, withInputs } from '../../src/plan/inputs.ts'
import type { PlanNode } from '../../src/plan/nodes.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { fc } from '../builders/properties.ts'
import { interpret } from '../naive/interpret.ts'

const TABLES = `CREATE TABLE a (x BIGINT, y BIGINT) WITH ('connector' = 'scripted');
  CREATE TABLE b (x BIGINT, y BIGINT) WITH ('connector' = 'scripted');`

type Cell = bigint | null
type Row = readonly [x: Cell, y: Cell]
/** TRUE, FALSE or unknown. */
type Truth = boolean | null

const equal = (a: Cell, b: Cell): Truth => (a === null || b === null ? null : a === b)
const less = (a: Cell, b: Cell): Truth => (a === null || b === null ? null : a < b)
const not = (truth: Truth): Truth => (truth === null ? null : !truth)

function isIn(value: Cell, list: readonly Cell[]): Truth {
  const tests = list.map((each) => equal(value, each))
  if (tests.includes(true)) return true
  return tests.includes(null) ? null : false
}

function most(list: readonly Cell[]): Cell {
  return list.reduce(
    (best, each) => (best === null || (each !== null && each > best) ? each : best),
    null,
  )
}

/** A query over a and b, and what it gives for one row of a: none, or values. */
interface Case {
  readonly sql: string
  row(a: Row, b: readonly Row[]): readonly (Cell | boolean)[] | undefined
}

const kept = (row: Row, truth: Truth) => (truth === true ? row : undefined)
const CASES: readonly Case[] = [
  {
    sql: 'SELECT * FROM a WHERE x IN (SELECT x FROM b)',
    row: (a, b) =>
      kept(
        a,
        isIn(
          a[0],
          b.map(([x]) => x),
        ),
      ),
  },
  {
    sql: 'SELECT * FROM a WHERE x NOT IN (SELECT x FROM b)',
    row: (a, b) =>
      kept(
        a,
        not(
          isIn(
            a[0],
            b.map(([x]) => x),
          ),
        ),
      ),
  },
  {
    sql: 'SELECT * FROM a WHERE NOT x IN (SELECT b.x FROM b WHERE b.y = a.y) AND y IS NOT NULL',
    row: (a, b) => {
      const list = b.filter(([, y]) => equal(y, a[1]) === true).map(([x]) => x)
      return kept(a, a[1] === null ? false : not(isIn(a[0], list)))
    },
  },
  {
    sql: 'SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.x AND b.y < a.y)',
    row: (a, b) =>
      kept(
        a,
        b.some(([x, y]) => equal(x, a[0]) === true && less(y, a[1]) === true),
      ),
  },
  {
    sql: 'SELECT * FROM a WHERE NOT EXISTS (SELECT 1 FROM (SELECT b.y AS z, b.x FROM b) AS c WHERE c.z = a.y AND c.x > 0)',
    row: (a, b) => kept(a, !b.some(([x, y]) => equal(y, a[1]) === true && less(0n, x) === true)),
  },
  {
    sql: 'SELECT x, x IN (SELECT x FROM b), x NOT IN (SELECT y FROM b) FROM a',
    row: (a, b) => [
      a[0],
      isIn(
        a[0],
        b.map(([x]) => x),
      ),
      not(
        isIn(
          a[0],
          b.map(([, y]) => y),
        ),
      ),
    ],
  },
  {
    sql: 'SELECT y, CASE WHEN x IN (SELECT x FROM b WHERE b.y = a.y) OR x = 2 THEN 1 ELSE 0 END FROM a',
    row: (a, b) => {
      const list = b.filter(([, y]) => equal(y, a[1]) === true).map(([x]) => x)
      return [a[1], isIn(a[0], list) === true || a[0] === 2n ? 1n : 0n]
    },
  },
  {
    sql: 'SELECT x, (SELECT COUNT(*) FROM b WHERE b.x = a.x), (SELECT MAX(b.y) FROM b WHERE a.x = b.x AND b.y > 0) FROM a',
    row: (a, b) => {
      const same = b.filter(([x]) => equal(x, a[0]) === true)
      const above = same.map(([, y]) => y).filter((y) => less(0n, y) === true)
      return [a[0], BigInt(same.length), most(above)]
    },
  },
  {
    sql: 'SELECT * FROM a WHERE y < (SELECT MAX(y) FROM b)',
    row: (a, b) => kept(a, less(a[1], most(b.map(([, y]) => y)))),
  },
  {
    sql: 'SELECT y, EXISTS (SELECT 1 FROM b WHERE b.x = a.x) FROM a',
    row: (a, b) => [a[1], b.some(([x]) => equal(x, a[0]) === true)],
  },
]

/** Scans of all columns again: that is how the tables are given. */
function whole(node: PlanNode): PlanNode {
  if (node.kind !== 'scan') return withInputs(node, inputsOf(node).map(whole))
  const schema = node.table.columns.map(({ name, type }) => ({ name, type }))
  const expressions = node.schema.map(({ name, type }) => {
    const index = schema.findIndex((field) => field.name === name)
    return { kind: 'column' as const, index, type }
  })
  return { kind: 'project', input: { ...node, schema }, expressions, schema: node.schema }
}

const cell = fc.option(fc.bigInt({ min: 0n, max: 2n }), { freq: 4 })
const table = fc.array(fc.tuple(cell, cell), { maxLength: 5 })

for (const { sql, row } of CASES) {
  test(sql, () => {
    const { queries, errors } = bindText(`${TABLES} ${sql}`, 'p', [])
    assert.deepEqual(errors.map(String), [])
    const plan = whole(queries[0]!)
    const text = (values: readonly unknown[]) => values.map(String).join(' ')
    fc.assert(
      fc.property(table, table, (a, b) => {
        const given = interpret(plan, new Map([['a', a] as const, ['b', b] as const])).rows
        const expected = a.map((each) => row(each, b)).filter((each) => each !== undefined)
        assert.deepEqual(given.map(text).sort(), expected.map(text).sort())
      }),
      { numRuns: 200 },
    )
  })
}
