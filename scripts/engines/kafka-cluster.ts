/**
 * A Kafka cluster of two brokers on loopback, for what one can't show: leaders that move, and a broker that is away while the other goes on.
 *
 *   broker 1   19192, and the controller
 *   broker 2   19292: this one may be killed
 *
 * Topics have two replicas; one in sync is enough to write. It begins empty with each start.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { kafkaClassPath, kafkaTool, startNode, stopNode } from './kafka.ts'
import { isListening } from './process.ts'

const HOME = resolve('.cache/engines/kafka-cluster')
const PORTS = { 1: 19192, 2: 19292 } as const
const CONTROLLER_PORT = 19193
export const KAFKA_CLUSTER: string = Object.values(PORTS)
  .map((port) => `127.0.0.1:${port}`)
  .join(',')

export type BrokerId = keyof typeof PORTS

/** Starts both, empty. @throws if one runs already: it may be another's */
export async function startCluster(): Promise<void> {
  for (const port of Object.values(PORTS))
    if (await isListening(port)) throw new Error(`something listens on port ${port} already`)
  // Fetches Kafka if it is not there.
  kafkaClassPath()
  rmSync(HOME, { recursive: true, force: true })
  const id = kafkaTool('kafka.tools.StorageTool', ['random-uuid']).trim()
  for (const broker of [1, 2] as const) {
    mkdirSync(directoryOf(broker), { recursive: true })
    const config = join(directoryOf(broker), 'server.properties')
    writeFileSync(config, settings(broker))
    kafkaTool('kafka.tools.StorageTool', ['format', '-t', id, '-c', config])
  }
  await Promise.all([startBroker(1), startBroker(2)])
}

export async function stopCluster(): Promise<void> {
  await stopBroker(2, 'SIGKILL')
  await stopBroker(1, 'SIGKILL')
}

export function startBroker(broker: BrokerId): Promise<void> {
  return startNode(directoryOf(broker), PORTS[broker])
}

export function stopBroker(broker: BrokerId, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  return stopNode(directoryOf(broker), signal)
}

function directoryOf(broker: BrokerId): string {
  return join(HOME, `${broker}`)
}

function settings(broker: BrokerId): string {
  const address = `PLAINTEXT://127.0.0.1:${PORTS[broker]}`
  const controller = `CONTROLLER://127.0.0.1:${CONTROLLER_PORT}`
  const all: Record<string, string | number> = {
    'process.roles': broker === 1 ? 'broker,controller' : 'broker',
    'node.id': broker,
    'controller.quorum.voters': `1@127.0.0.1:${CONTROLLER_PORT}`,
    listeners: broker === 1 ? `${address},${controller}` : address,
    'advertised.listeners': address,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(directoryOf(broker), 'data'),
    'auto.create.topics.enable': 'false',
    'default.replication.factor': 2,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 2,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 2,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that is killed is missed after this.
    'broker.session.timeout.ms': 6000,
    'broker.heartbeat.interval.ms': 500,
    'leader.imbalance.check.interval.seconds': 3600,
  }
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
