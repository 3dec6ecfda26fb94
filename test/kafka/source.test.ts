/** The kafka source against a real broker; what it reads was written by librdkafka and by Java. */
import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { before, test } from 'node:test'
import { KAFKA, kafkaTool, startKafka } from '../../scripts/engines/kafka.ts'
import { MillraceError } from '../../src/errors.ts'
import {
  administer,
  createTopic,
  fetchLibrdkafka,
  type PeerRecord,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'
import { brokerProxy } from './proxy.ts'
import { ask, table } from './queries.ts'

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

const numbers = (from: number, to: number): PeerRecord[] =>
  Array.from({ length: to - from }, (_, at) => ({ value: JSON.stringify({ n: from + at }) }))

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  test(`records that librdkafka compressed with ${codec} are read, each once`, async () => {
    const topic = await createTopic(uniqueTopic('codec'), 2)
    const records = numbers(0, 20_000).map((record, at) => ({ ...record, key: `k${at % 100}` }))
    await produceWithLibrdkafka({ topic, records, config: { 'compression.codec': codec } })
    const sql = `${table('t', 'n BIGINT', topic)} SELECT COUNT(*) AS c, COUNT(DISTINCT n) AS d, SUM(n) AS s FROM t`
    const { rows } = await ask(sql)
    assert.deepEqual(rows, [{ c: 20_000n, d: 20_000n, s: 199_990_000n }])
  })

for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'])
  test(`records that Java compressed with ${codec} are read, each once`, async () => {
    const topic = await createTopic(uniqueTopic('java'))
    const input = numbers(0, 5000).map(({ value }) => `${value}\n`)
    const args = ['--bootstrap-server', KAFKA, '--topic', topic, '--compression-codec', codec]
    kafkaTool('org.apache.kafka.tools.ConsoleProducer', args, input.join(''))
    const { rows } = await ask(
      `${table('t', 'n BIGINT', topic)} SELECT COUNT(*) AS c, SUM(n) AS s FROM t`,
    )
    assert.deepEqual(rows, [{ c: 5000n, s: 12_497_500n }])
  })

test('topic, partition, offset, timestamp, headers and key are metadata', async () => {
  const topic = await createTopic(uniqueTopic('metadata'), 2)
  await produceWithLibrdkafka({
    topic,
    records: [
      {
        key: 'a',
        value: '{"n":1}',
        partition: 1,
        timestampMs: 1_700_000_000_123,
        headers: [
          ['trace', 'x'],
          ['none', null],
        ],
      },
      { value: '{"n":2}', partition: 1, timestampMs: 1_700_000_000_456 },
    ],
  })
  const columns = `n INT, t STRING METADATA FROM 'topic' VIRTUAL, p INT METADATA FROM 'partition' VIRTUAL,
    o BIGINT METADATA FROM 'offset' VIRTUAL, moment TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', kind STRING METADATA FROM 'timestamp-type' VIRTUAL,
    h MAP<STRING, BYTES> METADATA FROM 'headers', k BYTES METADATA FROM 'key' VIRTUAL`
  const { rows } = await ask(
    `${table('m', columns, topic)} SELECT n, t, p, o, CAST(moment AS STRING) AS moment, kind, CARDINALITY(h) AS c, CAST(h['trace'] AS STRING) AS trace, CAST(k AS STRING) AS k FROM m`,
  )
  assert.deepEqual(rows, [
    {
      n: 1,
      t: topic,
      p: 1,
      o: 0n,
      moment: '2023-11-14 22:13:20.123',
      kind: 'CreateTime',
      c: 2,
      trace: 'x',
      k: 'a',
    },
    {
      n: 2,
      t: topic,
      p: 1,
      o: 1n,
      moment: '2023-11-14 22:13:20.456',
      kind: 'CreateTime',
      c: 0,
      trace: null,
      k: null,
    },
  ])
})

test('columns come from the key where key.fields say so, NULL where there is none', async () => {
  const topic = await createTopic(uniqueTopic('keyed'))
  await produceWithLibrdkafka({
    topic,
    records: [
      { key: '{"user":"u1","area":7}', value: '{"n":1}' },
      { value: '{"n":2}' },
      { key: '{"user":', value: '{"n":3}' },
    ],
  })
  const options = {
    'value.format': 'json',
    'key.format': 'json',
    'key.fields': 'k_user;k_area',
    'key.fields-prefix': 'k_',
    'value.fields-include': 'EXCEPT_KEY',
  }
  const { rows, dead } = await ask(
    `${table('t', 'k_area INT, n INT, k_user STRING', topic, options)} SELECT * FROM t`,
  )
  assert.deepEqual(rows, [
    { k_area: 7, n: 1, k_user: 'u1' },
    { k_area: null, n: 2, k_user: null },
  ])
  assert.equal(dead, 1)
})

test('upsert-kafka reads the latest row of each key, and none where it has gone', async () => {
  const topic = await createTopic(uniqueTopic('upserts'))
  const record = (city: string, n: number | null) => ({
    key: JSON.stringify({ city }),
    value: n === null ? null : JSON.stringify({ city, n }),
  })
  const records = [
    record('a', 1),
    record('b', 2),
    record('a', 3),
    record('b', null),
    record('c', 4),
    record('z', null),
  ]
  await produceWithLibrdkafka({ topic, records: [...records, { key: '{"city":"d"}', value: '{' }] })
  const options = `'connector' = 'upsert-kafka', 'topic' = '${topic}', 'properties.bootstrap.servers' = '${KAFKA}', 'key.format' = 'json', 'value.format' = 'json'`
  const columns = 'n INT, city STRING, PRIMARY KEY (city) NOT ENFORCED'
  const created = `CREATE TABLE t (${columns}) WITH (${options});`
  const { rows, dead } = await ask(`${created} SELECT * FROM t`)
  assert.deepEqual(
    rows.toSorted((a, b) => Number(a.n) - Number(b.n)),
    [
      { n: 3, city: 'a' },
      { n: 4, city: 'c' },
    ],
  )
  assert.equal(dead, 1)
  const summed = await ask(`${created} SELECT SUM(n) AS s, COUNT(*) AS c FROM t`)
  assert.deepEqual(summed.rows, [{ s: 7, c: 2n }])
})

test('rows of aborted transactions are not there, unless uncommitted ones are asked for', async () => {
  const topic = await createTopic(uniqueTopic('aborted'))
  await produceWithLibrdkafka({
    topic,
    records: numbers(0, 60),
    config: { 'transactional.id': topic },
    transactions: [true, false, true, false, false, true].map((commit) => ({ count: 10, commit })),
  })
  const count = async (options: Readonly<Record<string, string>>) =>
    (await ask(`${table('t', 'n INT', topic, options)} SELECT n FROM t`)).rows.map(({ n }) => n)
  const kept = numbers(0, 60)
    .map((_, n) => n)
    .filter((n) => [0, 2, 5].includes(Math.floor(n / 10)))
  assert.deepEqual(await count({}), kept)
  assert.equal((await count({ 'properties.isolation.level': 'read_uncommitted' })).length, 60)
})

test('reading begins and ends where the options say', async () => {
  const topic = await createTopic(uniqueTopic('start'), 2)
  const records = numbers(0, 20).map((record, n) => ({
    ...record,
    partition: n % 2,
    timestampMs: 1_700_000_000_000 + n * 1000,
  }))
  await produceWithLibrdkafka({ topic, records })
  const read = async (options: Readonly<Record<string, string>>) =>
    (await ask(`${table('t', 'n INT', topic, options)} SELECT n FROM t`)).rows
      .map(({ n }) => Number(n))
      .sort((a, b) => a - b)
  const range = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => from + at)
  const mode = 'scan.startup.mode'
  const end = 'scan.bounded.mode'
  assert.deepEqual(await read({ [mode]: 'earliest-offset' }), range(0, 20))
  assert.deepEqual(await read({ [mode]: 'latest-offset' }), [])
  assert.deepEqual(
    await read({ [mode]: 'timestamp', 'scan.startup.timestamp-millis': '1700000015000' }),
    range(15, 20),
  )
  assert.deepEqual(
    await read({
      [mode]: 'specific-offsets',
      'scan.startup.specific-offsets': 'partition:0,offset:8;partition:1,offset:9',
    }),
    [16, 18, 19],
  )
  assert.deepEqual(
    await read({ [end]: 'timestamp', 'scan.bounded.timestamp-millis': '1700000005000' }),
    range(0, 5),
  )
  assert.deepEqual(
    await read({
      [end]: 'specific-offsets',
      'scan.bounded.specific-offsets': 'partition:0,offset:1;partition:1,offset:2',
    }),
    [0, 1, 3],
  )
  const group = { 'properties.group.id': uniqueTopic('group') }
  await administer((admin) =>
    admin.alterConsumerGroupOffsets({
      groupId: group['properties.group.id'],
      topics: [
        {
          name: topic,
          partitionOffsets: [
            { partition: 0, offset: 5n },
            { partition: 1, offset: 6n },
          ],
        },
      ],
    }),
  )
  assert.deepEqual(await read(group), [10, 12, 13, 14, 15, 16, 17, 18, 19])
})

