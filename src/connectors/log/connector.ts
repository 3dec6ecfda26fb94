/** The embedded event log as tables: `WITH ('connector' = 'log', 'topic' = 'orders')`. */
import { type DataType, types, withNullability } from '../../data/types.ts'
import type { Connector } from '../contract/connector.ts'
import { LOG_OPTIONS } from './options.ts'
import { openLogSink } from './sink.ts'
import { openLogSource } from './source.ts'

const HEADERS: DataType = {
  kind: 'map',
  key: withNullability(types.string, false),
  value: types.bytes,
  nullable: true,
}

export const log: Connector = {
  name: 'log',
  summary: 'A topic of the embedded event log: exact to read again, written exactly once',
  options: LOG_OPTIONS,
  metadata: {
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
  },
  source: {
    replay: 'exact',
    bounded: (options) => options['scan.bounded.mode'] === 'latest-offset',
    open: openLogSource,
  },
  sink: {
    guarantee: 'exactly-once',
    modes: () => ['append'],
    open: openLogSink,
  },
}
