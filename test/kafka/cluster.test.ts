/** Two brokers: leaders move and partitions are added while a pipeline reads and writes exactly once. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaTool } from '../../scripts/engines/kafka.ts'
import {
  KAFKA_CLUSTER,
  startBroker,
  startCluster,
  stopBroker,
  stopCluster,
} from '../../scripts/engines/kafka-cluster.ts'
import { fetchLibrdkafka } from './broker.ts'
import { checked, feed, flow, leaders, until } from './cluster-flow.ts'
import { temporaryDirectory } from './pipelines.ts'
import { killAll } from './processes.ts'

before(async () => {
  fetchLibrdkafka()
  await startCluster()
})

after(async () => {
  killAll()
  await stopCluster()
})

/** Every partition to `order`, its first the leader. */
function reassign(topics: readonly string[], order: readonly number[]): void {
  const file = join(temporaryDirectory(), 'reassignment.json')
  const partitions = topics.flatMap((topic) =>
    [0, 1].map((partition) => ({ topic, partition, replicas: order })),
  )
  writeFileSync(file, JSON.stringify({ version: 1, partitions }))
  const servers = ['--bootstrap-server', KAFKA_CLUSTER]
  const reassigning = ['--execute', '--reassignment-json-file', file]
  const tools = 'org.apache.kafka.tools'
  kafkaTool(`${tools}.reassign.ReassignPartitionsCommand`, [...servers, ...reassigning])
  const electing = ['--election-type', 'preferred', '--path-to-json-file', file]
  kafkaTool(`${tools}.LeaderElectionCommand`, [...servers, ...electing])
}

for (const workers of [1, 2])
  test(`leaders move to the other broker, one is killed and comes back: nothing is lost, nothing twice, ${workers} workers`, {
    timeout: 400_000,
  }, async () => {
    const through = await flow(workers)
    await feed(through, 2)
    reassign([through.source, through.sink], [2, 1])
    await until('broker 2 leads', async () =>
      [...(await leaders(through.source)), ...(await leaders(through.sink))].every(
        (id) => id === 2,
      ),
    )
    await feed(through, 2)
    await through.run.line(new RegExp(`"rows":${through.fed}`))
    await stopBroker(2, 'SIGKILL')
    await until('broker 1 leads', async () =>
      (await leaders(through.source)).every((id) => id === 1),
    )
    await feed(through, 2)
    await through.run.line(new RegExp(`"rows":${through.fed}`))
    await startBroker(2)
    reassign([through.source, through.sink], [2, 1])
    await feed(through, 2)
    await through.run.line(new RegExp(`"rows":${through.fed}`))
    await sleep(2000)
    checked(through)
    through.run.child.kill('SIGKILL')
    await through.run.ended
  })

test('partitions that are added to the topics that are read and written, while they are: nothing is lost, nothing twice', {
  timeout: 200_000,
}, async () => {
  const through = await flow(2)
  await feed(through, 2)
  for (const topic of [through.sink, through.source])
    kafkaTool('org.apache.kafka.tools.TopicCommand', [
      ...['--bootstrap-server', KAFKA_CLUSTER, '--alter', '--topic', topic, '--partitions', '4'],
    ])
  await feed(through, 4)
  await through.run.line(/^restarting .* has 4 partitions/)
  await feed(through, 4)
  await sleep(6000)
  checked(through)
  through.run.child.kill('SIGKILL')
  await through.run.ended
})
