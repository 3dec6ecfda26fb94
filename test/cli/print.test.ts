import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { inDirectory, millrace } from './process.ts'

test('the print connector shows arrays and maps as Flink does', async () => {
  await inDirectory(async (directory) => {
    mkdirSync(join(directory, 'pipelines'))
    writeFileSync(
      join(directory, 'pipelines/show.sql'),
      `CREATE TABLE shown (n INT, list ARRAY<INT>, counts MAP<STRING, INT>) WITH ('connector' = 'print');
      INSERT INTO shown VALUES (1, ARRAY[1, 2], MAP['x', 3, 'y', 4]);`,
    )
    const { code, out, err } = await millrace(directory, ['run', '--until', 'end'])
    assert.equal(code, 0, err)
    assert.match(out, /^\+I\[1, \[1, 2\], \{x=3, y=4\}\]$/m)
  })
})
