import assert from 'node:assert/strict'
import test from 'node:test'
import { MillraceError } from '../../errors.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { tokenRefusal } from './bearer-token.ts'
import { connectionOptions } from './connection.ts'
import { propertiesOf } from './properties.ts'

function connecting(given: Readonly<Record<string, string>>): ReturnType<typeof connectionOptions> {
  const options = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`properties.${name}`, value]),
  )
  return connectionOptions(propertiesOf('t', options), nodePorts())
}

test('a JAAS entry gives the user and the password, quoted or not, with what is escaped in it', () => {
  const jaas = 'org.X required username="a b" password="p\\"w;\\\\" extra=1;'
  const { sasl } = connecting({
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': jaas,
  })
  assert.deepEqual(sasl, { mechanism: 'PLAIN', username: 'a b', password: 'p"w;\\' })
})

test('user and password may stand in two options, and certificates in the text', () => {
  const { sasl, tls } = connecting({
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.username': 'u',
    'sasl.password': 'p',
    'ssl.truststore.certificates': 'CA',
    'ssl.keystore.key': 'KEY',
    'ssl.keystore.certificate.chain': 'CHAIN',
  })
  assert.deepEqual(sasl, { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'p' })
  assert.deepEqual(tls, { ca: 'CA', key: 'KEY', cert: 'CHAIN' })
})

test('host names are checked unless someone asks that they are not', () => {
  const named = connecting({ 'security.protocol': 'SSL' }).tls
  const unnamed = connecting({
    'security.protocol': 'SSL',
    'ssl.endpoint.identification.algorithm': '',
  }).tls
  assert.equal(named?.checkServerIdentity, undefined)
  assert.equal(unnamed?.checkServerIdentity?.('x', {} as never), undefined)
  assert.notEqual(unnamed?.rejectUnauthorized, false)
})

const refused: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['a name that Kafka does not know', { 'isolation.levle': 'x' }],
  ['a protocol that is none', { 'security.protocol': 'TLS' }],
  [
    'a mechanism that is not there',
    { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'GSSAPI' },
  ],
  [
    'a user without a password',
    { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'PLAIN', 'sasl.username': 'hunter2' },
  ],
  ['tokens from nowhere', { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'OAUTHBEARER' }],
  [
    'a key store that is not read',
    { 'security.protocol': 'SSL', 'ssl.keystore.location': 'k.jks' },
  ],
  ['a number that is none', { 'request.timeout.ms': 'hunter2' }],
]

for (const [what, given] of refused)
  test(`${what} is refused, and its value not told`, () => {
    assert.throws(
      () => connecting(given),
      (error) => {
        assert.ok(error instanceof MillraceError)
        assert.equal(error.code, 'KAFKA_OPTION_INVALID')
        assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.facts]), /hunter2/)
        return true
      },
    )
  })

test('an answer to a token is a refusal where it says so', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  assert.equal(tokenRefusal(bytes('')), undefined)
  assert.equal(tokenRefusal(bytes('{"status":"invalid_token"}')), 'invalid_token')
})
