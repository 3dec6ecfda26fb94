/** What a cluster says of its topics, for who has never seen it: sizes, rates, how long events stay. Nothing is written, no group is joined. */
import type { Ports } from '../../ports/ports.ts'
import { type Cluster, type Metadata, topicMetadata } from './cluster.ts'
import { CODE } from './failure.ts'
import { topicMissing } from './offsets.ts'
import { clusterOf } from './open-cluster.ts'
import { propertiesOf } from './properties.ts'

export interface SurveyRequest {
  /** Options of a table: 'properties.bootstrap.servers' and how to authenticate. */
  readonly options: Readonly<Record<string, string>>
  readonly ports: Ports
  /** By name; undefined: all that are not the brokers' own. */
  readonly topics?: readonly string[]
}

export interface SurveyedTopic {
  readonly name: string
  readonly partitions: readonly SurveyedPartition[]
  /** The least of its partitions. */
  readonly replicas: number
  /** Absent where the settings may not be read, as all below. */
  readonly minInSync?: number
  /** ms; -1: not removed by age. */
  readonly retentionMs?: number
  readonly isCompacted?: boolean
  /** Timestamps are the brokers', of when they took records in. */
  readonly stampsOnAppend?: boolean
}

export interface SurveyedPartition {
  readonly partition: number
  readonly hasLeader: boolean
  /** Offsets: the first there is, the end, and the first of a timestamp of an hour and of a day ago. */
  readonly first: number
  readonly end: number
  readonly hourAgo: number
  readonly dayAgo: number
  /** The greatest timestamp: ms since the epoch; absent: no record. */
  readonly newestMs?: number
}

const HOUR_MS = 3_600_000
const EARLIEST = -2n
const LATEST = -1n
const GREATEST_TIME = -3n
const TOPIC = 2 as const

interface Topic {
  readonly name: string
  readonly partitions: Metadata['topics'][number]['partitions']
}

/** @throws KAFKA_UNREACHABLE, KAFKA_DENIED, KAFKA_TOPIC_MISSING, KAFKA_OPTION_INVALID */
export async function surveyTopics(request: SurveyRequest): Promise<SurveyedTopic[]> {
  const { options, ports, topics: named } = request
  const cluster = await clusterOf(request, propertiesOf('audit', options))
  try {
    for (const topic of named ?? [])
      if ((await topicMetadata(cluster, topic)) === undefined)
        throw topicMissing('audit', topic, cluster.servers)
    const { topics } = await cluster.metadata(named)
    const own = topics.flatMap(({ name, isInternal, partitions }) =>
      name == null || isInternal ? [] : [{ name, partitions }],
    )
    const nowMs = Math.floor(ports.clock.nowMs())
    const looked = async (timestamp: bigint) => lookedUp(cluster, own, timestamp)
    const offsets: Offsets = {
      first: await looked(EARLIEST),
      end: await looked(LATEST),
      hourAgo: await looked(BigInt(nowMs - HOUR_MS)),
      dayAgo: await looked(BigInt(nowMs - 24 * HOUR_MS)),
      newest: await looked(GREATEST_TIME),
    }
    const settings = await settingsOf(cluster, own)
    return own
      .map((topic) => surveyed(topic, offsets, settings.get(topic.name)))
      .sort((left, right) => left.name.localeCompare(right.name))
  } finally {
    await cluster.close()
  }
}

interface Found {
  readonly offset: number
  readonly timestampMs: number
}

type Offsets = Readonly<
  Record<'first' | 'end' | 'hourAgo' | 'dayAgo' | 'newest', ReadonlyMap<string, Found>>
>

/** One request to each leader. Partitions whose answer is an error are left out. */
async function lookedUp(
  cluster: Cluster,
  topics: readonly Topic[],
  timestamp: bigint,
): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>()
  const leaders = new Set(
    topics.flatMap(({ partitions }) => partitions.map(({ leaderId }) => leaderId)),
  )
  for (const leader of leaders) {
    if (leader < 0) continue
    const asked = topics.flatMap(({ name, partitions }) => {
      const led = partitions
        .filter(({ leaderId }) => leaderId === leader)
        .map(({ partitionIndex }) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }))
      return led.length === 0 ? [] : [{ name, partitions: led }]
    })
    const to = await cluster.connection('ask', leader)
    const { api } = cluster.client.listOffsetsV7
    const answer = await cluster.ask('asking for offsets', to, api, -1, 0, asked)
    for (const { name, partitions } of answer.topics)
      for (const { partitionIndex, errorCode, offset, timestamp: ms } of partitions)
        if (errorCode === CODE.none)
          found.set(placeOf(name, partitionIndex), {
            offset: Number(offset),
            timestampMs: Number(ms),
          })
  }
  return found
}

function placeOf(topic: string, partition: number): string {
  return `${topic}[${partition}]`
}

/** By topic; without those that may not be read. */
async function settingsOf(
  cluster: Cluster,
  topics: readonly Topic[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  if (topics.length === 0) return new Map()
  const asked = topics.map(({ name }) => ({
    resourceType: TOPIC,
    resourceName: name,
    configurationKeys: null,
  }))
  const { api } = cluster.client.describeConfigsV4
  const to = await cluster.connection('ask')
  const answer = await cluster.ask('reading the settings of topics', to, api, asked, false, false)
  return new Map(
    answer.results
      .filter(({ errorCode }) => errorCode === CODE.none)
      .map(({ resourceName, configs }) => [
        resourceName,
        new Map(configs.flatMap(({ name, value }) => (value == null ? [] : [[name, value]]))),
      ]),
  )
}

function surveyed(
  { name, partitions }: Topic,
  offsets: Offsets,
  settings: ReadonlyMap<string, string> | undefined,
): SurveyedTopic {
  return {
    name,
    partitions: partitions
      .map(({ partitionIndex, leaderId }) => partitionOf(name, partitionIndex, leaderId, offsets))
      .sort((left, right) => left.partition - right.partition),
    replicas: Math.min(...partitions.map(({ replicaNodes }) => replicaNodes.length)),
    ...(settings && factsOf(settings)),
  }
}

function partitionOf(
  topic: string,
  partition: number,
  leaderId: number,
  offsets: Offsets,
): SurveyedPartition {
  const at = placeOf(topic, partition)
  const end = offsets.end.get(at)?.offset ?? 0
  // Nothing is that new: what was there ends before.
  const since = (found: Found | undefined) =>
    found === undefined || found.offset < 0 ? end : found.offset
  const newestMs = offsets.newest.get(at)?.timestampMs ?? -1
  return {
    partition,
    hasLeader: leaderId >= 0,
    first: offsets.first.get(at)?.offset ?? end,
    end,
    hourAgo: since(offsets.hourAgo.get(at)),
    dayAgo: since(offsets.dayAgo.get(at)),
    ...(newestMs >= 0 && { newestMs }),
  }
}

function factsOf(settings: ReadonlyMap<string, string>) {
  const policy = settings.get('cleanup.policy') ?? 'delete'
  const retentionMs = Number(settings.get('retention.ms') ?? -1)
  return {
    minInSync: Number(settings.get('min.insync.replicas') ?? 1),
    retentionMs: policy.includes('delete') && retentionMs >= 0 ? retentionMs : -1,
    isCompacted: policy.includes('compact'),
    stampsOnAppend: settings.get('message.timestamp.type') === 'LogAppendTime',
  }
}
