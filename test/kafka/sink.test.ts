/** The kafka sinks against a real broker; what they write is read by librdkafka and by Java. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { KAFKA, startKafka } from '../../scripts/engines/kafka.ts'
import {
  consumeWithJava,
  consumeWithLibrdkafka,
  createTopic,
  fetchLibrdkafka,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'
import { runToEnd, start, temporaryDirectory } from './pipelines.ts'
import { table } from './queries.ts'

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

const ROWS = `(VALUES (1, 'oslo'), (2, 'bergen'), (3, CAST(NULL AS STRING))) AS v (n, city)`

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  test(`rows written with ${codec} are read by librdkafka and by Java`, async () => {
    const topic = await createTopic(uniqueTopic('out'))
    const options = codec === 'none' ? {} : { 'properties.compression.type': codec }
    const sql = `${table('o', 'n INT, city STRING', topic, options)} INSERT INTO o SELECT n, city FROM ${ROWS};`
    await runToEnd({ sql, directory: temporaryDirectory() })
    const expected = ['{"n":1,"city":"oslo"}', '{"n":2,"city":"bergen"}', '{"n":3,"city":null}']
    const found = await consumeWithLibrdkafka(topic)
    assert.deepEqual(
      found.map(({ value }) => value),
      expected,
    )
    assert.deepEqual(consumeWithJava(topic, 3), expected)
  })

test('keys go to the partitions that other producers choose for them', async () => {
  const mine = await createTopic(uniqueTopic('mine'), 7)
  const theirs = await createTopic(uniqueTopic('theirs'), 7)
  const source = await createTopic(uniqueTopic('keys'))
  const keys = Array.from({ length: 500 }, (_, n) => `key ${'x'.repeat(n % 9)}${n}`)
  await produceWithLibrdkafka({
    topic: source,
    records: keys.map((k) => ({ value: JSON.stringify({ k }) })),
  })
  await produceWithLibrdkafka({
    topic: theirs,
    records: keys.map((k) => ({ key: JSON.stringify({ k }), value: '' })),
    config: { partitioner: 'murmur2_random' },
  })
  const keyed = {
    'value.format': 'json',
    'key.format': 'json',
    'key.fields': 'k',
    'value.fields-include': 'EXCEPT_KEY',
  }
  const sql = `${table('i', 'k STRING', source)} ${table('o', 'k STRING, n INT', mine, keyed)} INSERT INTO o SELECT k, 1 FROM i;`
  await runToEnd({ sql, directory: temporaryDirectory() })
  const places = async (topic: string) =>
    Object.fromEntries(
      (await consumeWithLibrdkafka(topic)).map(({ key, partition }) => [key, partition]),
    )
  assert.deepEqual(await places(mine), await places(theirs))
})

test('headers and timestamps are written as metadata', async () => {
  const topic = await createTopic(uniqueTopic('meta'))
  const columns = `n INT, moment TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', h MAP<STRING, BYTES> METADATA FROM 'headers'`
  const sql = `${table('o', columns, topic)} INSERT INTO o SELECT n, TO_TIMESTAMP_LTZ(1700000000123, 3), MAP['city', CAST(city AS BYTES), 'empty', CAST('' AS BYTES)] FROM ${ROWS};`
  await runToEnd({ sql, directory: temporaryDirectory() })
  const found = await consumeWithLibrdkafka(topic)
  assert.deepEqual(
    found.map(({ value, timestampMs, headers }) => [value, timestampMs, headers]),
    [
      [
        '{"n":1}',
        1_700_000_000_123,
        [
          ['city', 'oslo'],
          ['empty', ''],
        ],
      ],
      [
        '{"n":2}',
        1_700_000_000_123,
        [
          ['city', 'bergen'],
          ['empty', ''],
        ],
      ],
      [
        '{"n":3}',
        1_700_000_000_123,
        [
          ['city', null],
          ['empty', ''],
        ],
      ],
    ],
  )
})

test('upsert-kafka writes the latest row of each key, and a record without a value where it goes', async () => {
  const topic = await createTopic(uniqueTopic('upsert'))
  const source = await createTopic(uniqueTopic('changes'))
  const changes = [
    ['a', 1],
    ['b', 2],
    ['a', 3],
    ['c', 9],
  ]
  await produceWithLibrdkafka({
    topic: source,
    records: changes.map(([city, n]) => ({ value: JSON.stringify({ city, n }) })),
  })
  const options = `'connector' = 'upsert-kafka', 'topic' = '${topic}', 'properties.bootstrap.servers' = '${KAFKA}', 'key.format' = 'json', 'value.format' = 'json'`
  const sql = `${table('i', 'city STRING, n INT', source)}
    CREATE TABLE o (city STRING, s BIGINT, PRIMARY KEY (city) NOT ENFORCED) WITH (${options});
    INSERT INTO o SELECT city, SUM(n) FROM i GROUP BY city HAVING SUM(n) < 4 OR city = 'c';`
  await runToEnd({ sql, directory: temporaryDirectory() })
  const found = await consumeWithLibrdkafka(topic)
  const latest = Object.fromEntries(found.map(({ key, value }) => [key, value]))
  assert.deepEqual(latest, {
    '{"city":"b"}': '{"city":"b","s":2}',
    '{"city":"c"}': '{"city":"c","s":9}',
    ...(latest['{"city":"a"}'] === null ? { '{"city":"a"}': null } : {}),
  })
})

test('rows of exactly-once are there once they are committed, with a marker of their checkpoint', async () => {
  const topic = await createTopic(uniqueTopic('exact'), 3)
  const markers = uniqueTopic('markers')
  const options = { 'sink.delivery-guarantee': 'exactly-once', 'sink.checkpoint-topic': markers }
  const sql = `SET 'pipeline.name' = '${topic}'; ${table('o', 'n INT, city STRING', topic, options)} INSERT INTO o SELECT n, city FROM ${ROWS};`
  await runToEnd({ sql, directory: temporaryDirectory() })
  const found = await consumeWithLibrdkafka(topic)
  assert.deepEqual(found.map(({ value }) => value).sort(), [
    '{"n":1,"city":"oslo"}',
    '{"n":2,"city":"bergen"}',
    '{"n":3,"city":null}',
  ])
  const [marker] = await consumeWithLibrdkafka(markers)
  assert.equal(marker?.key, topic)
  assert.equal(JSON.parse(marker?.value ?? '').incarnation, 1)
  assert.equal(consumeWithJava(topic, 3).length, 3)
})

test('a row that the topic does not take stops the pipeline by name', async () => {
  const topic = await createTopic(uniqueTopic('small'), 1, { 'max.message.bytes': '1000' })
  const long = (bytes: number, options: Readonly<Record<string, string>>) =>
    `${table('o', 's STRING', topic, options)} INSERT INTO o SELECT REPEAT('x', ${bytes}) FROM ${ROWS};`
  for (const options of [{}, { 'properties.max.request.size': '1500' }]) {
    const run = await start({
      sql: long(2000, options),
      directory: temporaryDirectory(),
      more: { until: 'end' },
    })
    const outcome = await run.finished
    assert.ok(outcome.kind === 'failed', outcome.kind)
    assert.equal(outcome.error.code, 'KAFKA_RECORD_TOO_LARGE', outcome.error.message)
  }
})

test('tables of one pipeline share a transaction: a second cluster and other transactions are refused', async () => {
  const markers = uniqueTopic('markers')
  const options = { 'sink.delivery-guarantee': 'exactly-once', 'sink.checkpoint-topic': markers }
  const [a, b] = [await createTopic(uniqueTopic('a')), await createTopic(uniqueTopic('b'))]
  const sql = (more: Readonly<Record<string, string>>) => `SET 'pipeline.name' = '${a}';
    ${table('o', 'n INT', a, options)} ${table('p', 'n INT', b, { ...options, ...more })}
    EXECUTE STATEMENT SET BEGIN INSERT INTO o SELECT n FROM ${ROWS}; INSERT INTO p SELECT n + 1 FROM ${ROWS}; END;`
  const other = { 'properties.bootstrap.servers': 'localhost:9092' }
  await assert.rejects(runToEnd({ sql: sql(other), directory: temporaryDirectory() }), (error) => {
    assert.match(String((error as { hint?: string }).hint), /one cluster a pipeline/)
    return true
  })
  const prefixed = { 'sink.transactional-id-prefix': 'other' }
  await assert.rejects(runToEnd({ sql: sql(prefixed), directory: temporaryDirectory() }), {
    code: 'KAFKA_OPTION_INVALID',
    hint: /all share one transaction/,
  })
  await runToEnd({ sql: sql({}), directory: temporaryDirectory() })
  const numbers = async (topic: string) =>
    (await consumeWithLibrdkafka(topic)).map(({ value }) => JSON.parse(value ?? '').n)
  assert.deepEqual(
    [await numbers(a), await numbers(b)],
    [
      [1, 2, 3],
      [2, 3, 4],
    ],
  )
  assert.equal((await consumeWithLibrdkafka(markers)).length, 1)
})
