/** A running Kafka as an audit sees it: what the brokers say, what the registry has, and a sample of each topic's newest records. */
import type { ClusterFacts, TopicFacts, TopicLateness } from '../advise/audit/cluster-facts.ts'
import { judge } from '../advise/watermark/judge.ts'
import { type SurveyedTopic, surveyTopics } from '../connectors/kafka/survey.ts'
import type { Ports } from '../ports/ports.ts'
import { subjectNames } from '../registry/confluent-source.ts'
import { openedOptions } from '../run/options.ts'
import { measureTable } from './watermark-measure.ts'

export interface KafkaSurvey {
  readonly ports: Ports
  readonly servers: string
  /** 'properties.*' of tables: how to authenticate. */
  readonly properties: Readonly<Record<string, string>>
  readonly registry?: string
  /** Undefined: all but the brokers' own. */
  readonly topics?: readonly string[]
  /** Of the newest records of each topic so many are read; 0: none. */
  readonly sampleRecords: number
  /** Of the project: where relative paths of certificates begin. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

const COMPLETE = 0.999
/** Windows of no length: a record is late if the watermark has passed it. */
const WINDOW_US = 0
const FUTURE_BOUND_US = 3_600_000_000
/** Partitions are read in turn by pieces that are small against the sample: of what one brings at once the others hold all. */
const ROWS_MAX = 64

/** @throws KAFKA_UNREACHABLE, KAFKA_DENIED, KAFKA_TOPIC_MISSING, REGISTRY_UNREACHABLE, REGISTRY_DENIED */
export async function surveyKafka(survey: KafkaSurvey): Promise<ClusterFacts> {
  const { ports, servers, properties, registry, topics: named } = survey
  const secrets = { environment: survey.environment, files: ports.files }
  const options = openedOptions(
    'audit',
    { ...properties, 'properties.bootstrap.servers': servers },
    [],
    secrets,
  )
  const subjects = registry === undefined ? undefined : await subjectNames(ports, { url: registry })
  const surveyed = await surveyTopics({ options, ports, ...(named && { topics: named }) })
  const topics: TopicFacts[] = []
  for (const topic of surveyed) {
    const lateness = await latenessOf(topic, survey)
    topics.push({ ...factsOf(topic), ...(subjects && subjectsOf(topic, subjects)), ...lateness })
  }
  return { servers, nowMs: Math.floor(ports.clock.nowMs()), topics }
}

function factsOf({ partitions, ...topic }: SurveyedTopic): TopicFacts {
  return {
    ...topic,
    partitions: partitions.map(({ partition, hasLeader, first, end, newestMs, ...ago }) => ({
      partition,
      hasLeader,
      records: end - first,
      recordsOfHour: Math.max(0, end - ago.hourAgo),
      recordsOfDay: Math.max(0, end - ago.dayAgo),
      ...(newestMs !== undefined && { newestMs }),
    })),
  }
}

/** By Confluent's ways of naming them: the topic's, or the topic's and the record's. */
function subjectsOf({ name }: SurveyedTopic, subjects: readonly string[]) {
  return { subjects: subjects.filter((each) => each === name || each.startsWith(`${name}-`)) }
}

/** Of the records' timestamps, where producers set them and there are some. */
async function latenessOf(
  { name, partitions, stampsOnAppend }: SurveyedTopic,
  { ports, servers, properties, sampleRecords, directory, environment }: KafkaSurvey,
): Promise<{ readonly lateness?: TopicLateness }> {
  const share = Math.floor(sampleRecords / partitions.length)
  const isReadable = partitions.every(({ hasLeader }) => hasLeader)
  const isEmpty = partitions.every(({ first, end }) => first >= end)
  if (share === 0 || stampsOnAppend === true || !isReadable || isEmpty) return {}
  const starts = partitions.map(
    ({ partition, first, end }) => `partition:${partition},offset:${Math.max(first, end - share)}`,
  )
  const options = {
    ...properties,
    connector: 'kafka',
    topic: name,
    'properties.bootstrap.servers': servers,
    format: 'raw',
    'scan.startup.mode': 'specific-offsets',
    'scan.startup.specific-offsets': starts.join(';'),
  }
  const listed = Object.entries(options).map(
    ([option, value]) => `'${option}' = '${value.replaceAll("'", "''")}'`,
  )
  const text = `CREATE TABLE sampled (record BYTES, \`timestamp\` TIMESTAMP_LTZ(3) METADATA) WITH (${listed.join(', ')});`
  const project = {
    directory,
    dataDirectory: directory,
    config: { data: directory, workers: 1, http: {}, log: { level: 'silent' as const } },
    tables: [{ name: 'sampled.sql', text }],
    pipelines: [],
  }
  const measured = await measureTable(
    { project, table: 'sampled', column: 'timestamp' },
    { ports, environment, windowUs: WINDOW_US, futureBoundUs: FUTURE_BOUND_US, rowsMax: ROWS_MAX },
  )
  const advice = judge(measured, { of: name, column: 'timestamp', completeness: COMPLETE })
  if (advice.events === 0) return {}
  const unfounded = advice.isFounded ? undefined : advice.guards[0]?.says
  return {
    lateness: {
      records: advice.events,
      outOfOrder: advice.outOfOrder,
      asked: COMPLETE,
      delayMs: advice.chosen.delayUs / 1000,
      line: advice.line,
      ...(unfounded !== undefined && { unfounded }),
    },
  }
}
