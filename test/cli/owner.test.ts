import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import test from 'node:test'
import { inDirectory, millrace, start } from './process.ts'

const STAY = ['run', '--stay', '--http', '127.0.0.1:0']

test('while one process owns the project others produce and ask through it, and a second owner is refused', async () => {
  await inDirectory(async (directory) => {
    const owner = start(directory, STAY)
    await owner.until('serving')
    const second = await millrace(directory, ['run', '--stay'])
    assert.equal(second.code, 1)
    assert.match(
      second.err,
      /^OWNER_EXISTS: [^\n]+ is owned by process \d+ since [^\n]+\n {2}= [^\n]*millrace status/,
    )
    const produced = await millrace(
      directory,
      ['produce', 't', '--partitions', '1', '--json'],
      '{"a":1}\n',
    )
    assert.equal(JSON.parse(produced.out).appended, 1)
    const status = JSON.parse((await millrace(directory, ['status', '--json'])).out)
    assert.deepEqual([status.processId, status.epoch, status.pipelines], [owner.child.pid, 1, []])
    const unknown = await millrace(directory, ['stop', 'nothing'])
    assert.deepEqual([unknown.code, unknown.err.split(':')[0]], [1, 'PIPELINE_UNKNOWN'])
    owner.child.kill('SIGTERM')
    const ended = await owner.ended
    assert.equal(ended.code, 0)
    assert.match(ended.err, /SIGTERM: taking a checkpoint, then stopping, within 30 s/)
  })
})

test('an owner that is killed leaves the project to the next, which goes on where it was', async () => {
  await inDirectory(async (directory) => {
    const first = start(directory, STAY)
    await first.until('serving')
    await millrace(directory, ['produce', 't', '--partitions', '1'], '{"a":1}\n')
    first.child.kill('SIGKILL')
    await first.ended
    const second = start(directory, STAY)
    await second.until('serving')
    await millrace(directory, ['produce', 't'], '{"a":2}\n')
    assert.equal(JSON.parse((await millrace(directory, ['status', '--json'])).out).epoch, 2)
    assert.equal(JSON.parse((await millrace(directory, ['log', 'list', '--json'])).out).records, 2)
    second.child.kill('SIGINT')
    assert.equal((await second.ended).code, 0)
  })
})

test('an owner that slept while another took over ends, fenced, without having written', async () => {
  await inDirectory(async (directory) => {
    const slept = start(directory, STAY)
    await slept.until('serving')
    // As if its socket were out of reach, as on a file system that two machines share.
    const folder = `${directory}/.millrace/owner`
    for (const name of readdirSync(folder)) if (name.endsWith('.sock')) rmSync(`${folder}/${name}`)
    const next = start(directory, STAY)
    await next.until('serving')
    const ended = await slept.ended
    assert.equal(ended.code, 1)
    assert.match(ended.err, /OWNER_FENCED: /)
    next.child.kill('SIGTERM')
    assert.equal((await next.ended).code, 0)
  })
})

test('a monitor reads health, metrics and status of a running owner', async () => {
  await inDirectory(async (directory) => {
    const owner = start(directory, STAY)
    await owner.until(/serving http:\S+/)
    const [, port] = /:(\d+)\n/.exec(owner.said()) ?? []
    const url = `http://127.0.0.1:${port}`
    assert.equal((await fetch(`${url}/livez`)).status, 200)
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
    assert.match(await (await fetch(`${url}/metrics`)).text(), /^process_cpu_seconds_total /m)
    const status = (await (await fetch(`${url}/status`)).json()) as { processId: number }
    assert.equal(status.processId, owner.child.pid)
    owner.child.kill('SIGTERM')
    await owner.ended
  })
})

test('listening where others can reach it needs a token', async () => {
  await inDirectory(async (directory) => {
    const ended = await millrace(directory, ['run', '--stay', '--http', '0.0.0.0:0'])
    assert.equal(ended.code, 1)
    assert.match(ended.err, /^HTTP_UNPROTECTED: /m)
  })
})

test('options that can not be are wrong usage', async () => {
  await inDirectory(async (directory) => {
    for (const args of [
      ['--until', 'later'],
      ['--log-level', 'loud'],
      ['--workers', '65'],
    ])
      assert.equal((await millrace(directory, ['run', ...args])).code, 2, args.join(' '))
  })
})
