/** Where reading begins and ends: options looked up at the brokers, once, to numbers. */
import { MillraceError } from '../../errors.ts'
import { type Cluster, topicMetadata } from './cluster.ts'
import { CODE } from './failure.ts'
import { optionInvalid, type Properties } from './properties.ts'

type Options = Readonly<Record<string, string>>

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface OffsetsRequest {
  readonly cluster: Cluster
  readonly table: string
  readonly options: Options
  readonly properties: Properties
  readonly isReadCommitted: boolean
}

type LookUpRequest = Pick<OffsetsRequest, 'cluster' | 'table' | 'isReadCommitted'>

const EARLIEST = -2n
const LATEST = -1n

/** Where a partition begins without a saved position. @throws KAFKA_OPTION_INVALID, KAFKA_UNREACHABLE and what brokers deny */
export async function startOffset(request: OffsetsRequest, at: TopicPartition): Promise<number> {
  const { options, properties } = request
  const fallback = properties.get('group.id') === undefined ? 'earliest-offset' : 'group-offsets'
  const mode = options['scan.startup.mode'] ?? fallback
  return (await offsetOf(request, at, mode, 'scan.startup')) ?? lookUp(request, at, EARLIEST)
}

/** Where a partition ends, exclusive; undefined: it does not. */
export async function boundedOffset(
  request: OffsetsRequest,
  at: TopicPartition,
): Promise<number | undefined> {
  const mode = request.options['scan.bounded.mode'] ?? 'unbounded'
  if (mode === 'unbounded') return undefined
  return (await offsetOf(request, at, mode, 'scan.bounded')) ?? latestOffset(request, at)
}

export function earliestOffset(request: OffsetsRequest, at: TopicPartition): Promise<number> {
  return lookUp(request, at, EARLIEST)
}

/** The end of what may be read: with read_committed the last stable offset. */
export function latestOffset(request: LookUpRequest, at: TopicPartition): Promise<number> {
  return lookUp(request, at, LATEST)
}

async function offsetOf(
  request: OffsetsRequest,
  at: TopicPartition,
  mode: string,
  prefix: 'scan.startup' | 'scan.bounded',
): Promise<number | undefined> {
  const { options, table } = request
  switch (mode) {
    case 'earliest-offset':
      return lookUp(request, at, EARLIEST)
    case 'latest-offset':
      return latestOffset(request, at)
    case 'timestamp': {
      const name = `${prefix}.timestamp-millis`
      const text = options[name] ?? ''
      if (!/^\d+$/.test(text)) throw optionInvalid(table, name, 'ms since the epoch')
      const found = await lookUp(request, at, BigInt(text))
      return found < 0 ? latestOffset(request, at) : found
    }
    case 'specific-offsets':
      return specificOffset(request, at, `${prefix}.specific-offsets`)
    default:
      return groupOffset(request, at)
  }
}

function specificOffset(
  { options, table }: OffsetsRequest,
  { partition }: TopicPartition,
  name: string,
): number | undefined {
  let found: number | undefined
  for (const part of (options[name] ?? '').split(';')) {
    const match = /^\s*partition:(\d+),offset:(\d+)\s*$/.exec(part)
    if (match === null)
      throw optionInvalid(table, name, "'partition:0,offset:42;partition:1,offset:300'")
    if (Number(match[1]) === partition) found = Number(match[2])
  }
  return found
}

/** What the group has committed; where it has not, properties.auto.offset.reset says. */
async function groupOffset(
  request: OffsetsRequest,
  { topic, partition }: TopicPartition,
): Promise<number> {
  const { cluster, properties, table } = request
  const groupId = properties.get('group.id')
  if (groupId === undefined)
    throw optionInvalid(table, 'scan.startup.mode', "'group-offsets' needs properties.group.id")
  const what = `asking for the offsets of group ${groupId}`
  const committed = await cluster.patiently(30_000, async () => {
    const to = await cluster.coordinator('group', groupId)
    const asked = [
      { groupId, memberEpoch: -1, topics: [{ name: topic, partitionIndexes: [partition] }] },
    ]
    const { groups } = await cluster.ask(what, to, cluster.client.offsetFetchV8.api, asked, true)
    const code = groups[0]?.errorCode ?? CODE.none
    if (code !== CODE.none) throw cluster.failed(what, code)
    return Number(groups[0]?.topics[0]?.partitions[0]?.committedOffset ?? -1n)
  })
  if (committed >= 0) return committed
  const reset = properties.get('auto.offset.reset') ?? 'none'
  if (reset === 'earliest') return lookUp(request, { topic, partition }, EARLIEST)
  if (reset === 'latest') return latestOffset(request, { topic, partition })
  throw new MillraceError('KAFKA_OPTION_INVALID', {
    message: `table ${table}: group ${groupId} has committed no offset for ${topic}[${partition}]`,
    hint: "say where to begin: 'scan.startup.mode' = 'earliest-offset', or 'properties.auto.offset.reset' = 'earliest'",
    facts: { table, group: groupId, topic, partition },
  })
}

/** By time, or EARLIEST or LATEST; -1 if there is nothing so late. */
async function lookUp(
  { cluster, isReadCommitted, table }: LookUpRequest,
  { topic, partition }: TopicPartition,
  timestamp: bigint,
): Promise<number> {
  const what = `asking for offsets of ${topic}[${partition}]`
  return cluster.patiently(30_000, async () => {
    const found = await topicMetadata(cluster, topic)
    if (found === undefined) throw topicMissing(table, topic, cluster.servers)
    const leader = found.partitions.find((each) => each.partitionIndex === partition)?.leaderId
    const to = await cluster.connection('ask', leader ?? -1)
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }]
    const { api } = cluster.client.listOffsetsV7
    const isolation = isReadCommitted ? 1 : 0
    const answer = await cluster.ask(what, to, api, -1, isolation, [{ name: topic, partitions }])
    const answered = answer.topics[0]?.partitions[0]
    if (answered === undefined || answered.errorCode !== CODE.none)
      throw cluster.failed(what, answered?.errorCode ?? CODE.unknownTopic)
    return Number(answered.offset)
  })
}

export function topicMissing(table: string, topic: string, servers: string): MillraceError {
  return new MillraceError('KAFKA_TOPIC_MISSING', {
    message: `table ${table}: there is no topic ${topic} on ${servers}`,
    hint: `make it: kafka-topics --bootstrap-server ${servers} --create --topic ${topic}`,
    facts: { table, topic, servers },
  })
}
