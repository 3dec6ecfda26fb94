/**
 * Topics: a name, an id, a number of partitions and a configuration, in one small JSON file each.
 *
 *   <dataDirectory>/log/topics/<topic>.json     the topic exists when this file does
 *   <dataDirectory>/log/<topic>-<partition>/    its partitions, made when first written
 */
import { join } from 'node:path'
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import { COMPRESSIONS, type Compression } from './compression.ts'
import { createFile, ensureDirectory, readText, replaceFile } from './durable-files.ts'

export interface TopicDescription {
  readonly name: string
  /** A UUID: a topic that is deleted and made again is another one. */
  readonly id: string
  readonly partitions: number
  readonly config: TopicConfig
}

export interface TopicConfig {
  /** 'retention.ms', -1 = for ever (the default; Kafka's is 7 days). */
  readonly retentionMs: number
  /** 'retention.bytes' of a partition, -1 = no limit. */
  readonly retentionBytes: number
  /** 'segment.bytes'. */
  readonly segmentBytes: number
  /** 'segment.ms'. */
  readonly segmentMs: number
  /** 'cleanup.policy'. */
  readonly cleanupPolicy: 'delete' | 'compact'
  /** 'compression.type' of what is appended as records. */
  readonly compression: Compression
  /** 'message.timestamp.type'. LogAppendTime, the default, keeps the producer's time beside it. */
  readonly timestampType: 'LogAppendTime' | 'CreateTime'
  /** 'max.message.bytes' of a batch. */
  readonly messageBytesMax: number
  /** 'delete.retention.ms': how long compaction keeps tombstones. */
  readonly deleteRetentionMs: number
  /** 'event-id.window.records': among how many last records of a partition an event id is recognised again. */
  readonly eventIdWindowRecords: number
}

/** By Kafka's names; what is absent has its default. */
export type TopicSettings = Readonly<Record<string, string>>

export const TOPIC_DEFAULTS: TopicSettings = {
  'cleanup.policy': 'delete',
  'compression.type': 'none',
  'delete.retention.ms': '86400000',
  'event-id.window.records': '1000000',
  'max.message.bytes': String(16 << 20),
  'message.timestamp.type': 'LogAppendTime',
  'retention.bytes': '-1',
  'retention.ms': '-1',
  'segment.bytes': String(256 << 20),
  'segment.ms': '604800000',
}

/** Places in a segment are 31 bits wide in its index; a batch fits into linear memory beside others. */
const BYTES_MAX = 1 << 30
const PARTITIONS_MAX = 4096
const NAME = /^[a-zA-Z0-9._-]{1,249}$/

export function logDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'log')
}

export function partitionDirectory(
  dataDirectory: string,
  topic: string,
  partition: number,
): string {
  return join(logDirectory(dataDirectory), `${topic}-${partition}`)
}

/**
 * Makes the topic, durably.
 * @throws LOG_TOPIC_INVALID for a name, number or setting that can't be, LOG_TOPIC_EXISTS
 */
export async function createTopicFile(
  ports: Ports,
  dataDirectory: string,
  name: string,
  partitions: number,
  settings: TopicSettings,
): Promise<TopicDescription> {
  checkName(name)
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX)
    throw topicInvalid(name, 'partitions', partitions, `1 to ${PARTITIONS_MAX}`)
  const config = readConfig(name, settings)
  const id = uuid(ports)
  await ensureDirectory(ports, dataDirectory, topicsDirectory(dataDirectory))
  const text = topicText({ name, id, partitions, settings })
  if (!(await createFile(ports, topicPath(dataDirectory, name), text, 'log.topic')))
    throw new MillraceError('LOG_TOPIC_EXISTS', {
      message: `topic ${name} exists already`,
      hint: 'append to it, or choose another name',
      facts: { topic: name },
    })
  return { name, id, partitions, config }
}

/** What may be changed of a topic that is there; the rest is as records were written. */
const CHANGEABLE = ['delete.retention.ms', 'retention.bytes', 'retention.ms']

/**
 * Changes settings of a topic, durably; the owner's next maintenance goes by them. Any process may.
 * @throws LOG_TOPIC_MISSING, LOG_TOPIC_INVALID
 */
export async function configureTopicFile(
  ports: Ports,
  dataDirectory: string,
  name: string,
  changes: TopicSettings,
): Promise<TopicDescription> {
  const { id, partitions } = requireTopic(ports, dataDirectory, name)
  for (const setting of Object.keys(changes)) {
    if (CHANGEABLE.includes(setting)) continue
    throw new MillraceError('LOG_TOPIC_INVALID', {
      message: `topic ${name}: ${setting} can't be changed`,
      hint: `what can: ${CHANGEABLE.join(', ')}; all else is given when a topic is made`,
      facts: { topic: name, setting },
    })
  }
  const path = topicPath(dataDirectory, name)
  const settings = { ...parseTopic(readText(ports, path) ?? '', path).settings, ...changes }
  const config = readConfig(name, settings)
  await replaceFile(ports, path, topicText({ name, id, partitions, settings }), 'log.topic')
  return { name, id, partitions, config }
}

