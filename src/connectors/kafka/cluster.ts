/**
 * One Kafka cluster as this process sees it: connections to its brokers, who leads what, and requests with their errors told as ours.
 *
 * The client package is imported here, when the first table is opened. Connections are kept a lane each: a fetch that waits for
 * records must hold up neither a produce request nor a question about offsets.
 */
import type {
  API,
  Broker,
  Connection,
  ConnectionOptions,
  ConnectionPool,
  metadataV12,
} from '@platformatic/kafka'
import { MillraceError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Ports } from '../../ports/ports.ts'
import { batchConnections } from './batch-connection.ts'
import type { KafkaClient } from './client.ts'
import { brokerError, CODE, clientError, isPassing } from './failure.ts'

export type Metadata = metadataV12.MetadataResponse
/** Of 'fetch' and 'produce', each has connections for record batches. */
export type Lane = 'ask' | 'fetch' | 'produce'

export interface ClusterOptions {
  readonly servers: string
  readonly clientId: string
  readonly connection: ConnectionOptions
  readonly ports: Ports
}

export interface Cluster {
  readonly client: KafkaClient
  readonly servers: string
  /** Of these topics, or of all. Partitions without a leader have leaderId -1. */
  metadata(topics: readonly string[] | undefined): Promise<Metadata>
  /** The newest version of a request that any broker was seen to know; 0 = none. */
  versionMax(apiKey: number): Promise<number>
  /** A broker by its id; undefined: whichever answers. */
  connection(lane: Lane, broker?: number): Promise<Connection>
  coordinator(kind: 'group' | 'transaction', key: string): Promise<Connection>
  /** The answer, even where parts of it are errors: whoever asks looks at their codes. @throws what keeps it from coming */
  ask<Arguments extends unknown[], Answer>(
    what: string,
    connection: Connection,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer>
  failed(what: string, code: number): MillraceError
  /** Tries again while what fails may pass, for so long, or until it is closed. @throws the last failure */
  patiently<Result>(timeoutMs: number, act: () => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

const RETRY_MS = 100
const RETRY_MS_MAX = 2000

/** Nothing is connected yet. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const client = await import('@platformatic/kafka')
  const { servers, clientId, connection: connecting, ports } = options
  const bootstrap = servers.split(',').map((each) => client.parseBroker(each.trim()))
  const pools = new Map<Lane, ConnectionPool>()
  const brokers = new Map<number, Broker>()
  const closing = new AbortController()
  let versions: ReadonlyMap<number, number> | undefined

  const poolOf = (lane: Lane): ConnectionPool => {
    let pool = pools.get(lane)
    if (pool === undefined) {
      pool = new client.ConnectionPool(clientId, connecting)
      pools.set(lane, pool)
    }
    return pool
  }

  const ofBatches = batchConnections(client, clientId, connecting)

  async function connection(lane: Lane, broker?: number): Promise<Connection> {
    // Who still tries would connect anew, and do what a later life must not find done.
    if (closing.signal.aborted) throw closedCluster(servers)
    const known = broker === undefined ? undefined : brokers.get(broker)
    try {
      if (lane !== 'ask' && known !== undefined) return await ofBatches.to(lane, known)
      // Those that were named may be gone while others of the cluster are there.
      if (broker === undefined)
        return await poolOf(lane).getFirstAvailable([...bootstrap, ...brokers.values()])
      if (known === undefined) throw unknownBroker(broker, servers)
      return await poolOf(lane).get(known)
    } catch (cause) {
      throw clientError('connecting', cause, known ? `${known.host}:${known.port}` : servers)
    }
  }

  const cluster: Cluster = {
    client,
    servers,
    connection,
    async metadata(topics) {
      const asked = topics === undefined ? null : [...topics]
      const from = await connection('ask')
      const answer = await cluster.ask('asking for metadata', from, client.metadataV12.api, asked)
      brokers.clear()
      for (const { nodeId, host, port } of answer.brokers) brokers.set(nodeId, { host, port })
      return answer
    },
    async versionMax(apiKey) {
      if (versions === undefined) {
        const from = await connection('ask')
        const { api } = client.apiVersionsV3
        const answer = await cluster.ask('asking for versions', from, api, 'millrace', '1')
        versions = new Map(answer.apiKeys.map((each) => [each.apiKey, each.maxVersion]))
      }
      return versions.get(apiKey) ?? 0
    },
    async coordinator(kind, key) {
      const from = await connection('ask')
      const { api } = client.findCoordinatorV4
      const what = `looking for the coordinator of ${key}`
      const answer = await cluster.ask(what, from, api, kind === 'group' ? 0 : 1, [key])
      const [found] = answer.coordinators
      if (found === undefined || found.errorCode !== CODE.none)
        throw cluster.failed(what, found?.errorCode ?? 15)
      brokers.set(found.nodeId, { host: found.host, port: found.port })
      return connection('ask', found.nodeId)
    },
    async ask(what, to, api, ...args) {
      try {
        return await api.async(to, ...args)
      } catch (cause) {
        const answer = answerOf<Awaited<ReturnType<typeof api.async>>>(client, cause)
        if (answer !== undefined) return answer
        throw clientError(what, cause, servers)
      }
    },
    failed: (what, code) => brokerError(what, code, client.protocolErrorsCodesById, servers),
    patiently: (timeoutMs, act) => patiently(ports.clock, closing.signal, timeoutMs, act),
    async close() {
      closing.abort()
      await ofBatches.close()
      for (const pool of pools.values()) await pool.close().catch(() => {})
      pools.clear()
    },
  }
  return cluster
}

async function patiently<Result>(
  clock: Clock,
  closing: AbortSignal,
  timeoutMs: number,
  act: () => Promise<Result>,
): Promise<Result> {
  const untilMs = clock.monotonicMs() + timeoutMs
  for (let waitMs = RETRY_MS; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
    try {
      return await act()
    } catch (error) {
      const mayPass = error instanceof MillraceError && error.retryable && !closing.aborted
      if (!mayPass || clock.monotonicMs() + waitMs > untilMs) throw error
    }
    await clock.sleep(waitMs, closing)
  }
}

/** Answers of which parts are errors come as an error that holds the answer. */
function answerOf<Answer>(client: KafkaClient, cause: unknown): Answer | undefined {
  if (!(cause instanceof client.ResponseError)) return undefined
  return cause.response as Answer | undefined
}

function closedCluster(servers: string): MillraceError {
  return new MillraceError('KAFKA_UNREACHABLE', {
    message: `${servers}: closed meanwhile`,
    hint: 'the pipeline goes on from its last checkpoint',
    facts: { servers },
  })
}

function unknownBroker(broker: number, servers: string): MillraceError {
  return new MillraceError('KAFKA_UNREACHABLE', {
    message:
      broker < 0
        ? `${servers}: there is no leader now`
        : `${servers}: broker ${broker} is not there`,
    hint: 'it passes when a leader is elected or the broker comes back',
    facts: { servers, broker },
  })
}

/** Of one topic; undefined if it does not exist. @throws KAFKA_DENIED */
export async function topicMetadata(
  cluster: Cluster,
  topic: string,
): Promise<Metadata['topics'][number] | undefined> {
  const { topics } = await cluster.metadata([topic])
  const [found] = topics
  if (found === undefined || found.errorCode === CODE.unknownTopic) return undefined
  if (found.errorCode !== CODE.none && !isPassing(found.errorCode))
    throw cluster.failed(`topic ${topic}`, found.errorCode)
  return found
}