test('several topics are one table, by their names or by a pattern', async () => {
  const stem = uniqueTopic('many')
  const [a, b] = [await createTopic(`${stem}-a`), await createTopic(`${stem}-b`, 2)]
  await produceWithLibrdkafka({ topic: a, records: numbers(0, 3) })
  await produceWithLibrdkafka({ topic: b, records: numbers(3, 9) })
  const columns = "n INT, t STRING METADATA FROM 'topic' VIRTUAL"
  const select = 'SELECT t, COUNT(*) AS c FROM t GROUP BY t'
  const expected = [
    { t: a, c: 3n },
    { t: b, c: 6n },
  ]
  const sorted = async (sql: string) =>
    (await ask(`${sql} ${select}`)).rows.toSorted((x, y) => (String(x.t) < String(y.t) ? -1 : 1))
  assert.deepEqual(await sorted(table('t', columns, `${a};${b}`)), expected)
  const pattern = table('t', columns, a, { 'topic-pattern': `${stem}-.` })
  assert.deepEqual(await sorted(pattern.replace(`'topic' = '${a}', `, '')), expected)
})

test('what does not decode is dead, and counted', async () => {
  const topic = await createTopic(uniqueTopic('dead'))
  await produceWithLibrdkafka({
    topic,
    records: [
      { value: '{"n":1}' },
      { value: '{"n":' },
      { value: null, key: 'k' },
      { value: '{"n":2}' },
    ],
  })
  const { rows, dead } = await ask(`${table('t', 'n INT', topic)} SELECT n FROM t`)
  assert.deepEqual([rows, dead], [[{ n: 1 }, { n: 2 }], 2])
})

