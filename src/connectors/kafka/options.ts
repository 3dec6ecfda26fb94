/** The options of `kafka` and `upsert-kafka`, by Flink's names. */
import type { ConnectorOption } from '../contract/connector.ts'
import { formatOptions } from '../formats.ts'

const COMMON: readonly ConnectorOption[] = [
  {
    name: 'topic',
    kind: 'string',
    required: false,
    summary: "The topic; to read, several separated by ';'",
  },
  {
    name: 'properties.bootstrap.servers',
    kind: 'string',
    required: true,
    summary: "Brokers to begin with: 'host:port,host:port'",
  },
  {
    name: 'properties.',
    kind: 'string',
    required: false,
    isPrefix: true,
    secret: true,
    summary: "Settings of Kafka's clients: security.protocol, sasl.mechanism, group.id, ...",
  },
]

const KEY: readonly ConnectorOption[] = [
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
]

const SINK: readonly ConnectorOption[] = [
  {
    name: 'sink.delivery-guarantee',
    kind: 'enum',
    values: ['at-least-once', 'exactly-once', 'none'],
    required: false,
    fallback: 'at-least-once',
    summary: 'exactly-once writes in transactions, one for each checkpoint',
  },
  {
    name: 'sink.transactional-id-prefix',
    kind: 'string',
    required: false,
    summary:
      "With exactly-once: what transactional ids begin with; 'millrace-<pipeline>' unless given",
  },
  {
    name: 'sink.checkpoint-topic',
    kind: 'string',
    required: false,
    fallback: 'millrace-checkpoints',
    summary:
      'With exactly-once: the compacted topic that says which checkpoints are committed; made if missing',
  },
  {
    name: 'sink.commit-interval',
    kind: 'duration',
    required: false,
    summary: 'Not for exactly-once, where each checkpoint has a transaction of its own',
  },
  {
    name: 'sink.parallelism',
    kind: 'int',
    required: false,
    summary: 'Taken and not heeded: see --workers',
  },
]

const SCAN: readonly ConnectorOption[] = [
  {
    name: 'topic-pattern',
    kind: 'string',
    required: false,
    summary: 'Instead of topic: a regular expression of the topics to read',
  },
  {
    name: 'scan.startup.mode',
    kind: 'enum',
    values: ['earliest-offset', 'latest-offset', 'group-offsets', 'timestamp', 'specific-offsets'],
    required: false,
    summary:
      "Where to begin when there is no checkpoint: 'group-offsets' where properties.group.id is set, else 'earliest-offset'",
  },
  {
    name: 'scan.startup.specific-offsets',
    kind: 'string',
    required: false,
    summary: "With mode 'specific-offsets': 'partition:0,offset:42;partition:1,offset:300'",
  },
  {
    name: 'scan.startup.timestamp-millis',
    kind: 'int',
    required: false,
    summary: "With mode 'timestamp': ms since the epoch",
  },
  {
    name: 'scan.bounded.mode',
    kind: 'enum',
    values: ['unbounded', 'latest-offset', 'group-offsets', 'timestamp', 'specific-offsets'],
    required: false,
    fallback: 'unbounded',
    summary: 'Where the table ends; offsets are looked up once, when it is opened',
  },
  {
    name: 'scan.bounded.specific-offsets',
    kind: 'string',
    required: false,
    summary: "With mode 'specific-offsets': the offsets not to read any more",
  },
  {
    name: 'scan.bounded.timestamp-millis',
    kind: 'int',
    required: false,
    summary: "With mode 'timestamp': ms since the epoch",
  },
  {
    name: 'scan.topic-partition-discovery.interval',
    kind: 'duration',
    required: false,
    fallback: '5 min',
    summary: "How often new partitions are looked for; '0' = never",
  },
  {
    name: 'scan.offset-out-of-range',
    kind: 'enum',
    values: ['fail', 'earliest', 'latest'],
    required: false,
    fallback: 'fail',
    summary:
      'When rows to read are gone (retention, truncation): stop, or go on there with a row in $dead that names the gap',
  },
  {
    name: 'scan.parallelism',
    kind: 'int',
    required: false,
    summary: 'Taken and not heeded: see --workers',
  },
]

export const KAFKA_OPTIONS: readonly ConnectorOption[] = [
  ...COMMON,
  ...formatOptions('format'),
  ...formatOptions('value.format'),
  ...formatOptions('key.format'),
  {
    name: 'key.fields',
    kind: 'string',
    required: false,
    summary: "Columns, separated by ';', that are the key",
  },
  ...KEY,
  ...SCAN,
  ...SINK,
  {
    name: 'sink.partitioner',
    kind: 'enum',
    values: ['default', 'fixed', 'round-robin'],
    required: false,
    fallback: 'default',
    summary:
      "'default' is Kafka's: by the hash of the key, without one to a partition for a while; 'fixed': each worker to one",
  },
]

export const UPSERT_KAFKA_OPTIONS: readonly ConnectorOption[] = [
  ...COMMON,
  ...formatOptions('key.format', { required: true }),
  ...formatOptions('value.format', { required: true }),
  ...KEY,
  ...SCAN.filter(
    ({ name }) =>
      name.startsWith('scan.bounded') ||
      name.includes('out-of-range') ||
      name.includes('discovery'),
  ),
  ...SINK,
  ...['sink.buffer-flush.max-rows', 'sink.buffer-flush.interval'].map(
    (name): ConnectorOption => ({
      name,
      kind: name.endsWith('rows') ? 'int' : 'duration',
      required: false,
      summary: 'Taken and not heeded: rows of a key are not held back to be merged',
    }),
  ),
]
