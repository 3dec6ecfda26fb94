/**
 * Topics of a Kafka cluster as a source: one split a partition, positions are offsets, reading again is exact.
 *
 * A split is `topic:partition`. Partitions are dealt out by us, positions are in our checkpoints; group offsets are committed for
 * outside tools only, and never read but with 'scan.startup.mode' = 'group-offsets'.
 */
import type { LinearMemory } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import type { Source, SourceReader, SourceRequest } from '../contract/source.ts'
import { openKeyFormat, openValueFormat } from '../formats.ts'
import { columnPlaces, keySchemaOf, valueSchemaOf } from '../records/key-fields.ts'
import type { Cluster } from './cluster.ts'
import { CODE } from './failure.ts'
import { Fetcher, type KnownTopic } from './fetcher.ts'
import { groupCommits } from './group-commits.ts'
import { intervalMs } from './interval.ts'
import { kafkaKeyFields } from './key-fields.ts'
import {
  boundedOffset,
  earliestOffset,
  latestOffset,
  type OffsetsRequest,
  startOffset,
  type TopicPartition,
  topicMissing,
} from './offsets.ts'
import { clusterOf } from './open-cluster.ts'
import { optionInvalid, type Properties, propertiesOf } from './properties.ts'
import { splitReader } from './split-reader.ts'

/** Metadata is asked for so long before an unreachable cluster is an error. */
const OPEN_PATIENCE_MS = 5000

/** @throws KAFKA_UNREACHABLE, KAFKA_TOPIC_MISSING, KAFKA_AUTHENTICATION_FAILED, KAFKA_DENIED, KAFKA_OPTION_INVALID */
export async function openKafkaSource(request: SourceRequest, isUpsert: boolean): Promise<Source> {
  const { table, options } = request
  const properties = propertiesOf(table, options)
  const cluster = await clusterOf(request, properties)
  try {
    return await sourceOf(request, properties, cluster, isUpsert)
  } catch (error) {
    await cluster.close()
    throw error
  }
}

async function sourceOf(
  request: SourceRequest,
  properties: Properties,
  cluster: Cluster,
  isUpsert: boolean,
): Promise<Source> {
  const { table, options, ports } = request
  const isReadCommitted = isolationOf(properties)
  const topics = await cluster.patiently(OPEN_PATIENCE_MS, () => topicsOf(request, cluster))
  const offsets: OffsetsRequest = { cluster, table, options, properties, isReadCommitted }
  const fetcher = new Fetcher({
    cluster,
    ports,
    table,
    isReadCommitted,
    checksums: properties.get('check.crcs') !== 'false',
    maxWaitMs: properties.number('fetch.max.wait.ms', 500),
    minBytes: properties.number('fetch.min.bytes', 1),
    partitionBytesMax:
      properties.get('max.partition.fetch.bytes') === undefined
        ? undefined
        : properties.number('max.partition.fetch.bytes', 0),
    outOfRange: outOfRangeOf(options),
    discoveryMs: intervalMs(
      table,
      'scan.topic-partition-discovery.interval',
      options['scan.topic-partition-discovery.interval'] ?? '5 min',
    ),
    topics,
  })
  const commits = groupCommits(cluster, properties)
  const bounded = (options['scan.bounded.mode'] ?? 'unbounded') !== 'unbounded'
  const ends = new Map<string, number | undefined>()
  if (bounded)
    for (const split of splitsOf(topics))
      ends.set(split, await boundedOffset(offsets, partitionOf(split)))
  return {
    replay: 'exact',
    bounded,
    // Of several topics one may come or go without making the others strangers.
    ...(topics.size === 1 && options.topic !== undefined
      ? { identity: [...topics.values()][0]!.id }
      : {}),
    splits: async () => splitsOf(topics),
    endPosition: async (split) =>
      `${ends.get(split) ?? (await latestOffset(offsets, partitionOf(split)))}`,
    startOfNew: async (split) => `${await earliestOffset(offsets, partitionOf(split))}`,
    async open(split, start, memory) {
      const at = partitionOf(split)
      const from = start === undefined ? await startOffset(offsets, at) : Number(start)
      const place = { at, from, end: ends.get(split), isFound: start === undefined }
      return openSplit(request, isUpsert, fetcher, place, memory, (offset) =>
        commits.commit(at, offset),
      )
    },
    async close() {
      fetcher.close()
      await commits.settled()
      await cluster.close()
    },
  }
}

