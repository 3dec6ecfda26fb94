import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { open } from '../index.ts'

const text = fc.string({ unit: fc.constantFrom('/', 'a', 'é', '😀'), maxLength: 8 })

test('parts and lengths of texts are those of their characters', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text), { minLength: 1, maxLength: 12 }), async (texts) => {
      const data = texts.map((s) => JSON.stringify({ s })).join('\n')
      await using db = await open({
        tables: `CREATE TABLE t (s STRING) WITH ('connector' = 'values', 'data' = '${data}')`,
      })
      const sql =
        "SELECT CHAR_LENGTH(s) AS n, SPLIT_INDEX(s, '/', 0) AS a, SPLIT_INDEX(s, '/', 2) AS c FROM t"
      const told = (await db.query(sql).rows()).map(({ n, a, c }) => [n, a, c])
      const wanted = texts.map((s) => {
        const part = (index: number) =>
          s === null || s === '' ? null : (s.split('/')[index] ?? null)
        return [s === null ? null : [...s].length, part(0), part(2)]
      })
      assert.deepEqual(told, wanted)
    }),
    { numRuns: 60 },
  )
})
