import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { inDirectory, start } from './process.ts'

const FILE = 'tests/revenue.golden'

async function inProject(act: (directory: string) => Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    await start(directory, ['init', '.']).ended
    await act(directory)
  })
}

test('a new project passes, and what differs is shown line by line, until it is updated', async () => {
  await inProject(async (directory) => {
    const path = join(directory, FILE)
    const passed = await start(directory, ['test']).ended
    assert.deepEqual([passed.code, passed.err], [0, ''])
    assert.match(passed.out, /^ok {4}tests\/revenue.golden {2}11 ways\n1 file passed\n$/)
    const right = readFileSync(path, 'utf8')
    writeFileSync(path, right.replace(/1 3\.00\n/, '1 3.50\n'))
    const failed = await start(directory, ['test']).ended
    assert.equal(failed.code, 1)
    assert.match(failed.out, /^FAIL {2}tests\/revenue.golden$/m)
    assert.match(failed.out, /^ {4}- \+I bergen 2026-01-05T08:00:00 1 3.50$/m)
    assert.match(failed.out, /^ {4}\+ \+I bergen 2026-01-05T08:00:00 1 3.00$/m)
    const updated = await start(directory, ['test', FILE, '--update']).ended
    assert.match(updated.out, /updated/)
    assert.equal(updated.code, 0)
    assert.equal(readFileSync(path, 'utf8'), right)
  })
})

test('a query over the tables of the project is tested too, and files with mistakes do not keep others from it', async () => {
  await inProject(async (directory) => {
    const query = (text: string) => writeFileSync(join(directory, 'tests/query.golden'), text)
    query(`query  SELECT shop, COUNT(*) AS n FROM orders GROUP BY shop
feed   orders  +I 1 oslo 1.00 08:00:00  +I 2 oslo 1.00 08:00:01
changes  +I oslo 1   -U oslo 1   +U oslo 2
table    oslo 2
`)
    const passed = await start(directory, ['test', '--json']).ended
    assert.deepEqual(
      passed.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).passed),
      [true, true],
    )
    for (const wrong of [
      'quarry SELECT 1\n',
      'query SELECT nope FROM orders\n',
      'pipeline nope\n',
      'feed orders +I 1\n',
      'pipeline revenue nope\n',
      'pipeline revenue\nfeed nope +I 1\n',
      'pipeline revenue\nfeed orders 1\n',
    ]) {
      query(wrong)
      const failed = await start(directory, ['test']).ended
      assert.equal(failed.code, 1)
      assert.match(failed.out, /FAIL {2}tests\/query.golden\n {2}[A-Z_]+: /, wrong)
      assert.match(failed.out, /^1 failed, 1 passed$/m)
    }
  })
})

test('where there is nothing to test that is said', async () => {
  await inProject(async (directory) => {
    rmSync(join(directory, 'tests'), { recursive: true })
    const none = await start(directory, ['test']).ended
    assert.equal(none.code, 1)
    assert.match(none.err, /PROJECT_MISSING/)
  })
})

test('the golden file in docs/testing.md passes', async () => {
  const text = /```\n(# An order counts[\s\S]*?)```/.exec(
    readFileSync('docs/testing.md', 'utf8'),
  )![1]!
  await inProject(async (directory) => {
    writeFileSync(join(directory, FILE), text)
    const { code, out } = await start(directory, ['test']).ended
    assert.equal(code, 0, out)
  })
})
