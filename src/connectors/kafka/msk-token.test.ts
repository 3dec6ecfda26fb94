import assert from 'node:assert/strict'
import test from 'node:test'
import { mskToken, mskTokens } from './msk-token.ts'
import { propertiesOf } from './properties.ts'

const NOW_MS = Date.UTC(2026, 0, 31, 12)
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'planted-secret' }
const urlOf = (token: string) => new URL(Buffer.from(token, 'base64url').toString())

function tokens(
  options: Readonly<Record<string, string>>,
  jaas: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
): () => Promise<string> {
  return mskTokens(propertiesOf('t', options), jaas, environment, () => NOW_MS)
}

test('a token is a signed url of the region that asks to connect, for a quarter of an hour', () => {
  const url = urlOf(mskToken('eu-north-1', { accessKeyId: 'a', secretAccessKey: 'b' }, NOW_MS))
  const { 'X-Amz-Signature': signature, ...asked } = Object.fromEntries(url.searchParams)
  assert.match(signature!, /^[0-9a-f]{64}$/)
  assert.equal(url.host, 'kafka.eu-north-1.amazonaws.com')
  assert.deepEqual(asked, {
    Action: 'kafka-cluster:Connect',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'a/20260131/eu-north-1/kafka-cluster/aws4_request',
    'X-Amz-Date': '20260131T120000Z',
    'X-Amz-Expires': '900',
    'X-Amz-SignedHeaders': 'host',
    'User-Agent': 'millrace',
  })
})

test("the region is the option's, that of the brokers' names, or the environment's", async () => {
  const region = async (options: Readonly<Record<string, string>>) =>
    urlOf(await tokens(options, {}, { ...KEYS, AWS_REGION: 'us-west-2' })()).host.split('.')[1]
  const servers = 'b-1.c.d.c2.kafka.us-east-1.amazonaws.com:9098'
  assert.equal(await region({}), 'us-west-2')
  assert.equal(await region({ 'properties.bootstrap.servers': servers }), 'us-east-1')
  const named = { 'properties.sasl.oauthbearer.aws.region': 'eu-west-1' }
  assert.equal(await region({ ...named, 'properties.bootstrap.servers': servers }), 'eu-west-1')
  for (const bad of [{}, { 'properties.sasl.oauthbearer.aws.region': 'x/../evil.example' }])
    assert.throws(() => tokens(bad, {}, KEYS), { code: 'KAFKA_OPTION_INVALID' })
})

test("credentials are the JAAS entry's, or the environment's, and none are told", async () => {
  const options = { 'properties.sasl.oauthbearer.aws.region': 'eu-west-1' }
  const who = (token: string) => urlOf(token).searchParams.get('X-Amz-Credential')!.split('/')[0]
  assert.equal(who(await tokens(options, {}, KEYS)()), 'AKIDEXAMPLE')
  const jaas = { awsAccessKeyId: 'OWN', awsSecretAccessKey: 'own', awsSessionToken: 'session' }
  const token = await tokens(options, jaas, KEYS)()
  assert.equal(who(token), 'OWN')
  assert.equal(urlOf(token).searchParams.get('X-Amz-Security-Token'), 'session')
  await assert.rejects(tokens(options, { awsProfileName: 'p' }, KEYS)(), (error: Error) => {
    assert.match(JSON.stringify(error), /npm install @aws-sdk\/credential-providers/)
    assert.ok(!JSON.stringify(error).includes('planted-secret'))
    return true
  })
})
