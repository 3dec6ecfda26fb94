/** All brokers are killed, KILLS=5 times; the first time they are away for DOWN_MS, a minute. */
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  startBroker,
  startCluster,
  stopBroker,
  stopCluster,
} from '../../scripts/engines/kafka-cluster.ts'
import { fetchLibrdkafka } from './broker.ts'
import { checked, feed, flow } from './cluster-flow.ts'
import { killAll } from './processes.ts'

const DOWN_MS = Number(process.env.DOWN_MS ?? 60_000)
const KILLS = Number(process.env.KILLS ?? 5)
const REPORTED = /"trouble":".*(does not answer|ECONNREFUSED|not there|no leader)|^restarting/

before(async () => {
  fetchLibrdkafka()
  await startCluster()
})

after(async () => {
  killAll()
  await stopCluster()
})

test(`all brokers are killed ${KILLS} times: the pipeline waits, says so and goes on, nothing is lost, nothing twice`, {
  timeout: 1_200_000,
}, async () => {
  const through = await flow(1)
  await feed(through, 2)
  for (let kills = 0; kills < KILLS; kills++) {
    // While rows may be on their way.
    await feed(through, 2)
    const told = through.run.lines.length
    await Promise.all([stopBroker(1, 'SIGKILL'), stopBroker(2, 'SIGKILL')])
    await through.run.line(REPORTED, told)
    await sleep(kills === 0 ? DOWN_MS : 2000)
    await Promise.all([startBroker(1), startBroker(2)])
    await feed(through, 2)
  }
  await sleep(15_000)
  checked(through)
  through.run.child.kill('SIGKILL')
  await through.run.ended
})
