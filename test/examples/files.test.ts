import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { sqlDirectory } from '../builders/sql-run.ts'

const PAGE = readFileSync('docs/files.md', 'utf8')

test('the example of docs/files.md runs as it stands', async () => {
  await using sql = sqlDirectory()
  const incoming = join(sql.directory, 'incoming')
  mkdirSync(incoming)
  writeFileSync(join(incoming, 'a.json'), '{"id":1,"amount":99.5}\n{"id":2,"amount":100.01}\n')
  writeFileSync(join(incoming, 'b.json'), '{"id":3,"amount":7000}')
  writeFileSync(join(incoming, '.hidden'), '{"id":4,"amount":7000}')
  await sql.run(/```sql\n([\s\S]*?)```/.exec(PAGE)![1]!)
  const folder = join(sql.directory, 'large')
  const parts = readdirSync(folder).filter((name) => !name.startsWith('.'))
  const lines = parts.flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
  assert.deepEqual(lines.sort(), ['2,100.01', '3,7000.00'])
})
