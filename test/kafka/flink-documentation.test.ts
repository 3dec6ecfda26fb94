/**
 * Statements of Flink's documentation, unchanged, over the tables' topics on localhost:9092.
 *
 * @see https://nightlies.apache.org/flink/flink-docs-stable/docs/connectors/table/kafka/ and the pages of its formats (Apache-2.0);
 * where a page writes `...` for options it has shown before, they stand in full.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKafka } from '../../scripts/engines/kafka.ts'
import {
  administer,
  consumeWithLibrdkafka,
  createTopic,
  fetchLibrdkafka,
  type PeerRecord,
  produceWithLibrdkafka,
} from './broker.ts'
import { runToEnd, temporaryDirectory } from './pipelines.ts'
import { ask } from './queries.ts'

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

/** Emptied: these names are the documentation's. */
async function topicWith(topic: string, records: readonly PeerRecord[]): Promise<void> {
  await administer((admin) => admin.deleteTopics({ topics: [topic] })).catch(() => {})
  for (let tries = 0; ; tries++) {
    try {
      await createTopic(topic)
      break
    } catch (error) {
      if (tries > 50) throw error
      await sleep(100)
    }
  }
  await produceWithLibrdkafka({ topic, records })
  const offsets = {
    groupId: 'testGroup',
    topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: 0n }] }],
  }
  await administer((admin) => admin.alterConsumerGroupOffsets(offsets))
}

/** A documented table reads on and on: a query ends where the topic ends now. */
async function first(sql: string, select: string): Promise<unknown[]> {
  return (await ask(`${sql}; ${select}`)).rows
}

test('the first table of the Kafka page', async () => {
  await topicWith('user_behavior', [{ value: '1,2,buy', timestampMs: 1_700_000_000_000 }])
  const sql = `
CREATE TABLE KafkaTable (
  \`user_id\` BIGINT,
  \`item_id\` BIGINT,
  \`behavior\` STRING,
  \`ts\` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'
) WITH (
  'connector' = 'kafka',
  'topic' = 'user_behavior',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.group.id' = 'testGroup',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'csv'
)`
  const rows = await first(
    sql,
    'SELECT user_id, item_id, behavior, CAST(ts AS STRING) AS ts FROM KafkaTable',
  )
  assert.deepEqual(rows, [
    { user_id: 1n, item_id: 2n, behavior: 'buy', ts: '2023-11-14 22:13:20.000' },
  ])
})

test('key and value formats of the Kafka page', async () => {
  await topicWith('user_behavior', [
    { key: '{"user_id":1,"item_id":2}', value: '{"user_id":1,"item_id":2,"behavior":"buy"}' },
  ])
  const sql = `
CREATE TABLE KafkaTable (
  \`ts\` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
  \`user_id\` BIGINT,
  \`item_id\` BIGINT,
  \`behavior\` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'user_behavior',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.group.id' = 'testGroup',
  'scan.startup.mode' = 'earliest-offset',

  'key.format' = 'json',
  'key.json.ignore-parse-errors' = 'true',
  'key.fields' = 'user_id;item_id',

  'value.format' = 'json',
  'value.json.fail-on-missing-field' = 'false',
  'value.fields-include' = 'ALL'
)`
  const rows = await first(sql, 'SELECT user_id, item_id, behavior FROM KafkaTable')
  assert.deepEqual(rows, [{ user_id: 1n, item_id: 2n, behavior: 'buy' }])
})

test('key and value with fields of the same names, of the Kafka page', async () => {
  await topicWith('user_behavior', [
    { key: '{"version":1,"user_id":5,"item_id":6}', value: '{"version":2,"behavior":"buy"}' },
  ])
  const sql = `
CREATE TABLE KafkaTable (
  \`k_version\` INT,
  \`k_user_id\` BIGINT,
  \`k_item_id\` BIGINT,
  \`version\` INT,
  \`behavior\` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'user_behavior',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.group.id' = 'testGroup',
  'scan.startup.mode' = 'earliest-offset',

  'key.format' = 'json',
  'key.fields-prefix' = 'k_',
  'key.fields' = 'k_version;k_user_id;k_item_id',

  'value.format' = 'json',
  'value.fields-include' = 'EXCEPT_KEY'
)`
  const rows = await first(sql, 'SELECT * FROM KafkaTable')
  assert.deepEqual(rows, [
    { k_version: 1, k_user_id: 5n, k_item_id: 6n, version: 2, behavior: 'buy' },
  ])
})

test('the table of the JSON page, which begins where its group stands', async () => {
  await topicWith('user_behavior', [
    { value: '{"user_id":1,"item_id":2,"ts":"2026-01-31 12:00:00.5"}' },
    { value: 'no JSON' },
  ])
  const sql = `
CREATE TABLE user_behavior (
  user_id BIGINT,
  item_id BIGINT,
  category_id BIGINT,
  behavior STRING,
  ts TIMESTAMP(3)
) WITH (
 'connector' = 'kafka',
 'topic' = 'user_behavior',
 'properties.bootstrap.servers' = 'localhost:9092',
 'properties.group.id' = 'testGroup',
 'format' = 'json',
 'json.fail-on-missing-field' = 'false',
 'json.ignore-parse-errors' = 'true'
)`
  const rows = await first(
    sql,
    'SELECT user_id, category_id, CAST(ts AS STRING) AS ts FROM user_behavior',
  )
  assert.deepEqual(rows, [{ user_id: 1n, category_id: null, ts: '2026-01-31 12:00:00.500' }])
})

test('the table of the raw page', async () => {
  await topicWith('nginx_log', [{ value: '47.29.201.179 - - "GET /?p=1"' }])
  const sql = `
CREATE TABLE nginx_log (
  log STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'nginx_log',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.group.id' = 'testGroup',
  'format' = 'raw'
)`
  assert.deepEqual(await first(sql, 'SELECT log FROM nginx_log'), [
    { log: '47.29.201.179 - - "GET /?p=1"' },
  ])
})

test('the views by region of the upsert-kafka page', async () => {
  await topicWith(
    'pageviews',
    ['eu', 'us', 'eu'].map((user_region, user_id) => ({
      value: JSON.stringify({ user_id, page_id: 7, viewtime: '2026-01-31 12:00:00', user_region }),
    })),
  )
  await topicWith('pageviews_per_region', [])
  const sql = `
CREATE TABLE pageviews_per_region (
  user_region STRING,
  pv BIGINT,
  uv BIGINT,
  PRIMARY KEY (user_region) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'pageviews_per_region',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'avro',
  'value.format' = 'avro'
);

CREATE TABLE pageviews (
  user_id BIGINT,
  page_id BIGINT,
  viewtime TIMESTAMP(3),
  user_region STRING,
  WATERMARK FOR viewtime AS viewtime - INTERVAL '2' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'pageviews',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

INSERT INTO pageviews_per_region
SELECT
  user_region,
  COUNT(*),
  COUNT(DISTINCT user_id)
FROM pageviews
GROUP BY user_region;`
  await runToEnd({ sql, directory: temporaryDirectory() })
  const found = await consumeWithLibrdkafka('pageviews_per_region')
  const latest = Object.fromEntries(found.map(({ key, value }) => [key, value]))
  // Avro: a key's column is never NULL; other fields begin with their branch. Lengths and numbers are zigzag.
  assert.deepEqual(latest, {
    '\u0004eu': '\u0004eu\u0002\u0004\u0002\u0004',
    '\u0004us': '\u0004us\u0002\u0002\u0002\u0002',
  })
})
