/** SIGKILL while rows wait for a service that is slow and fails now and then: each row has met its own once, and none is missing. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { open } from '../../src/index.ts'
import { answerStatus, httpReceiver, type Respond } from '../builders/http-receiver.ts'
import { inDirectory } from '../cli/process.ts'

const PROGRAM = fileURLToPath(new URL('./enriching.ts', import.meta.url))
const ROWS = 200
/** With rows that wait in the checkpoint before, and again; then with another number of workers. */
const LIVES: readonly (readonly [workers: number, killAt?: string])[] = [
  [1, 'checkpoint-durable:3'],
  [2, 'checkpoint-committed:2'],
  [1, 'checkpoint-durable:2'],
  [2],
]

async function live(
  directory: string,
  url: string,
  workers: number,
  killAt?: string,
): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [PROGRAM, directory, url, String(ROWS), String(workers)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...(killAt === undefined ? {} : { MILLRACE_KILL_AT: killAt }) },
  })
  const [code, signal] = await once(child, 'close')
  assert.ok(code === 0 || signal === 'SIGKILL', `it ended with ${code}`)
  return signal
}

const respond: Respond = (received, response, count) => {
  if (count % 9 === 0) return answerStatus(503)(received, response, count)
  if (count % 31 === 0) return response.destroy()
  const n = Number(received.path.slice(1))
  return setTimeout(() => response.end(`{"name":"name ${n}"}`), 5 + ((count * 13) % 40))
}

test('each row meets its own once, wherever the process is killed, and with another number of workers', async () => {
  await inDirectory(async (directory) => {
    const service = await httpReceiver(respond)
    try {
      let killed = 0
      for (const [workers, killAt] of LIVES)
        if ((await live(directory, service.url, workers, killAt)) === 'SIGKILL') killed++
      assert.equal(killed, LIVES.length - 1)
    } finally {
      await service.close()
    }
    const db = await open({
      data: join(directory, 'data'),
      directory,
      tables: `CREATE TABLE named (n BIGINT, name STRING) WITH ('connector' = 'log', 'topic' = 'named', 'format' = 'json')`,
    })
    const names: string[] = []
    for await (const { n, name } of db.query('SELECT * FROM named')) names.push(`${n} ${name}`)
    await db.close()
    assert.deepEqual(names.sort(), Array.from({ length: ROWS }, (_, n) => `${n} name ${n}`).sort())
  })
})
