import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { open } from '../../src/index.ts'
import { inDirectory } from '../cli/process.ts'

test('the example in docs/patterns.md finds the card that was tried three times', async () => {
  const sql = /```sql\n([\s\S]*?)```/.exec(readFileSync('docs/patterns.md', 'utf8'))![1]!
  const [tables, query] = [sql.slice(0, sql.indexOf(';')), sql.slice(sql.indexOf(';') + 1)]
  const payment = (card: string, cents: number, accepted: boolean, second: number) =>
    JSON.stringify({ card, cents, accepted, paid_at: `2026-01-31 12:00:${second}` })
  const lines = [
    payment('a', 900, false, 10),
    payment('b', 100, true, 11),
    payment('a', 800, false, 14),
    payment('a', 700, false, 13),
    payment('b', 100, false, 15),
    payment('a', 950, true, 20),
    payment('b', 100, true, 30),
  ]
  await inDirectory(async (directory) => {
    writeFileSync(join(directory, 'payments.jsonl'), lines.join('\n'))
    await using db = await open({ data: join(directory, 'data'), directory, tables })
    assert.deepEqual(
      JSON.parse(
        JSON.stringify(await db.query(query).rows(), (_, value) =>
          typeof value === 'bigint' ? Number(value) : value,
        ),
      ),
      [{ card: 'a', tried_at: '2026-01-31 12:00:10.000', refused: 3, paid: 950 }],
    )
  })
})
