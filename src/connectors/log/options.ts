/** The options of the `log` connector, by the names that Flink's Kafka connector gives them. */
import { MillraceError } from '../../errors.ts'
import { offsetForTime, type PartitionRange, partitionRange } from '../../log/lookup.ts'
import type { Ports } from '../../ports/ports.ts'
import type { ConnectorOption } from '../contract/connector.ts'
import {
  type ChosenFormat,
  type FormatRequest,
  formatOptions,
  openValueFormat,
} from '../formats.ts'

export const LOG_OPTIONS: readonly ConnectorOption[] = [
  { name: 'topic', kind: 'string', required: true, summary: 'The topic in the embedded log' },
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
  {
    name: 'scan.bounded.mode',
    kind: 'enum',
    values: ['unbounded', 'latest-offset'],
    required: false,
    fallback: 'unbounded',
    summary: "'latest-offset' ends the table where the topic ends when it is opened",
  },
  {
    name: 'key.fields',
    kind: 'string',
    required: false,
    summary: 'Columns, separated by ;, that make the key of written records: a JSON object',
  },
  {
    name: 'sink.partitions',
    kind: 'int',
    required: false,
    fallback: '1',
    summary: 'Partitions of the topic, when writing makes it',
  },
]

/** The format of a topic's values. @throws OPTION_INVALID */
export function valueFormat(request: FormatRequest): ChosenFormat {
  return openValueFormat(request, `${request.options.topic}-value`, 'json')
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
