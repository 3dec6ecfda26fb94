/** Apache Kafka as tables: `WITH ('connector' = 'kafka', 'topic' = 'orders', ...)`. */
import { type DataType, types, withNullability } from '../../data/types.ts'
import type { Connector } from '../contract/connector.ts'
import { formatMetadata, formatMode } from '../formats.ts'
import { KAFKA_OPTIONS, UPSERT_KAFKA_OPTIONS } from './options.ts'
import { openKafkaSink } from './sink.ts'
import { openKafkaSource } from './source.ts'

export const HEADERS: DataType = {
  kind: 'map',
  key: withNullability(types.string, false),
  value: types.bytes,
  nullable: false,
}

const METADATA: Connector['metadata'] = {
  topic: { type: withNullability(types.string, false), writable: false },
  partition: { type: withNullability(types.int, false), writable: false },
  offset: { type: withNullability(types.bigint, false), writable: false },
  /** The producer's time, or under LogAppendTime the broker's: as Kafka's consumers see it. */
  timestamp: { type: withNullability(types.timestampLtz(3), false), writable: true },
  'timestamp-type': { type: withNullability(types.string, false), writable: false },
  /** Empty where a record has none. */
  headers: { type: HEADERS, writable: true },
  /** The key's bytes; not in Flink. */
  key: { type: types.bytes, writable: false },
}

export const kafka: Connector = {
  name: 'kafka',
  summary: 'Topics of Apache Kafka: exact to read again, written at least once or exactly once',
  options: KAFKA_OPTIONS,
  metadata: METADATA,
  metadataOf: formatMetadata,
  source: {
    replay: 'exact',
    mode: formatMode,
    bounded: (options) => (options['scan.bounded.mode'] ?? 'unbounded') !== 'unbounded',
    open: (request) => openKafkaSource(request, false),
  },
  sink: {
    guarantee: 'at-least-once',
    guaranteeOf,
    modes: (options) => [formatMode(options)],
    open: (request) => openKafkaSink(request, { isUpsert: false }),
  },
}

export const upsertKafka: Connector = {
  name: 'upsert-kafka',
  summary:
    'A topic that holds the latest row of each key: a row that goes is a record without a value',
  options: UPSERT_KAFKA_OPTIONS,
  metadata: METADATA,
  metadataOf: formatMetadata,
  source: {
    replay: 'exact',
    mode: () => 'upsert',
    bounded: (options) => (options['scan.bounded.mode'] ?? 'unbounded') !== 'unbounded',
    open: (request) => openKafkaSource(request, true),
  },
  sink: {
    guarantee: 'at-least-once',
    guaranteeOf,
    modes: (_, hasPrimaryKey) => (hasPrimaryKey ? ['upsert'] : ['append']),
    open: (request) => openKafkaSink(request, { isUpsert: true }),
  },
}

function guaranteeOf(options: Readonly<Record<string, string>>): 'exactly-once' | 'at-least-once' {
  return options['sink.delivery-guarantee'] === 'exactly-once' ? 'exactly-once' : 'at-least-once'
}
