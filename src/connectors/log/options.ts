/** The options of `log` and `upsert-log`, by the names that Flink's Kafka connector gives them. */
import type { Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { offsetForTime, type PartitionRange, partitionRange } from '../../log/lookup.ts'
import type { Ports } from '../../ports/ports.ts'
import type { ConnectorOption } from '../contract/connector.ts'
import {
  type ChosenFormat,
  type FormatRequest,
  formatOptions,
  openKeyFormat,
  openValueFormat,
} from '../formats.ts'
import { type KeyFields, keyFieldsOf } from '../records/key-fields.ts'

const TOPIC: ConnectorOption = {
  name: 'topic',
  kind: 'string',
  required: true,
  summary: 'The topic in the embedded log',
}

const BOUNDED: ConnectorOption = {
  name: 'scan.bounded.mode',
  kind: 'enum',
  values: ['unbounded', 'latest-offset'],
  required: false,
  fallback: 'unbounded',
  summary: "'latest-offset' ends the table where the topic ends when it is opened",
}

const PARTITIONS: ConnectorOption = {
  name: 'sink.partitions',
  kind: 'int',
  required: false,
  fallback: '1',
  summary: 'Partitions of the topic, when writing makes it',
}

export const LOG_OPTIONS: readonly ConnectorOption[] = [
  TOPIC,
  ...formatOptions('format', { fallback: 'json' }),
  {
    name: 'scan.startup.mode',
    kind: 'enum',
    values: ['earliest-offset', 'latest-offset', 'timestamp', 'specific-offsets'],
    required: false,
    fallback: 'earliest-offset',
    summary: 'Where to begin when there is no checkpoint to go on from',
  },
  {
    name: 'scan.startup.timestamp-millis',
    kind: 'int',
    required: false,
    summary: "With mode 'timestamp': ms since the epoch, compared with append times",
  },
  {
    name: 'scan.startup.specific-offsets',
    kind: 'string',
    required: false,
    summary: "With mode 'specific-offsets': 'partition:0,offset:42;partition:1,offset:300'",
  },
  BOUNDED,
  {
    name: 'key.fields',
    kind: 'string',
    required: false,
    summary:
      'Columns, separated by ;, that make the key of written records: a JSON object. Of changes the primary key, unless told',
  },
  PARTITIONS,
]

/** Those of `upsert-kafka` that a topic of the log has a use for. */
export const UPSERT_LOG_OPTIONS: readonly ConnectorOption[] = [
  TOPIC,
  ...formatOptions('key.format', { fallback: 'json' }),
  ...formatOptions('value.format', { fallback: 'json' }),
  {
    name: 'key.fields-prefix',
    kind: 'string',
    required: false,
    fallback: '',
    summary: "What the names of the key's columns begin with in the table, and not in the key",
  },
  {
    name: 'value.fields-include',
    kind: 'enum',
    values: ['ALL', 'EXCEPT_KEY'],
    required: false,
    fallback: 'ALL',
    summary: "Whether the key's columns are in the value too",
  },
  BOUNDED,
  PARTITIONS,
]

/** The format of a topic's values. @throws OPTION_INVALID */
export function valueFormat(request: FormatRequest): ChosenFormat {
  return openValueFormat(request, `${request.options.topic}-value`, 'json')
}

/** The format of an upsert topic's keys. @throws OPTION_INVALID */
export function keyFormat({ options, ...request }: FormatRequest): ChosenFormat {
  return openKeyFormat({ ...request, options: withKeyFormat(options) }, `${options.topic}-key`)!
}

interface KeyedTable {
  readonly table: string
  readonly options: Options
  readonly primaryKey?: readonly string[]
}

/** Of an upsert table the key is the primary key; else no column is in it. @throws LOG_OPTION_INVALID */
export function logKeyFields(
  { table, options, primaryKey = [] }: KeyedTable,
  isUpsert: boolean,
  declared: Schema,
): KeyFields {
  if (!isUpsert) return { names: [], prefix: '', isInValue: true }
  const invalid = (option: string, wanted: string): MillraceError =>
    new MillraceError('LOG_OPTION_INVALID', {
      message: `table ${table}: '${option}' can't be used as it is`,
      hint: wanted,
      facts: { table, option, value: options[option] },
    })
  if (primaryKey.length === 0)
    throw invalid('connector', 'upsert-log needs PRIMARY KEY (...) NOT ENFORCED')
  return keyFieldsOf({ options: withKeyFormat(options), invalid, primaryKey }, declared)
}

function withKeyFormat(options: Options): Options {
  return { 'key.format': 'json', ...options }
}

type Options = Readonly<Record<string, string>>

/** Where reading begins without a saved position. @throws LOG_OPTION_INVALID */
export function startOffset(
  ports: Ports,
  dataDirectory: string,
  table: string,
  options: Options,
  partition: number,
): number {
  const topic = options.topic!
  const range = partitionRange(ports, dataDirectory, topic, partition)
  switch (options['scan.startup.mode'] ?? 'earliest-offset') {
    case 'latest-offset':
      return range.endOffset
    case 'timestamp': {
      const name = 'scan.startup.timestamp-millis'
      const timestampMs = Number(options[name])
      if (!Number.isSafeInteger(timestampMs)) throw optionInvalid(table, name, options[name])
      return offsetForTime(ports, dataDirectory, topic, partition, timestampMs)
    }
    case 'specific-offsets':
      return specificOffset(table, options, partition, range)
    default:
      return range.startOffset
  }
}

function specificOffset(
  table: string,
  options: Options,
  partition: number,
  range: PartitionRange,
): number {
  const name = 'scan.startup.specific-offsets'
  const text = options[name] ?? ''
  let found: number | undefined
  for (const part of text.split(';')) {
    const match = /^\s*partition:(\d+),offset:(\d+)\s*$/.exec(part)
    if (match === null) throw optionInvalid(table, name, options[name])
    if (Number(match[1]) === partition) found = Number(match[2])
  }
  return found ?? range.startOffset
}

function optionInvalid(table: string, name: string, value: string | undefined): MillraceError {
  const option = LOG_OPTIONS.find((each) => each.name === name)
  return new MillraceError('LOG_OPTION_INVALID', {
    message: `table ${table}: '${name}' can't be ${value === undefined ? 'absent' : `'${value}'`}`,
    hint: option?.summary ?? '',
    facts: { table, option: name, value },
  })
}
