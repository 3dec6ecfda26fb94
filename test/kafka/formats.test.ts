/** Keys and values behind the ids of a registry, over a real broker: Avro and Protobuf, mixed versions of both. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { KAFKA, startKafka } from '../../scripts/engines/kafka.ts'
import { sqlDirectory } from '../builders/sql-run.ts'
import { consumeWithLibrdkafka, createTopic, fetchLibrdkafka, uniqueTopic } from './broker.ts'

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

for (const format of ['avro-confluent', 'protobuf-confluent'])
  test(`${format} keys and values of two versions are read by one table`, async () => {
    const topic = await createTopic(uniqueTopic('formats'))
    await using sql = sqlDirectory()
    const table = (columns: string) =>
      `CREATE TABLE t (${columns}) WITH ('connector' = 'kafka', 'topic' = '${topic}', 'properties.bootstrap.servers' = '${KAFKA}', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'key.format' = '${format}', 'key.fields' = 'id', 'value.format' = '${format}', 'value.fields-include' = 'EXCEPT_KEY');`
    await sql.run(
      `${table('id BIGINT, city STRING')} INSERT INTO t VALUES (1, 'oslo'), (2, 'bergen');`,
    )
    await sql.run(`${table('id BIGINT, city STRING, n INT')} INSERT INTO t VALUES (3, 'quito', 7);`)
    const rows = await sql.query(
      `${table('id BIGINT, n INT, city STRING')} SELECT id, n, city FROM t`,
    )
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [
        { id: 1n, n: null, city: 'oslo' },
        { id: 2n, n: null, city: 'bergen' },
        { id: 3n, n: 7, city: 'quito' },
      ],
    )
  })

for (const guarantee of ['at-least-once', 'exactly-once'])
  test(`a sink whose subject is not there, and that may not register it, starts no transaction and writes nothing, ${guarantee}`, async () => {
    const topic = await createTopic(uniqueTopic('unregistered'))
    await using sql = sqlDirectory()
    const insert = (registers: boolean, pipeline: string) =>
      sql.run(`SET 'pipeline.name' = '${topic}-${pipeline}';
        CREATE TABLE t (id BIGINT, city STRING) WITH ('connector' = 'kafka', 'topic' = '${topic}', 'properties.bootstrap.servers' = '${KAFKA}',
          'sink.delivery-guarantee' = '${guarantee}', 'format' = 'avro-confluent', 'avro-confluent.auto.register.schemas' = '${registers}');
        INSERT INTO t VALUES (1, 'oslo');`)
    await assert.rejects(insert(false, 'a'), {
      code: 'SCHEMA_MISSING',
      message: `table t: the registry has no subject ${topic}-value`,
    })
    assert.deepEqual(await consumeWithLibrdkafka(topic, 'read_uncommitted'), [])
    await insert(true, 'b')
    await insert(false, 'c')
    assert.equal((await consumeWithLibrdkafka(topic)).length, 2)
  })