interface SplitPlace {
  readonly at: TopicPartition
  readonly from: number
  readonly end: number | undefined
  readonly isFound: boolean
}

async function openSplit(
  request: SourceRequest,
  isUpsert: boolean,
  fetcher: Fetcher,
  { at, from, end, isFound }: SplitPlace,
  memory: LinearMemory,
  committed: (offset: number) => void,
): Promise<SourceReader> {
  const { schema, physical, metadataKeys } = request
  const fields = kafkaKeyFields(request, isUpsert, physical)
  const columns = columnPlaces(fields, schema, metadataKeys, isUpsert)
  const value = openValueFormat(request, `${at.topic}-value`)
  const values = await value.openDecoder(
    memory,
    columns.valueSchema,
    valueSchemaOf(fields, physical),
    columns.valueMetadata,
  )
  const isKeyed = columns.keySchema.length > 0
  const key = isKeyed ? openKeyFormat(request, `${at.topic}-key`) : undefined
  const keys = await key?.openDecoder(memory, columns.keySchema, keySchemaOf(fields, physical))
  const feed = fetcher.open(at, from, memory, {
    keys: metadataKeys.includes('key') || keys !== undefined,
    headers: metadataKeys.includes('headers'),
    times: metadataKeys.includes('timestamp'),
  })
  return splitReader({
    isUpsert,
    request,
    feed,
    memory,
    columns,
    values,
    keys,
    end,
    from,
    isFound,
    committed,
  })
}

/** By name, in order, so that splits are dealt out the same way each time. */
async function topicsOf(
  { table, options }: SourceRequest,
  cluster: Cluster,
): Promise<ReadonlyMap<string, KnownTopic>> {
  const { topic, 'topic-pattern': pattern } = options
  if ((topic === undefined) === (pattern === undefined))
    throw optionInvalid(table, 'topic', "either 'topic' or 'topic-pattern'")
  const names = topic?.split(';').map((name) => name.trim())
  const matches = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`)
  const answer = await cluster.metadata(names)
  const found = answer.topics
    .filter(
      ({ name, isInternal }) => matches === undefined || (!isInternal && matches.test(name ?? '')),
    )
    .sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
  if (found.length === 0) throw topicMissing(table, pattern ?? '', cluster.servers)
  for (const { name, errorCode } of found) {
    if (errorCode === CODE.unknownTopic) throw topicMissing(table, name ?? '', cluster.servers)
    if (errorCode !== CODE.none) throw cluster.failed(`topic ${name}`, errorCode)
  }
  return new Map(
    found.map(({ name, topicId, partitions }) => [
      name!,
      { id: topicId, partitions: partitions.length },
    ]),
  )
}

function splitsOf(topics: ReadonlyMap<string, KnownTopic>): string[] {
  return [...topics].flatMap(([name, { partitions }]) =>
    Array.from({ length: partitions }, (_, partition) => `${name}:${partition}`),
  )
}

/** Names of topics have no colon. */
function partitionOf(split: string): TopicPartition {
  const colon = split.lastIndexOf(':')
  return { topic: split.slice(0, colon), partition: Number(split.slice(colon + 1)) }
}

function isolationOf(properties: Properties): boolean {
  const level = properties.get('isolation.level') ?? 'read_committed'
  if (level === 'read_committed' || level === 'read_uncommitted') return level === 'read_committed'
  throw new MillraceError('KAFKA_OPTION_INVALID', {
    message: `table ${properties.table}: 'properties.isolation.level' can't be '${level}'`,
    hint: 'read_committed or read_uncommitted',
    facts: { table: properties.table, value: level },
  })
}

function outOfRangeOf(options: SourceRequest['options']): 'fail' | 'earliest' | 'latest' {
  const policy = options['scan.offset-out-of-range']
  return policy === 'earliest' || policy === 'latest' ? policy : 'fail'
}
