/** Keys and values behind the ids of a registry, over a real broker: Avro and Protobuf, mixed versions of both. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { KAFKA, startKafka } from '../../scripts/engines/kafka.ts'
import { sqlDirectory } from '../builders/sql-run.ts'
import { createTopic, uniqueTopic } from './broker.ts'

before(startKafka)

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
