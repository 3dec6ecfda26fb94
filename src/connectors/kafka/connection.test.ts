/** How the managed services of docs/kafka.md are reached, by the options that stand there. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { createServer } from 'node:tls'
import { nodePorts } from '../../ports/node/ports.ts'
import { batchConnections } from './batch-connection.ts'
import { openCluster } from './cluster.ts'
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

test('TLS is begun with the name of the broker, by which those behind one address are told apart, and with no address', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-sni-'))
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  const made = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', ...made, '-keyout', 'key.pem', '-out', 'ca.pem', ...subject], {
    cwd: directory,
    stdio: 'pipe',
  })
  const ca = join(directory, 'ca.pem')
  const told: unknown[] = []
  const server = createServer(
    { key: readFileSync(join(directory, 'key.pem')), cert: readFileSync(ca) },
    (socket) => void told.push(socket.on('error', () => {}).servername),
  )
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  const ports = nodePorts()
  const isTold = async (count: number) => {
    while (told.length < count) await ports.clock.sleep(2)
  }
  const client = await import('@platformatic/kafka')
  for (const host of ['localhost', '127.0.0.1']) {
    const servers = `${host}:${port}`
    const options = {
      'properties.bootstrap.servers': servers,
      'properties.security.protocol': 'SSL',
      'properties.ssl.truststore.location': ca,
    }
    const connection = connectionOptions(propertiesOf('t', options), ports)
    const cluster = await openCluster({ servers, clientId: 'c', connection, ports })
    const fetching = batchConnections(client, 'c', connection)
    const before = told.length
    await cluster.connection('ask')
    await isTold(before + 1)
    await fetching.to('fetch', { host, port })
    await isTold(before + 2)
    await fetching.close()
    await cluster.close()
  }
  await new Promise((resolve) => server.close(resolve))
  rmSync(directory, { recursive: true })
  assert.deepEqual(told, ['localhost', 'localhost', false, false])
})
