import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { open } from '../index.ts'

const value = fc.string({ unit: fc.constantFrom('a', 'B', '=', 'é', '7'), maxLength: 6 })
/** So many that they are decoded together. */
const values = fc.array(fc.option(value, { freq: 5 }), { minLength: 1, maxLength: 40 })

const SQL = `SELECT CASE WHEN LOWER(s) = 'a' THEN 'one' WHEN LOWER(s) = 'ba' THEN REGEXP_EXTRACT(s, '=(.)', 1)
    WHEN REVERSE(s) = LOWER(s) THEN REVERSE(s) ELSE REGEXP_EXTRACT(s, 'a=(.)', 1) END AS told,
  COALESCE(REGEXP_EXTRACT(s, 'a=(.)', 1), REVERSE(s)) AS other
FROM t WHERE REGEXP_EXTRACT(s, 'a=(.)', 1) IS NOT NULL OR LOWER(s) IN ('a', 'ba', 'bb') OR REVERSE(s) = LOWER(s)`

test('calls that stand in a query more than once give what each would by itself', async () => {
  await fc.assert(
    fc.asyncProperty(values, async (given) => {
      await using db = await open({ tables: tableOf(given) })
      const wanted = given.flatMap((s) => (s === null ? [] : told(s)))
      assert.deepEqual(plain(await db.query(SQL).rows()), wanted)
    }),
    { numRuns: 60 },
  )
})

function told(s: string): readonly object[] {
  const lower = s.toLowerCase()
  const reversed = [...s].reverse().join('')
  const extracted = /a=(.)/u.exec(s)?.[1] ?? null
  if (extracted === null && !['a', 'ba', 'bb'].includes(lower) && reversed !== lower) return []
  const other = extracted ?? reversed
  if (lower === 'a') return [{ told: 'one', other }]
  if (lower === 'ba') return [{ told: /=(.)/u.exec(s)?.[1] ?? null, other }]
  return [{ told: reversed === lower ? reversed : extracted, other }]
}

test('a branch that is not taken fails no row, also where its call stands in others', async () => {
  await using db = await open({ tables: tableOf(['7', 'a', '77']) })
  const number = 'CAST(LOWER(s) AS INT)'
  const sql = `SELECT CASE WHEN s = 'a' THEN 0 WHEN ABS(${number}) > 9 THEN ABS(${number}) ELSE -ABS(${number}) END AS n FROM t`
  assert.deepEqual(plain(await db.query(sql).rows()), [{ n: -7 }, { n: 0 }, { n: 77 }])
})

test('what gives another value each time is computed each time, wherever it stands', async () => {
  await using db = await open({ tables: tableOf(['a', 'b']) })
  const rows = await db.query('SELECT UUID() AS a, UUID() AS b FROM t WHERE RAND() < 1').rows()
  assert.equal(new Set(rows.flatMap((row) => Object.values(row))).size, 4)
  const [row] = await db.query('SELECT COUNT(DISTINCT UUID()) AS n FROM t').rows()
  assert.equal(row!.n, 2n)
})

/** Rows have no prototype. */
function plain(rows: readonly object[]): readonly object[] {
  return rows.map((row) => ({ ...row }))
}

function tableOf(rows: readonly (string | null)[]): string {
  const data = rows.map((s) => JSON.stringify({ s })).join('\n')
  return `CREATE TABLE t (s STRING) WITH ('connector' = 'values', 'data' = '${data}')`
}
