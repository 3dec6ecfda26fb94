/** The embedded event log as tables: `WITH ('connector' = 'log', 'topic' = 'orders')`. */
import { type DataType, types, withNullability } from '../../data/types.ts'
import type { Connector } from '../contract/connector.ts'
import { formatMetadata, formatMode } from '../formats.ts'
import { LOG_OPTIONS, UPSERT_LOG_OPTIONS } from './options.ts'
import { openLogSink } from './sink.ts'
import { openLogSource } from './source.ts'

const HEADERS: DataType = {
  kind: 'map',
  key: withNullability(types.string, false),
  value: types.bytes,
  nullable: true,
}

const METADATA: Connector['metadata'] = {
  topic: { type: withNullability(types.string, false), writable: false },
  partition: { type: withNullability(types.int, false), writable: false },
  offset: { type: withNullability(types.bigint, false), writable: false },
  /** The producer's time; under LogAppendTime a Kafka consumer would see the append time instead. */
  timestamp: { type: withNullability(types.timestampLtz(3), false), writable: true },
  /** When the log took the record in; NULL in topics with message.timestamp.type=CreateTime. */
  'log-append-time': { type: types.timestampLtz(3), writable: false },
  key: { type: types.bytes, writable: false },
  /** NULL where a record has none. */
  headers: { type: HEADERS, writable: false },
}

export const log: Connector = {
  name: 'log',
  summary: 'A topic of the embedded event log: exact to read again, written exactly once',
  options: LOG_OPTIONS,
  metadata: METADATA,
  metadataOf: formatMetadata,
  source: {
    replay: 'exact',
    mode: formatMode,
    bounded: isBounded,
    open: (request) => openLogSource(request, false),
  },
  sink: {
    guarantee: 'exactly-once',
    modes: (options) => [formatMode(options)],
    open: (request) => openLogSink(request, false),
  },
}

export const upsertLog: Connector = {
  name: 'upsert-log',
  summary:
    'A topic of the embedded log that holds the latest row of each key: a row that goes is a record without a value',
  options: UPSERT_LOG_OPTIONS,
  metadata: METADATA,
  source: {
    replay: 'exact',
    mode: () => 'upsert',
    bounded: isBounded,
    open: (request) => openLogSource(request, true),
  },
  sink: {
    guarantee: 'exactly-once',
    modes: (_, hasPrimaryKey) => (hasPrimaryKey ? ['upsert'] : ['append']),
    open: (request) => openLogSink(request, true),
  },
}

function isBounded(options: Readonly<Record<string, string>>): boolean {
  return options['scan.bounded.mode'] === 'latest-offset'
}
