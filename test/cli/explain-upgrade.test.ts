import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { inDirectory, millrace } from './process.ts'

test('what becomes of the state when a pipeline changes is told before it is started', async () => {
  await inDirectory(async (directory) => {
    mkdirSync(join(directory, 'tables'))
    mkdirSync(join(directory, 'pipelines'))
    const file = (name: string, text: string) => writeFileSync(join(directory, name), text)
    file(
      'tables/t.sql',
      `CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'log', 'topic' = 't', 'format' = 'json');
       CREATE TABLE o (k STRING, n BIGINT) WITH ('connector' = 'print');`,
    )
    file('pipelines/counts.sql', 'INSERT INTO o SELECT k, COUNT(*) FROM t WHERE v > 1 GROUP BY k;')
    file('old.sql', 'INSERT INTO o SELECT k, COUNT(*) FROM t GROUP BY k;')
    file('sums.sql', 'INSERT INTO o SELECT k, SUM(v) FROM t GROUP BY k;')
    const same = await millrace(directory, ['explain', 'counts', '--upgrade', 'old.sql'])
    assert.match(same.out, /goes on with its state\n +group by k: COUNT\(\*\)/)
    assert.match(same.out, /restored whole/)
    const other = await millrace(directory, [
      'explain',
      'sums.sql',
      '--upgrade',
      'old.sql',
      '--json',
    ])
    const { changed } = JSON.parse(other.out)
    assert.deepEqual(changed[0].because, ['aggregate SUM(v) added', 'aggregate COUNT(*) gone'])
    const two = await millrace(directory, ['explain', 'counts', 'sums.sql', '--upgrade', 'old.sql'])
    assert.equal(two.code, 2)
  })
})
