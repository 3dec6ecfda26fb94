/** SIGKILL at every step between a row and its request: a receiver that takes each id once has each row once, and none is missing. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { httpReceiver } from '../builders/http-receiver.ts'
import { inDirectory } from '../cli/process.ts'

const PROGRAM = fileURLToPath(new URL('./alerting.ts', import.meta.url))
const ROWS = 200
/** Before the manifest, between it and the commit, while it is sending, after it. */
const POINTS = [
  'http.sink.prepared:2',
  'checkpoint-durable:2',
  'http.sink.sent:5',
  'checkpoint-committed',
]

async function alerting(
  directory: string,
  url: string,
  killAt?: string,
): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [PROGRAM, directory, url, String(ROWS)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...(killAt === undefined ? {} : { MILLRACE_KILL_AT: killAt }) },
  })
  const [code, signal] = await once(child, 'close')
  assert.ok(code === 0 || signal === 'SIGKILL', `it ended with ${code}`)
  return signal
}

test('by its ids the receiver has each row once, wherever the process is killed', async () => {
  await inDirectory(async (directory) => {
    const receiver = await httpReceiver()
    try {
      let killed = 0
      for (const point of POINTS)
        if ((await alerting(directory, receiver.url, point)) === 'SIGKILL') killed++
      await alerting(directory, receiver.url)
      assert.ok(killed >= POINTS.length - 1, `${killed} were killed`)
      const byId = new Map(
        receiver.received.map(({ headers, body }) => [headers['idempotency-key'], body]),
      )
      assert.deepEqual(
        [...byId.values()].map((body) => JSON.parse(body).n).sort((left, right) => left - right),
        Array.from({ length: ROWS }, (_, n) => n),
      )
      // What was sent again was under way when the process was killed: one message at most, each time.
      assert.ok(receiver.received.length - ROWS <= killed)
    } finally {
      await receiver.close()
    }
  })
})
