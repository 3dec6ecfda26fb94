import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { inDirectory, start } from './process.ts'

const page = readFileSync('docs/testing.md', 'utf8')
const library = JSON.stringify(pathToFileURL('src/index.ts').href)

async function inProject(act: (directory: string) => Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    await start(directory, ['init', '.']).ended
    await act(directory)
  })
}

test('a new project passes with events that are made up, captured, or those of a golden file', async () => {
  await inProject(async (directory) => {
    const passed = await start(directory, ['sim', 'revenue', '--runs', '3']).ended
    assert.deepEqual([passed.code, passed.err], [0, ''])
    assert.match(
      passed.out,
      /^ok {2}revenue {2}3 runs, 180 events \(\d+ late, \d+ dead\), \d+ crash/,
    )
    assert.match(passed.out, /\d+ fault points passed/)
    const captured = ['sim', 'revenue', '--events', 'data/orders.jsonl', '--runs', '1', '--json']
    const told = JSON.parse((await start(directory, captured).ended).out)
    assert.deepEqual([told.passed, told.events, told.late], [true, 120, 1])
    const golden = await start(directory, ['sim', 'tests/revenue.golden', '--runs', '1']).ended
    assert.equal(golden.code, 0)
    assert.match(golden.out, /1 run, \d events \(1 late, 0 dead\)/)
  })
})

test('the function of docs/testing.md that forgets is found, shrunk to two events, and replays', async () => {
  const [, code] = /```ts\n(\/\/ functions\/seen\.ts[\s\S]*?)```/.exec(page)!
  const [, sql] = /```sql\n([\s\S]*?seen[\s\S]*?)```/.exec(page)!
  await inProject(async (directory) => {
    writeFileSync(join(directory, 'seen.ts'), code!.replace("'millrace'", library))
    writeFileSync(join(directory, 'pipelines/firsts.sql'), sql!.replace('functions/seen', 'seen'))
    const failed = await start(directory, ['sim', 'firsts']).ended
    assert.equal(failed.code, 1)
    assert.match(failed.out, /^seed \d+: table firsts is not the same as when it is undisturbed/m)
    assert.match(failed.out, /^2 events and 1 disturbance, of \d+ steps:$/m)
    const [, file] = /^replay: millrace sim firsts --events (\S+)$/m.exec(failed.out)!
    assert.ok(existsSync(join(directory, file!)))
    const replayed = await start(directory, ['sim', 'firsts', '--events', file!]).ended
    assert.equal(replayed.code, 1)
    assert.match(replayed.out, /table firsts is not the same/)
  })
})

test('wrong usage and files that are none are named', async () => {
  await inProject(async (directory) => {
    for (const [args, said, code] of [
      [['sim'], /missing required argument 'file'/, 2],
      [['sim', 'revenue', '--runs', '0'], /whole number from 1/, 2],
      [['sim', 'nope'], /FILE_UNREADABLE/, 1],
      [['sim', 'revenue', '--events', 'nope.jsonl'], /FILE_UNREADABLE/, 1],
    ] as const) {
      const { code: found, err } = await start(directory, args).ended
      assert.equal(found, code, err)
      assert.match(err, said)
    }
    writeFileSync(join(directory, 'wrong.jsonl'), '{"table":"nope","event":{}}\n')
    const { err } = await start(directory, ['sim', 'revenue', '--events', 'wrong.jsonl']).ended
    assert.match(err, /wrong\.jsonl:1: nothing reads table nope/)
  })
})
