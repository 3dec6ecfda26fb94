/** `millrace log create|configure|maintain`: what a topic keeps, and letting go of the rest. */
import type { Command } from 'commander'
import { maintainOnce } from '../../connectors/log/maintain.ts'
import {
  configureTopicFile,
  createTopicFile,
  type TopicDescription,
  type TopicSettings,
} from '../../log/topics.ts'
import { takeOwnership } from '../../ports/node/ownership.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { examples, type ProjectOptions, usageError, wholeNumber } from '../command.ts'
import type { Io } from '../io.ts'
import { dataDirectoryOf } from '../project.ts'
import { countOf } from '../render/quantity.ts'

interface TopicOptions extends ProjectOptions {
  readonly partitions?: number
  readonly set?: readonly string[]
  readonly json?: boolean
}

const PARTITIONS_MAX = 4096

/** `subcommand` makes one of `millrace log`. */
export function declareTopics(
  io: Io,
  subcommand: (name: string, summary: string) => Command,
): void {
  const create = setting(subcommand('create', 'make a topic'))
    .argument('<topic>', 'its name')
    .option('--partitions <count>', 'of the topic', wholeNumber(1, PARTITIONS_MAX), 1)
    .action((topic: string, options: TopicOptions) => createTopic(io, topic, options))
  examples(create, 'millrace log create orders --partitions 4 --set retention.ms=604800000')
  const configure = setting(subcommand('configure', 'change what a topic keeps'))
    .argument('<topic>', 'the topic')
    .action((topic: string, options: TopicOptions) => configureTopic(io, topic, options))
  examples(configure, 'millrace log configure orders --set retention.bytes=1073741824')
  const maintain = subcommand('maintain', 'apply retention and compaction now, as an owner does')
    .option('--json', 'what went, as one JSON object')
    .action((options: TopicOptions) => maintainLog(io, options))
  examples(maintain, 'millrace log maintain')
}

function setting(command: Command): Command {
  const gather = (text: string, before: readonly string[] = []): string[] => [...before, text]
  return command
    .option('--set <name=value>', "a setting by Kafka's name; may stand several times", gather)
    .option('--json', 'the topic as one JSON object')
}

function settingsIn({ set = [] }: TopicOptions): TopicSettings {
  return Object.fromEntries(
    set.map((text) => {
      const at = text.indexOf('=')
      if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
      throw usageError(`--set can't be '${text}'`, 'it is name=value: --set retention.ms=604800000')
    }),
  )
}

async function createTopic(io: Io, name: string, options: TopicOptions): Promise<void> {
  const [ports, directory] = [nodePorts(), await dataDirectoryOf(io, options)]
  const { partitions = 1 } = options
  tell(
    io,
    'made',
    await createTopicFile(ports, directory, name, partitions, settingsIn(options)),
    options,
  )
}

async function configureTopic(io: Io, name: string, options: TopicOptions): Promise<void> {
  const [ports, directory] = [nodePorts(), await dataDirectoryOf(io, options)]
  tell(
    io,
    'changed',
    await configureTopicFile(ports, directory, name, settingsIn(options)),
    options,
  )
}

function tell(io: Io, done: string, topic: TopicDescription, { json }: TopicOptions): void {
  const { name, partitions, config } = topic
  if (json) io.out(JSON.stringify({ topic: name, partitions, ...config }))
  else
    io.out(
      `${io.style.strong(name)} is ${done}: ${countOf(partitions, 'partition')}, keeps ${keptText(topic)}`,
    )
}

function keptText({ config }: TopicDescription): string {
  const { retentionMs, retentionBytes, cleanupPolicy } = config
  const limits = [
    ...(retentionMs < 0 ? [] : [`${retentionMs} ms`]),
    ...(retentionBytes < 0 ? [] : [`${retentionBytes} bytes a partition`]),
    ...(cleanupPolicy === 'compact' ? ['the last record of each key'] : []),
  ]
  return limits.length === 0 ? 'everything' : limits.join(', ')
}

async function maintainLog(io: Io, options: TopicOptions): Promise<void> {
  const [ports, directory] = [nodePorts(), await dataDirectoryOf(io, options)]
  const nowMs = ports.clock.nowMs()
  const ownership = await takeOwnership({
    directory,
    files: ports.files,
    random: ports.random,
    nowMs,
  })
  try {
    const done = await maintainOnce(ports, directory)
    if (options.json) io.out(JSON.stringify(done))
    else
      io.out(
        `${countOf(done.segmentsRemoved, 'segment')} and ${countOf(done.recordsRemoved, 'compacted record')} removed`,
      )
  } finally {
    await ownership.release()
  }
}
