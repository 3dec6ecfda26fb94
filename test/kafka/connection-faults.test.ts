/** What may happen to connections of a running pipeline that reads and writes exactly once: it waits, says so, and nothing is lost. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKafka } from '../../scripts/engines/kafka.ts'
import { fetchLibrdkafka } from './broker.ts'
import { feed, setting, written } from './crash-setting.ts'
import { killAll, launch } from './processes.ts'
import { brokerProxy, type Passing } from './proxy.ts'

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

after(killAll)

const whole: Passing = (near, bytes) => void near.write(bytes)

const FAULTS: Readonly<Record<string, Passing>> = {
  'closed from the other side only': (near) => void near.end(),
  'held open, and nothing comes': () => {},
  'that give one byte at a time, ever more slowly': (near, bytes) => {
    for (const [at, byte] of bytes.entries())
      setTimeout(() => near.destroyed || near.write(Buffer.of(byte)), at * 400).unref()
  },
  'cut in the middle of an answer': (near, bytes) => {
    near.write(bytes.subarray(0, bytes.length >> 1), () => near.destroy())
  },
}

for (const [name, fault] of Object.entries(FAULTS))
  test(`connections ${name}: the pipeline says so, waits and goes on`, {
    timeout: 120_000,
  }, async () => {
    const proxy = await brokerProxy(whole)
    const set = await setting('SELECT n FROM i', 'n BIGINT')
    const through = `'properties.bootstrap.servers' = '127.0.0.1:${proxy.port}', 'properties.request.timeout.ms' = '2000'`
    const sql = set.sql.replaceAll(/'properties.bootstrap.servers' = '[^']*'/g, through)
    const run = launch(set.directory, sql)
    try {
      await feed(set, 0, 500)
      await run.line(/"rows":500/)
      proxy.pass(fault)
      await feed(set, 500, 1000)
      await run.line(/"trouble":"|^restarting/)
      proxy.pass(whole)
      await feed(set, 1000, 1500)
      for (let waited = 0; waited < 200 && (await written(set)).length < 1500; waited++)
        await sleep(300)
      const found = (await written(set)).map(({ n }) => n!).sort((a, b) => a - b)
      const expected = Array.from({ length: 1500 }, (_, n) => n)
      assert.deepEqual(found, expected, run.lines.slice(-10).join('\n'))
    } finally {
      run.child.kill('SIGKILL')
      await run.ended
      proxy.close()
    }
  })
