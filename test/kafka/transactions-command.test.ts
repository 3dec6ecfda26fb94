/** `millrace kafka txn` shows what a killed pipeline has left open, and ends it; the pipeline then goes back a checkpoint. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { startKafka } from '../../scripts/engines/kafka.ts'
import {
  consumeWithLibrdkafka,
  createTopic,
  fetchLibrdkafka,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'
import { temporaryDirectory } from './pipelines.ts'
import { table } from './queries.ts'

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

test('a transaction that a killed pipeline has left is listed, aborted, and its rows are written again', async () => {
  const source = await createTopic(uniqueTopic('in'), 1, { 'retention.ms': '604800000' })
  const sink = await createTopic(uniqueTopic('out'))
  const records = Array.from({ length: 100 }, (_, n) => ({ value: JSON.stringify({ n }) }))
  await produceWithLibrdkafka({ topic: source, records })
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'pipelines'))
  const sql = `SET 'pipeline.name' = '${sink}'; SET 'execution.checkpointing.interval' = '100 ms';
    ${table('i', 'n BIGINT', source)} ${table('o', 'n BIGINT', sink, { 'sink.delivery-guarantee': 'exactly-once' })}
    INSERT INTO o SELECT n FROM i;`
  writeFileSync(join(directory, 'pipelines/copy.sql'), sql)
  const millrace = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    spawnSync(process.execPath, [MAIN, ...args], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    })
  assert.equal(millrace(['run'], { MILLRACE_KILL_AT: 'checkpoint-durable:2' }).signal, 'SIGKILL')
  const listed = millrace(['kafka', 'txn', 'list', '--json'])
  const open = listed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(open.length, 1, listed.stderr)
  assert.equal(open[0].pipeline, sink)
  assert.equal(open[0].state, 'Ongoing')
  assert.ok(open[0].partitions.includes(`${sink}[0]`))
  assert.match(millrace(['kafka', 'txn', 'list']).stdout, /Ongoing/)
  assert.equal(millrace(['kafka', 'txn', 'abort', 'millrace-other-0']).status, 2)
  assert.match(millrace(['kafka', 'txn', 'abort', open[0].id]).stdout, /^aborted the transaction/)
  assert.match(millrace(['kafka', 'txn', 'list']).stdout, /no pipeline/)
  const doctor = millrace(['kafka', 'doctor', '--json'])
  const findings = doctor.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(doctor.status, 0, doctor.stderr)
  const texts = findings
    .map(({ table: name, severity, text }) => `${name} ${severity} ${text}`)
    .join('\n')
  assert.match(texts, new RegExp(`^i ok topic ${source}: 1 partitions, all with a leader`, 'm'))
  assert.match(texts, /^i ok topic .*: rows are removed after 7\.0 days/m)
  assert.match(texts, /^o ok transactions live 15 min/m)
  const finished = millrace(['run', '--until', 'end'])
  assert.equal(finished.status, 0, finished.stderr)
  const found = (await consumeWithLibrdkafka(sink)).map(({ value }) => JSON.parse(value ?? '').n)
  assert.deepEqual(
    found.sort((a, b) => a - b),
    records.map((_, n) => n),
  )
})

test('the doctor finds a topic that is not there, and a transaction that may live too long', async () => {
  const sink = await createTopic(uniqueTopic('out'))
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'pipelines'))
  const exact = {
    'sink.delivery-guarantee': 'exactly-once',
    'properties.transaction.timeout.ms': '3600000',
  }
  const sql = `${table('i', 'n BIGINT', 'no-such-topic')} ${table('o', 'n BIGINT', sink, exact)} INSERT INTO o SELECT n FROM i;`
  writeFileSync(join(directory, 'pipelines/copy.sql'), sql)
  const doctor = spawnSync(process.execPath, [MAIN, 'kafka', 'doctor'], {
    cwd: directory,
    encoding: 'utf8',
  })
  assert.equal(doctor.status, 1)
  assert.match(doctor.stdout, /error +i: topic no-such-topic is not on/)
  assert.match(
    doctor.stdout,
    /error +o: properties.transaction.timeout.ms is 3600000, and the brokers take 900000/,
  )
})
