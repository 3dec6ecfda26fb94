import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { inDirectory, millrace, start } from './process.ts'

test('produce keeps good lines around bad ones, tells the bad ones and exits with 1', async () => {
  await inDirectory(async (directory) => {
    const ended = await millrace(
      directory,
      ['produce', 't', '--partitions', '1'],
      '{"a":1}\nbad\n{"a":2}\n',
    )
    assert.equal(ended.code, 1)
    assert.equal(ended.out, '2 rows appended to t, 1 bad line\n')
    assert.match(ended.err, /^stdin:2 not appended: it is no JSON/)
    const { out } = await millrace(directory, ['log', 'inspect', 't', '--json'])
    const values = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).value)
    assert.deepEqual(values, ['{"a":1}', '{"a":2}'])
  })
})

test('produce repeated with event ids appends nothing twice, in any file and process', async () => {
  await inDirectory(async (directory) => {
    const rows = Array.from({ length: 1000 }, (_, id) => JSON.stringify({ id }))
    writeFileSync(join(directory, 'half'), rows.slice(0, 600).join('\n'))
    writeFileSync(join(directory, 'all'), rows.join('\n'))
    const args = ['--event-id', 'id', '--key', 'id', '--partitions', '3', '--json']
    const first = await millrace(directory, ['produce', 't', 'half', ...args])
    assert.deepEqual(JSON.parse(first.out), {
      topic: 't',
      appended: 600,
      duplicates: 0,
      badCount: 0,
      bad: [],
    })
    const second = await millrace(directory, ['produce', 't', 'all', 'half', ...args])
    assert.deepEqual(JSON.parse(second.out), {
      topic: 't',
      appended: 400,
      duplicates: 1200,
      badCount: 0,
      bad: [],
    })
  })
})

test('produce killed in the middle and repeated leaves every event once', async () => {
  await inDirectory(async (directory) => {
    const rows = Array.from({ length: 30_000 }, (_, id) =>
      JSON.stringify({ id, text: 'x'.repeat(50) }),
    )
    const file = join(directory, 'rows')
    writeFileSync(file, rows.join('\n'))
    const args = ['produce', 't', '--event-id', 'id', '--key', 'id', '--partitions', '2']
    const killed = start(directory, args)
    killed.child.stdin?.on('error', () => {})
    // Only a part of the input ever reaches it: it waits for more when it is killed.
    killed.child.stdin?.write(rows.slice(0, 25_000).join('\n'))
    await untilRecords(directory, 10_000)
    killed.child.kill('SIGKILL')
    await killed.ended
    const again = await millrace(directory, [...args, '--json'], readFileSync(file, 'utf8'))
    const { appended, duplicates } = JSON.parse(again.out)
    assert.equal(again.code, 0)
    assert.equal(appended + duplicates, 30_000)
    assert.ok(duplicates >= 10_000)
    const { out } = await millrace(directory, ['log', 'list', '--json'])
    assert.equal(JSON.parse(out).records, 30_000)
    assert.equal((await millrace(directory, ['log', 'verify'])).code, 0)
  })
})

test('several producers at once wait for one another, and lose nothing', async () => {
  await inDirectory(async (directory) => {
    const produce = (name: string) =>
      millrace(directory, ['produce', 't', '--partitions', '1'], `{"from":"${name}"}\n`)
    const ended = await Promise.all(['a', 'b', 'c'].map(produce))
    assert.deepEqual(
      ended.map(({ code }) => code),
      [0, 0, 0],
    )
    const { out } = await millrace(directory, ['log', 'list', '--json'])
    assert.equal(JSON.parse(out).records, 3)
  })
})

test('a topic that is missing, and options that exclude each other, are refused with the way out', async () => {
  await inDirectory(async (directory) => {
    const missing = await millrace(directory, ['produce', 't'], '{}\n')
    assert.equal(missing.code, 1)
    assert.match(missing.err, /^LOG_TOPIC_MISSING: [^\n]+\n {2}= /)
    const both = await millrace(directory, ['produce', 't', '--event-id', 'a', '--batch-id', 'b'])
    assert.equal(both.code, 2)
    assert.match(both.err, /^USAGE_INVALID: /)
    const gone = await millrace(directory, ['produce', 't', 'gone.jsonl', '--partitions', '1'])
    assert.equal(gone.code, 1)
    assert.match(gone.err, /^FILE_UNREADABLE: can't read gone\.jsonl/)
  })
})

async function untilRecords(directory: string, count: number): Promise<void> {
  for (;;) {
    const { out } = await millrace(directory, ['log', 'list', '--json'])
    if (out !== '' && JSON.parse(out).records >= count) return
  }
}
