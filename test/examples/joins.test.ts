import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { jsonText } from '../../src/data/values.ts'
import { open } from '../../src/index.ts'

test('every example of docs/joins.md runs, and gives the rows that stand below it', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-joins-'))
  const db = await open({ data: join(directory, 'data'), directory })
  context.after(async () => {
    await db.close()
    rmSync(directory, { recursive: true })
  })
  const text = readFileSync('docs/joins.md', 'utf8')
  const blocks = [...text.matchAll(/```sql\n([\s\S]*?)```\n(?:\n```json\n([\s\S]*?)```)?/g)]
  assert.equal(blocks.length, 9)
  for (const [, sql = '', rows] of blocks) {
    if (/^CREATE/.test(sql)) db.define(sql)
    else {
      const told = await db.query(sql).rows()
      const texts = told.map((row) => jsonText(row)).sort()
      assert.deepEqual(texts, rows!.trimEnd().split('\n').sort(), sql)
    }
  }
})