test('rows that retention has removed stop the table, or are told and passed over, as its policy says', async () => {
  const topic = await createTopic(uniqueTopic('gone'))
  await produceWithLibrdkafka({ topic, records: numbers(0, 10) })
  await administer((admin) =>
    admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 4n }] }] }),
  )
  const from = {
    'scan.startup.mode': 'specific-offsets',
    'scan.startup.specific-offsets': 'partition:0,offset:1',
  }
  const sql = (options: Readonly<Record<string, string>>) =>
    `${table('t', 'n INT', topic, { ...from, ...options })} SELECT n FROM t`
  await assert.rejects(
    ask(sql({})),
    fails('KAFKA_OFFSET_OUT_OF_RANGE', /offset 1 of .* removed .* there are 4 to 10/),
  )
  const { rows, dead } = await ask(sql({ 'scan.offset-out-of-range': 'earliest' }))
  assert.deepEqual([rows.map(({ n }) => n), dead], [[4, 5, 6, 7, 8, 9], 1])
})

test('a batch that was damaged on its way is told by its topic and offset', async () => {
  const topic = await createTopic(uniqueTopic('damaged'))
  await produceWithLibrdkafka({ topic, records: numbers(0, 3) })
  const proxy = await brokerProxy((near, bytes) => {
    const at = bytes.indexOf('{"n":1}')
    if (at >= 0) bytes[at + 5] = 0x39
    near.write(bytes)
  })
  try {
    const options = { 'properties.bootstrap.servers': `127.0.0.1:${proxy.port}` }
    const sql = `${table('t', 'n INT', topic, options)} SELECT n FROM t`
    await assert.rejects(
      ask(sql),
      fails('KAFKA_BATCH_CORRUPT', /damaged.*\[0\] from offset 0 on: the checksum/),
    )
  } finally {
    proxy.close()
  }
})

test('a broker that takes connections and answers nothing is told', {
  timeout: 60_000,
}, async () => {
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const options = {
    'properties.bootstrap.servers': `127.0.0.1:${port}`,
    'properties.request.timeout.ms': '1000',
  }
  await assert.rejects(
    ask(`${table('t', 'n INT', 'x', options)} SELECT n FROM t`),
    fails('KAFKA_UNREACHABLE', /does not answer/),
  )
  server.close()
})

test('a topic that is not there, a host that does not answer and options that mean nothing are told by name', async () => {
  await assert.rejects(
    ask(`${table('t', 'n INT', 'no-such-topic')} SELECT n FROM t`),
    fails('KAFKA_TOPIC_MISSING', /no-such-topic/),
  )
  await assert.rejects(
    ask(
      `${table('t', 'n INT', 'x', { 'properties.bootstrap.servers': '127.0.0.1:9' })} SELECT n FROM t`,
    ),
    fails('KAFKA_UNREACHABLE', /127\.0\.0\.1:9 does not answer/),
  )
  await assert.rejects(
    ask(
      `${table('t', 'n INT', 'x', { 'properties.isolation.levle': 'read_committed' })} SELECT n FROM t`,
    ),
    fails('KAFKA_OPTION_INVALID', /isolation\.levle/),
  )
})

function fails(code: MillraceError['code'], message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MillraceError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  }
}
