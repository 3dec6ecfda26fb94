import assert from 'node:assert/strict'
import test from 'node:test'
import { inDirectory, millrace } from './process.ts'

test('wrong usage exits with 2 and says what is meant', async () => {
  await inDirectory(async (directory) => {
    const cases: [string[], RegExp][] = [
      [['statu'], /unknown command 'statu'[\s\S]*Did you mean status\?/],
      [['produce'], /missing required argument 'topic'[\s\S]*millrace produce --help/],
      [['status', '--jsn'], /unknown option '--jsn'[\s\S]*Did you mean --json\?/],
      [['log', 'inspect', 't', '--limit', '0'], /whole number from 1/],
      [['log', 'lst'], /unknown command 'lst'/],
      [['late', 'replay', 'revenue'], /required option '--into <topic>'/],
      [['--nothing'], /unknown option '--nothing'/],
    ]
    for (const [args, said] of cases) {
      const { code, out, err } = await millrace(directory, args)
      assert.equal(code, 2, args.join(' '))
      assert.equal(out, '', args.join(' '))
      assert.match(err, said, args.join(' '))
    }
  })
})

test('help and version go to stdout, exit with 0 and hold no colour without a terminal', async () => {
  await inDirectory(async (directory) => {
    for (const args of [
      [],
      ['--help'],
      ['help'],
      ['help', 'produce'],
      ['log', '--help'],
      ['log', 'list', '--help'],
    ]) {
      const { code, out, err } = await millrace(directory, args)
      assert.equal(code, 0, args.join(' '))
      assert.match(out, /^Usage: millrace/)
      assert.ok(!out.includes('\u001b'))
      assert.equal(err, '')
    }
    assert.match((await millrace(directory, ['--version'])).out, /^\d+\.\d+\.\d+\n$/)
  })
})

test('colour is shown where it is forced, and NO_COLOR beats that', async () => {
  await inDirectory(async (directory) => {
    const forced = await millrace(directory, ['--help'], '', { FORCE_COLOR: '1' })
    assert.ok(forced.out.includes('\u001b['))
    const refused = await millrace(directory, ['--help'], '', { FORCE_COLOR: '1', NO_COLOR: '1' })
    assert.ok(!refused.out.includes('\u001b['))
  })
})

test('where nothing runs, what needs an owner says so and exits with 1', async () => {
  await inDirectory(async (directory) => {
    for (const args of [['status'], ['stop', 'x'], ['savepoint', 'x']]) {
      const { code, out, err } = await millrace(directory, args)
      assert.equal(code, 1, args.join(' '))
      assert.equal(out, '')
      assert.match(
        err,
        /^OWNER_MISSING: nothing runs on [^\n]+\n {2}= start it with `millrace run`/,
      )
    }
    const json = await millrace(directory, ['status', '--json'])
    assert.equal(JSON.parse(json.out).error.code, 'OWNER_MISSING')
  })
})

test('init makes a project, names what to do, and never overwrites', async () => {
  await inDirectory(async (directory) => {
    const made = await millrace(directory, ['init', 'shop', '--json'])
    assert.equal(made.code, 0)
    assert.ok(JSON.parse(made.out).files.includes('pipelines/revenue.sql'))
    const again = await millrace(directory, ['init', 'shop'])
    assert.equal(again.code, 1)
    assert.match(again.err, /^PROJECT_EXISTS: /)
  })
})
