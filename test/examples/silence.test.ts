import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import test from 'node:test'
import { httpReceiver } from '../builders/http-receiver.ts'
import { inDirectory, millrace, start } from '../cli/process.ts'

test('examples/silence tells of each sensor that falls silent, once, while another goes on and when none does', async () => {
  const receiver = await httpReceiver()
  await inDirectory(async (directory) => {
    cpSync('examples/silence', directory, { recursive: true })
    assert.equal((await millrace(directory, ['log', 'create', 'beats'])).code, 0)
    const server = start(directory, ['run', '--http', '127.0.0.1:0'], { ALERT_URL: receiver.url })
    await server.until(/serving \S+/)
    const url = /serving (\S+)/.exec(server.said())![1]!
    const beat = async (sensor: string) => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ sensor })
      const { status } = await fetch(`${url}/topics/beats`, { method: 'POST', headers, body })
      assert.equal(status, 200)
    }
    await beat('boiler')
    await beat('pump')
    const pump = setInterval(() => void beat('pump').catch(() => {}), 500)
    await receiver.until(1)
    clearInterval(pump)
    await receiver.until(2)
    server.child.kill('SIGTERM')
    assert.equal((await server.ended).code, 0)
    const [boiler, silentPump, ...more] = receiver.received.map(({ body }) => JSON.parse(body).text)
    assert.match(boiler, /^sensor boiler has been silent since .*, after 1 beats$/)
    assert.match(silentPump, /^sensor pump has been silent since .*, after \d+ beats$/)
    assert.deepEqual(more, [])
  })
  await receiver.close()
})
