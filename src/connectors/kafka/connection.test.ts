/** How the managed services of docs/kafka.md are reached, by the options that stand there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { nodePorts } from '../../ports/node/ports.ts'
import { connectionOptions } from './connection.ts'
import { propertiesOf } from './properties.ts'

function documented(service: string) {
  const section = readFileSync('docs/kafka.md', 'utf8').split(`### ${service}\n`)[1]!
  const block = /```sql\n([\s\S]*?)```/.exec(section)![1]!
  const options = Object.fromEntries(
    [...block.matchAll(/'(properties\.[^']+)' = '([^']*)'/g)].map(([, key, value]) => [
      key!,
      value!.replace(/\$\{env:(\w+)\}/g, 'value of $1'),
    ]),
  )
  const { sasl, tls } = connectionOptions(propertiesOf('t', options), nodePorts())
  return { ...sasl, tls }
}

test('Confluent Cloud and Event Hubs are asked over TLS, with user and password', () => {
  const cloud = documented('Confluent Cloud')
  assert.deepEqual(
    [cloud.mechanism, cloud.username, cloud.password, cloud.tls],
    ['PLAIN', 'value of CC_KEY', 'value of CC_SECRET', {}],
  )
  const hubs = documented('Azure Event Hubs')
  assert.deepEqual(
    [hubs.mechanism, hubs.username, hubs.password, hubs.tls],
    ['PLAIN', '$ConnectionString', 'value of EVENT_HUBS', {}],
  )
})

test('Amazon MSK is given a token over TLS', () => {
  const { mechanism, token, tls } = documented('Amazon MSK')
  assert.deepEqual([mechanism, typeof token, tls], ['OAUTHBEARER', 'function', {}])
})
