/** Every way of authenticating against a broker that asks for it, and what a wrong one is told. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { before, test } from 'node:test'
import {
  KAFKA_CERTIFICATES,
  KAFKA_MTLS_PORT,
  KAFKA_PASSWORD,
  KAFKA_SASL_PORT,
  KAFKA_SASL_TLS_PORT,
  KAFKA_STRANGER,
  KAFKA_STRANGER_PASSWORD,
  KAFKA_USER,
  startKafka,
} from '../../scripts/engines/kafka.ts'
import { MillraceError } from '../../src/errors.ts'
import { createTopic, fetchLibrdkafka, produceWithLibrdkafka, uniqueTopic } from './broker.ts'
import { runToEnd, temporaryDirectory } from './pipelines.ts'
import { ask, table } from './queries.ts'

let topic: string

before(async () => {
  fetchLibrdkafka()
  await startKafka()
  topic = await createTopic(uniqueTopic('auth'))
  await produceWithLibrdkafka({ topic, records: [{ value: '{"n":1}' }] })
})

const certificate = (name: string): string => join(KAFKA_CERTIFICATES, name)
const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
const credentials = `username="${KAFKA_USER}" password="\${env:SECRET}";`
const sasl = (mechanism: string, jaas: string): Readonly<Record<string, string>> => ({
  'properties.bootstrap.servers': `127.0.0.1:${KAFKA_SASL_PORT}`,
  'properties.security.protocol': 'SASL_PLAINTEXT',
  'properties.sasl.mechanism': mechanism,
  'properties.sasl.jaas.config': jaas,
})

async function numbers(
  options: Readonly<Record<string, string>>,
  secret = KAFKA_PASSWORD,
): Promise<unknown> {
  const { rows } = await ask(`${table('t', 'n INT', topic, options)} SELECT n FROM t`, {
    SECRET: secret,
  })
  return rows
}

const ONE = [{ n: 1 }]

for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
  test(`${mechanism} lets a user in with the password, and no one with another`, async () => {
    const jaas = `${plain} ${credentials}`
    assert.deepEqual(await numbers(sasl(mechanism, jaas)), ONE)
    await refused(numbers(sasl(mechanism, jaas), 'wrong-secret'), 'wrong-secret')
  })

test('OAUTHBEARER takes a token from an option, from a file and from an endpoint', async () => {
  const options = sasl('OAUTHBEARER', '')
  assert.deepEqual(
    await numbers({ ...options, 'properties.sasl.oauthbearer.token': unsigned(60) }),
    ONE,
  )
  const file = join(temporaryDirectory(), 'token')
  writeFileSync(file, `${unsigned(60)}\n`)
  assert.deepEqual(
    await numbers({ ...options, 'properties.sasl.oauthbearer.token.file': file }),
    ONE,
  )
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.headers.authorization}`)
    response.end(JSON.stringify({ access_token: unsigned(60) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const jaas = `${plain} clientId="me" clientSecret="\${env:SECRET}";`
  const endpoint = {
    'properties.sasl.oauthbearer.token.endpoint.url': `http://127.0.0.1:${port}/token`,
  }
  assert.deepEqual(await numbers({ ...sasl('OAUTHBEARER', jaas), ...endpoint }, 's3'), ONE)
  server.close()
  assert.equal(asked[0], `Basic ${Buffer.from('me:s3').toString('base64')}`)
})

test('a token that has expired is refused by name', async () => {
  const options = { ...sasl('OAUTHBEARER', ''), 'properties.sasl.oauthbearer.token': unsigned(-60) }
  await refused(numbers(options), unsigned(-60))
})

test('the token for Amazon MSK is shown to the broker, which here takes others', async () => {
  const jaas = `IAMLoginModule required awsAccessKeyId="AKIDEXAMPLE" awsSecretAccessKey="\${env:SECRET}";`
  const region = { 'properties.sasl.oauthbearer.aws.region': 'eu-west-1' }
  await refused(numbers({ ...sasl('AWS_MSK_IAM', jaas), ...region }, 'msk-secret'), 'msk-secret')
})

test('a client certificate lets in, none does not', async () => {
  const pem = join(temporaryDirectory(), 'client-key.pem')
  writeFileSync(
    pem,
    readFileSync(certificate('client.key'), 'utf8') +
      readFileSync(certificate('client.pem'), 'utf8'),
  )
  const options = {
    'properties.bootstrap.servers': `127.0.0.1:${KAFKA_MTLS_PORT}`,
    'properties.security.protocol': 'SSL',
    'properties.ssl.truststore.type': 'PEM',
    'properties.ssl.truststore.location': certificate('ca.pem'),
  }
  const keyed = { 'properties.ssl.keystore.type': 'PEM', 'properties.ssl.keystore.location': pem }
  assert.deepEqual(await numbers({ ...options, ...keyed }), ONE)
  await assert.rejects(numbers(options), isError)
})

test('TLS is verified: a certificate of an unknown authority is refused', async () => {
  const jaas = `${plain} ${credentials}`
  const options = {
    ...sasl('SCRAM-SHA-512', jaas),
    'properties.bootstrap.servers': `127.0.0.1:${KAFKA_SASL_TLS_PORT}`,
    'properties.security.protocol': 'SASL_SSL',
  }
  const trusting = { 'properties.ssl.truststore.location': certificate('ca.pem') }
  assert.deepEqual(await numbers({ ...options, ...trusting }), ONE)
  await refused(numbers(options), KAFKA_PASSWORD)
})

test('a principal without a right is told what it may not do', async () => {
  const jaas = `${plain} username="${KAFKA_STRANGER}" password="\${env:SECRET}";`
  await assert.rejects(numbers(sasl('PLAIN', jaas), KAFKA_STRANGER_PASSWORD), (error) => {
    assert.ok(isError(error))
    assert.equal(error.code, 'KAFKA_DENIED', error.message)
    assert.match(error.message, new RegExp(`topic ${topic}: .*TOPIC_AUTHORIZATION_FAILED`))
    return true
  })
})

test('a sink authenticates as a source does', async () => {
  const out = await createTopic(uniqueTopic('auth-out'))
  const options = {
    ...sasl('SCRAM-SHA-512', `${plain} ${credentials}`),
    'sink.delivery-guarantee': 'exactly-once',
  }
  const sql = `SET 'pipeline.name' = '${out}'; ${table('o', 'n INT', out, options)} INSERT INTO o SELECT n FROM (VALUES (7)) AS v (n);`
  const environment = { SECRET: KAFKA_PASSWORD }
  await runToEnd({ sql, directory: temporaryDirectory(), more: { environment } })
  const { rows } = await ask(`${table('t', 'n INT', out)} SELECT n FROM t`)
  assert.deepEqual(rows, [{ n: 7 }])
})

/** Refused at once, by a code that no one retries, and the secret told nowhere. */
async function refused(trying: Promise<unknown>, secret: string): Promise<void> {
  await assert.rejects(trying, (error) => {
    assert.ok(isError(error))
    assert.equal(error.code, 'KAFKA_AUTHENTICATION_FAILED', error.message)
    const told = JSON.stringify({ ...error, message: error.message, stack: error.stack })
    assert.ok(!told.includes(secret), told)
    return true
  })
}

function isError(error: unknown): error is MillraceError {
  return error instanceof MillraceError
}

/** An unsigned token, as the broker of these tests takes it. */
function unsigned(secondsLeft: number): string {
  const now = Math.floor(Date.now() / 60_000) * 60
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: KAFKA_USER, iat: now - 3600, exp: now + 60 + secondsLeft * 10 }
  return `${part({ alg: 'none' })}.${part(claims)}.`
}
