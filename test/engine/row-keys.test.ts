/** ROWs as keys: of groups, of joins, of ranks. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { jsonText } from '../../src/data/values.ts'
import { open } from '../../src/index.ts'

const DATA = [
  '{"r":{"x":1,"y":"p"},"v":1}',
  '{"r":{"x":1,"y":"p"},"v":2}',
  '{"r":{"x":1,"y":null},"v":3}',
  '{"r":null,"v":4}',
  '{"r":null,"v":5}',
]

test('rows of equal ROWs meet, a ROW of NULLs is not NULL', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-row-keys-'))
  const db = await open({ data: join(directory, 'data'), directory })
  context.after(async () => {
    await db.close()
    rmSync(directory, { recursive: true })
  })
  db.define(`CREATE TABLE a (r ROW<x INT, y STRING>, v INT)
    WITH ('connector' = 'values', 'data' = '${DATA.join('\n')}')`)
  const rows = async (sql: string) =>
    (await db.query(sql).rows()).map((row) => jsonText(row)).sort()
  assert.deepEqual(await rows('SELECT r, SUM(v) AS s FROM a GROUP BY r'), [
    '{"r":null,"s":9}',
    '{"r":{"x":1,"y":"p"},"s":3}',
    '{"r":{"x":1,"y":null},"s":3}',
  ])
  assert.deepEqual(
    await rows('SELECT b.v, c.v AS w FROM a AS b JOIN a AS c ON b.r = c.r AND b.v < c.v'),
    ['{"v":1,"w":2}'],
  )
  assert.deepEqual(
    await rows(`SELECT r, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY r ORDER BY v DESC) AS n FROM a)
      WHERE n = 1`),
    ['{"r":null,"v":5}', '{"r":{"x":1,"y":"p"},"v":2}', '{"r":{"x":1,"y":null},"v":3}'],
  )
})