/** Undefined if there is no such topic. Needs no lock: any process may ask. */
export function describeTopic(
  ports: Ports,
  dataDirectory: string,
  name: string,
): TopicDescription | undefined {
  if (!NAME.test(name)) return undefined
  const path = topicPath(dataDirectory, name)
  const text = readText(ports, path)
  if (text === undefined) return undefined
  const stored = parseTopic(text, path)
  return { ...stored, config: readConfig(name, stored.settings) }
}

/** @throws LOG_TOPIC_MISSING */
export function requireTopic(ports: Ports, dataDirectory: string, name: string): TopicDescription {
  const topic = describeTopic(ports, dataDirectory, name)
  if (topic !== undefined) return topic
  const others = listTopics(ports, dataDirectory)
  throw new MillraceError('LOG_TOPIC_MISSING', {
    message: `there is no topic ${name} in ${logDirectory(dataDirectory)}`,
    hint:
      others.length === 0
        ? `create it: millrace produce ${name} --partitions 4`
        : `there are ${others.slice(0, 10).join(', ')}; \`millrace produce\` creates a topic`,
    facts: { topic: name },
  })
}

/** The names of all topics, sorted. */
export function listTopics(ports: Ports, dataDirectory: string): readonly string[] {
  const directory = topicsDirectory(dataDirectory)
  if (!ports.files.exists(directory)) return []
  return ports.files
    .list(directory)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
}

export function topicPath(dataDirectory: string, name: string): string {
  return join(topicsDirectory(dataDirectory), `${name}.json`)
}

function topicsDirectory(dataDirectory: string): string {
  return join(logDirectory(dataDirectory), 'topics')
}

interface StoredTopic {
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly settings: TopicSettings
}

function topicText(topic: StoredTopic): string {
  return `${JSON.stringify({ version: 1, ...topic }, undefined, 2)}\n`
}

function parseTopic(text: string, path: string): StoredTopic {
  try {
    const { name, id, partitions, settings } = JSON.parse(text) as StoredTopic
    if (typeof name === 'string' && Number.isInteger(partitions) && settings !== undefined)
      return { name, id, partitions, settings }
  } catch {
    // Not JSON: the same as JSON that is no topic.
  }
  throw new MillraceError('LOG_CORRUPT', {
    message: `${path} does not describe a topic`,
    hint: 'restore the file from a copy: the partitions beside it are untouched',
    facts: { path, byte: 0 },
  })
}

function readConfig(topic: string, settings: TopicSettings): TopicConfig {
  for (const name of Object.keys(settings))
    if (!Object.hasOwn(TOPIC_DEFAULTS, name))
      throw topicInvalid(topic, name, settings[name], Object.keys(TOPIC_DEFAULTS).join(', '))
  const text = (name: string) => settings[name] ?? TOPIC_DEFAULTS[name]!
  const integer = (name: string, least: number, most = Number.MAX_SAFE_INTEGER) => {
    const value = Number(text(name))
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw topicInvalid(topic, name, text(name), `a whole number from ${least} to ${most}`)
  }
  const choice = <Value extends string>(name: string, values: readonly Value[]): Value => {
    const value = values.find((each) => each === text(name))
    if (value !== undefined) return value
    throw topicInvalid(topic, name, text(name), values.join(', '))
  }
  return {
    retentionMs: integer('retention.ms', -1),
    retentionBytes: integer('retention.bytes', -1),
    segmentBytes: integer('segment.bytes', 1024, BYTES_MAX),
    segmentMs: integer('segment.ms', 1),
    cleanupPolicy: choice('cleanup.policy', ['delete', 'compact']),
    compression: choice('compression.type', WRITTEN_COMPRESSIONS),
    timestampType: choice('message.timestamp.type', ['LogAppendTime', 'CreateTime']),
    messageBytesMax: integer('max.message.bytes', 1024, BYTES_MAX),
    deleteRetentionMs: integer('delete.retention.ms', 0),
    eventIdWindowRecords: integer('event-id.window.records', 0),
  }
}

const WRITTEN_COMPRESSIONS = COMPRESSIONS.filter(
  (name): name is Compression => name !== 'snappy' && name !== 'lz4',
)

function checkName(name: string): void {
  if (NAME.test(name) && name !== '.' && name !== '..') return
  throw topicInvalid(name, 'name', name, '1 to 249 of a-z A-Z 0-9 . _ -')
}

function topicInvalid(
  topic: string,
  setting: string,
  value: string | number | undefined,
  allowed: string,
): MillraceError {
  return new MillraceError('LOG_TOPIC_INVALID', {
    message: `topic ${topic}: ${setting} can't be ${JSON.stringify(value)}`,
    hint: `allowed: ${allowed}`,
    facts: { topic, setting, value },
  })
}

function uuid(ports: Ports): string {
  const bytes = ports.random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
