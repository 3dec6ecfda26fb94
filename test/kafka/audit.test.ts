/** `millrace audit --kafka` over a real broker, with schemas in Millrace's own registry. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  KAFKA,
  KAFKA_PASSWORD,
  KAFKA_SASL_PORT,
  KAFKA_USER,
  startKafka,
} from '../../scripts/engines/kafka.ts'
import type { ClusterAudit } from '../../src/advise/audit/cluster-report.ts'
import { randomOf } from '../advise/lateness.ts'
import { inDirectory, millrace, start } from '../cli/process.ts'
import {
  administer,
  createTopic,
  fetchLibrdkafka,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'

const HOUR_MS = 3_600_000

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

/** Of two hours, one a second, late by up to 20 s, in three of four partitions. */
async function lateTopic(): Promise<string> {
  const topic = await createTopic(uniqueTopic('late'), 4, { 'retention.ms': `${24 * HOUR_MS}` })
  const random = randomOf(3)
  const nowMs = Date.now()
  const records = Array.from({ length: 7200 }, (_, at) => ({
    value: '{}',
    partition: at % 3,
    timestampMs: nowMs - 7200_000 + at * 1000 - Math.round(20_000 * random()),
  }))
  await produceWithLibrdkafka({ topic, records })
  return topic
}

async function audited(directory: string, ...args: string[]): Promise<ClusterAudit> {
  const asked = ['audit', '--kafka', KAFKA, '--format', 'json', ...args]
  const { code, out, err } = await millrace(directory, asked)
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

test('rates, silent partitions, retention and lateness are told as they are', async () => {
  const late = await lateTopic()
  const empty = await createTopic(uniqueTopic('empty'))
  const ahead = await createTopic(uniqueTopic('ahead'), 1, {
    'message.timestamp.after.max.ms': `${24 * HOUR_MS}`,
  })
  const future = { value: 'x', timestampMs: Date.now() + 5 * HOUR_MS }
  await produceWithLibrdkafka({ topic: ahead, records: [future] })
  await inDirectory(async (directory) => {
    const { topics, findings } = await audited(directory, late, empty, ahead)
    const codes = (topic: string) =>
      findings.filter((finding) => finding.topic === topic).map(({ code }) => code)
    assert.deepEqual(codes(late).sort(), [
      'PARTITION_IDLE',
      'RECORDS_LATE',
      'REPLICAS_FEW',
      'RETENTION_BRIEF',
    ])
    assert.deepEqual(codes(empty).sort(), ['REPLICAS_FEW', 'TOPIC_IDLE'])
    assert.ok(codes(ahead).includes('TIMESTAMP_AHEAD'))
    const facts = topics.find(({ name }) => name === late)!
    assert.equal(
      facts.partitions.reduce((sum, { records }) => sum + records, 0),
      7200,
    )
    const ofHour = facts.partitions.reduce((sum, { recordsOfHour }) => sum + recordsOfHour, 0)
    assert.ok(Math.abs(ofHour - 3600) < 60, `${ofHour}`)
    const { lateness } = facts
    assert.equal(lateness!.records, 7200)
    assert.ok(lateness!.delayMs > 10_000 && lateness!.delayMs <= 21_000, `${lateness!.delayMs}`)
  })
})

test('topics without a subject are found by the registry, which is asked for nothing else', async () => {
  const topic = await createTopic(uniqueTopic('governed'))
  const bare = await createTopic(uniqueTopic('bare'))
  await inDirectory(async (directory) => {
    const owner = start(directory, [
      'run',
      '--stay',
      '--http',
      '127.0.0.1:0',
      '--log-level',
      'info',
    ])
    await owner.until(/http:\/\/127\.0\.0\.1:\d+/)
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(owner.said())!
    const registered = await fetch(`${url}/subjects/${topic}-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: '"string"' }),
    })
    assert.equal(registered.status, 200)
    const { findings } = await audited(directory, topic, bare, '--registry', url)
    const without = findings.filter(({ code }) => code === 'TOPIC_SCHEMALESS')
    assert.deepEqual(
      without.map((finding) => finding.topic),
      [bare],
    )
    owner.child.kill('SIGTERM')
    await owner.ended
  })
})

test('records and topics stay as they are, every form is spoken, and --strict says no', async () => {
  const topic = await lateTopic()
  await inDirectory(async (directory) => {
    const secured = [
      ...['audit', topic, '--kafka', `127.0.0.1:${KAFKA_SASL_PORT}`, '--strict'],
      ...['--property', 'security.protocol=SASL_PLAINTEXT', 'sasl.mechanism=PLAIN'],
      `sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="${KAFKA_USER}" password="\${env:SECRET}";`,
    ]
    const environment = { SECRET: KAFKA_PASSWORD }
    const strict = await start(directory, [...secured, '--format', 'sarif'], environment).ended
    assert.equal(strict.code, 1, strict.err)
    const [result] = JSON.parse(strict.out).runs[0].results
    assert.equal(result.locations[0].logicalLocations[0].name, topic)
    const md = await millrace(directory, ['audit', topic, '--kafka', KAFKA, '--format', 'md'])
    assert.match(md.out, /## First\n\n1\. /)
    const text = await millrace(directory, ['audit', topic, '--kafka', KAFKA])
    assert.match(text.out, /warning RETENTION_BRIEF/)
    const missing = await millrace(directory, ['audit', 'not-there', '--kafka', KAFKA])
    assert.equal(missing.code, 1)
    assert.match(missing.err, /KAFKA_TOPIC_MISSING/)
    const topics = await administer((admin) => admin.listTopics())
    assert.ok(!topics.includes('not-there'))
    const after = await audited(directory, topic)
    assert.equal(
      after.topics[0]!.partitions.reduce((sum, { records }) => sum + records, 0),
      7200,
    )
  })
})
