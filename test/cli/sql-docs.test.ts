import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { withGenerated } from '../../scripts/function-docs.ts'
import { jsonText } from '../../src/data/values.ts'
import { open } from '../../src/index.ts'

const text = readFileSync('docs/sql.md', 'utf8')

test('docs/sql.md lists the settings and functions that there are (node scripts/function-docs.ts)', () => {
  assert.equal(text, withGenerated(text))
})

test('every example of docs/sql.md runs, and gives the rows that stand below it', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
  const db = await open({ data: join(directory, 'data'), directory })
  context.after(async () => {
    await db.close()
    rmSync(directory, { recursive: true })
  })
  const blocks = [...text.matchAll(/```sql\n([\s\S]*?)```\n(?:\n```json\n([\s\S]*?)```)?/g)]
  assert.ok(blocks.length >= 6)
  for (const [, sql = '', rows] of blocks) {
    if (/^CREATE/.test(sql)) db.define(sql)
    else if (/INSERT INTO/.test(sql)) {
      const run = await db.run(sql, { name: 'example', until: 'end' })
      assert.equal((await run.finished).kind, 'finished', sql)
    } else {
      const told = await db.query(sql).rows()
      assert.equal(told.map((row) => `${jsonText(row)}\n`).join(''), rows, sql)
    }
  }
})
