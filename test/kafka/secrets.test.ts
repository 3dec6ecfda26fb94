/** Secrets of a project that reads, writes and asks a registry: they come from the environment and from files, and go nowhere else. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  KAFKA_PASSWORD,
  KAFKA_SASL_PORT,
  KAFKA_USER,
  startKafka,
} from '../../scripts/engines/kafka.ts'
import { inDirectory, millrace, start } from '../cli/process.ts'
import {
  consumeWithLibrdkafka,
  createTopic,
  fetchLibrdkafka,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'

const AVRO = '{"type":"record","name":"o","fields":[{"name":"n","type":"int"}]}'
const REGISTRY_SECRET = 'planted-registry-secret'
const asked = new Set<string>()
const registry = createServer((request, response) => {
  asked.add(`${request.headers.authorization}`)
  const body = request.url!.includes('/schemas/ids') ? { schema: AVRO } : { id: 1, schema: AVRO }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})

before(async () => {
  fetchLibrdkafka()
  await startKafka()
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
})

after(() => {
  registry.closeAllConnections()
  registry.close()
})

function pipeline(source: string, sink: string): string {
  const { port } = registry.address() as AddressInfo
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required username="${KAFKA_USER}"`
  const cluster = (password: string) => `'connector' = 'kafka',
    'properties.bootstrap.servers' = '127.0.0.1:${KAFKA_SASL_PORT}', 'properties.security.protocol' = 'SASL_PLAINTEXT',
    'properties.sasl.mechanism' = 'PLAIN', 'properties.sasl.jaas.config' = '${login} password="${password}";'`
  return `SET 'pipeline.name' = '${sink}'; SET 'execution.checkpointing.interval' = '100 ms';
    CREATE TABLE i (n INT) WITH (${cluster('$' + '{env:KAFKA_SECRET}')}, 'topic' = '${source}', 'format' = 'json');
    CREATE TABLE o (n INT) WITH (${cluster('$' + '{file:kafka-secret}')}, 'topic' = '${sink}',
      'sink.delivery-guarantee' = 'exactly-once', 'format' = 'avro-confluent',
      'avro-confluent.url' = 'http://127.0.0.1:${port}', 'avro-confluent.basic-auth.credentials-source' = 'USER_INFO',
      'avro-confluent.basic-auth.user-info' = 'me:$\{env:REGISTRY_SECRET}');
    INSERT INTO o SELECT n FROM i;`
}

/** Every file that a run left, but those that hold the secrets by right. */
function* filesBelow(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }))
    if (entry.isFile() && entry.name !== 'kafka-secret') yield join(entry.parentPath, entry.name)
}

test('secrets of brokers and registries stand in no plan, log, metric, status, checkpoint or error', {
  timeout: 120_000,
}, async () => {
  const [source, sink] = [
    await createTopic(uniqueTopic('in')),
    await createTopic(uniqueTopic('out')),
  ]
  const records = Array.from({ length: 100 }, (_, n) => ({ value: `{"n":${n}}` }))
  await produceWithLibrdkafka({ topic: source, records: [...records, { value: 'broken' }] })
  await inDirectory(async (directory) => {
    mkdirSync(join(directory, 'pipelines'))
    const file = join(directory, 'pipelines/p.sql')
    writeFileSync(file, pipeline(source, sink))
    const secret = join(directory, 'kafka-secret')
    const told: string[] = []
    const hides = (secrets: readonly string[]) => {
      const written = [...filesBelow(directory)].map((path) => readFileSync(path, 'latin1'))
      for (const text of [...told, ...written])
        for (const hidden of secrets)
          for (const form of [hidden, Buffer.from(`me:${hidden}`).toString('base64')])
            assert.ok(!text.includes(form), text.slice(Math.max(0, text.indexOf(form) - 300)))
    }
    const say = async (environment: Readonly<Record<string, string>>, ...args: string[]) => {
      const { code, out, err } = await millrace(directory, args, '', environment)
      told.push(out, err)
      return code
    }

    writeFileSync(secret, KAFKA_PASSWORD)
    const right = { KAFKA_SECRET: KAFKA_PASSWORD, REGISTRY_SECRET }
    assert.equal(await say(right, 'check'), 0, told.join('\n'))
    assert.equal(await say(right, 'explain', file), 0, told.join('\n'))
    const run = start(directory, ['run', file, '--http', '127.0.0.1:0', '--json'], right)
    await run.until(/serving http:\S+/)
    const url = /serving (http:\S+)/.exec(run.said())![1]!
    for (let waited = 0; waited < 100; waited++) {
      if ((await consumeWithLibrdkafka(sink)).length === 100) break
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    for (const path of ['metrics', 'status', 'livez', 'readyz'])
      told.push(await (await fetch(`${url}/${path}`)).text())
    run.child.kill('SIGTERM')
    const ended = await run.ended
    told.push(ended.out, ended.err)
    assert.equal((await consumeWithLibrdkafka(sink)).length, 100, told.join('\n'))
    assert.ok(asked.has(`Basic ${Buffer.from(`me:${REGISTRY_SECRET}`).toString('base64')}`))
    hides([KAFKA_PASSWORD, REGISTRY_SECRET])

    const wrong = { KAFKA_SECRET: 'planted-wrong-secret', REGISTRY_SECRET }
    assert.notEqual(await say(wrong, 'run', file, '--until', 'now'), 0)
    writeFileSync(secret, 'planted-file-secret')
    assert.notEqual(await say(right, 'run', file, '--until', 'now'), 0)
    assert.match(told.join('\n'), /KAFKA_AUTHENTICATION_FAILED/)
    hides([KAFKA_PASSWORD, REGISTRY_SECRET, 'planted-wrong-secret', 'planted-file-secret'])
  })
})
