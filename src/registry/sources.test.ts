import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { nodePorts } from '../ports/node/ports.ts'
import { signedHeaders } from './aws-signature.ts'
import { confluentSchemas } from './confluent-source.ts'
import { glueSchemas } from './glue-source.ts'
import { localSchemas } from './local-source.ts'
import { openSchemas } from './open-source.ts'

const ports = nodePorts()
const directory = mkdtempSync(join(tmpdir(), 'millrace-sources-'))
const servers: Server[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(directory, { recursive: true })
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const schema = (text: string) => ({ type: 'AVRO', text, references: [] }) as const

/** Answers by path, and notes who asks. */
async function answering(answers: Readonly<Record<string, readonly [number, unknown]>>) {
  const asked: { path: string; authorization: string | undefined }[] = []
  const port = await listen(
    createServer((request, response) => {
      asked.push({ path: request.url!, authorization: request.headers.authorization })
      const [status, body] = answers[request.url!] ?? [
        404,
        { error_code: 40403, message: 'Schema not found' },
      ]
      json(response, status, body)
    }),
  )
  return { url: `http://127.0.0.1:${port}`, asked }
}

test('a schema comes with all that it refers to, what is needed first', async () => {
  const { url, asked } = await answering({
    '/schemas/ids/7': [
      200,
      { schema: '"C"', references: [{ name: 'B', subject: 'b', version: 2 }] },
    ],
    '/subjects/b/versions/2': [
      200,
      { id: 6, schema: '"B"', references: [{ name: 'A', subject: 'a', version: 1 }] },
    ],
    '/subjects/a/versions/1': [200, { id: 5, schema: '"A"' }],
  })
  const source = confluentSchemas(ports, { url, userInfo: 'user:secret' })
  assert.deepEqual(await source.byId(7), {
    id: 7,
    type: 'AVRO',
    text: '"C"',
    references: [
      { name: 'A', text: '"A"' },
      { name: 'B', text: '"B"' },
    ],
  })
  assert.equal(asked[0]!.authorization, `Basic ${Buffer.from('user:secret').toString('base64')}`)
})

test('each fault of a registry is an error of its own, without its credentials', async () => {
  const { url } = await answering({
    '/schemas/ids/1': [401, {}],
    '/schemas/ids/2': [503, {}],
    '/subjects/s/versions': [409, { error_code: 409, message: 'incompatible: TYPE_MISMATCH' }],
    '/subjects/t/versions': [422, { error_code: 42201, message: 'no schema' }],
  })
  const source = confluentSchemas(ports, { url: url.replace('//', '//me:planted-secret@') })
  const codeOf = async (work: Promise<unknown>) => {
    const error: unknown = await work.then(
      () => undefined,
      (caught: unknown) => caught,
    )
    assert.ok(!JSON.stringify([error, String(error)]).includes('planted-secret'))
    return (error as { code: string }).code
  }
  assert.equal(await codeOf(source.byId(1)), 'REGISTRY_DENIED')
  assert.equal(await codeOf(source.byId(2)), 'REGISTRY_UNREACHABLE')
  assert.equal(await codeOf(source.byId(3)), 'SCHEMA_ID_UNKNOWN')
  assert.equal(await codeOf(source.register('s', schema('"int"'))), 'SCHEMA_INCOMPATIBLE')
  assert.equal(await codeOf(source.register('t', schema('"x"'))), 'SCHEMA_INVALID')
  const nowhere = confluentSchemas(ports, { url: 'http://127.0.0.1:1' })
  assert.equal(await codeOf(nowhere.byId(1)), 'REGISTRY_UNREACHABLE')
})

test('of several addresses the next is tried, and a bearer token is sent to each', async () => {
  const { url, asked } = await answering({ '/schemas/ids/1': [200, { schema: '"int"' }] })
  const source = confluentSchemas(ports, { url: `http://127.0.0.1:1,${url}`, token: 'abc' })
  assert.equal((await source.byId(1)).text, '"int"')
  assert.equal(asked[0]!.authorization, 'Bearer abc')
})

test('TLS is verified, and a client certificate is shown where one is given', async () => {
  const file = (name: string) => join(directory, name)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  for (const name of ['server', 'client'])
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      ...subject,
    )
  execFileSync('sh', ['-c', 'cat client.crt client.key > client.pem'], { cwd: directory })
  const port = await listen(
    createTlsServer(
      {
        cert: readFileSync(file('server.crt')),
        key: readFileSync(file('server.key')),
        ca: readFileSync(file('client.crt')),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (_, response) => json(response, 200, { schema: '"int"' }),
    ),
  )
  const options = { 'avro-confluent.url': `https://127.0.0.1:${port}` }
  const open = (more: Record<string, string>) =>
    openSchemas('avro-confluent', {
      table: 't',
      options: { ...options, ...more },
      ports,
      dataDirectory: directory,
    })!
  const trust = { 'avro-confluent.ssl.truststore.location': file('server.crt') }
  await assert.rejects(open({}).byId(1), { code: 'REGISTRY_UNREACHABLE' })
  await assert.rejects(open(trust).byId(1), { code: 'REGISTRY_UNREACHABLE' })
  const known = open({ ...trust, 'avro-confluent.ssl.keystore.location': file('client.pem') })
  assert.equal((await known.byId(1)).text, '"int"')
  assert.throws(() => open({ 'avro-confluent.ssl.truststore.location': file('none') }), {
    code: 'FILE_MISSING',
  })
})

test('an answer that does not end, or is no JSON, is no schema', async () => {
  const port = await listen(
    createServer((_, response) => void response.writeHead(200).end('<html>')),
  )
  const source = confluentSchemas(ports, { url: `http://127.0.0.1:${port}` })
  await assert.rejects(source.byId(1), { code: 'REGISTRY_REFUSED' })
  const cut = await listen(
    createServer((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"schema"')
      setImmediate(() => response.destroy())
    }),
  )
  const half = confluentSchemas(ports, { url: `http://127.0.0.1:${cut}` })
  await assert.rejects(half.byId(1), { code: 'REGISTRY_UNREACHABLE' })
})

test("the project's own registry gives ids, and refuses what does not fit", async () => {
  const source = localSchemas(ports, join(directory, 'data'))
  const record = (type: string) =>
    schema(JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type }] }))
  const id = await source.register('s', record('int'))
  assert.equal(await source.register('s', record('int')), id)
  assert.equal((await source.byId(id)).text, record('int').text)
  await assert.rejects(source.register('s', record('string')), { code: 'SCHEMA_INCOMPATIBLE' })
  await assert.rejects(source.register('s', schema('{"type":"x"}')), { code: 'SCHEMA_INVALID' })
  await assert.rejects(source.byId(99), { code: 'SCHEMA_ID_UNKNOWN' })
  assert.equal(await source.latest('none'), undefined)
  assert.equal((await source.latest('s'))?.id, id)
})

test('Glue is asked by signed requests, and what it has not is made', async () => {
  const targets: string[] = []
  const port = await listen(
    createServer((request, response) => {
      const target = String(request.headers['x-amz-target']).replace('AWSGlue.', '')
      targets.push(target)
      assert.match(
        request.headers.authorization!,
        /^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/eu-west-1\/glue\/aws4_request/,
      )
      const missing = { __type: 'EntityNotFoundException', Message: 'none' }
      if (target === 'RegisterSchemaVersion') json(response, 400, missing)
      else if (target === 'CreateSchema')
        json(response, 200, { SchemaVersionId: 'u-1', SchemaVersionStatus: 'PENDING' })
      else
        json(response, 200, {
          SchemaVersionId: 'u-1',
          SchemaDefinition: '"int"',
          DataFormat: 'AVRO',
          Status: targets.length > 4 ? 'FAILURE' : 'AVAILABLE',
        })
    }),
  )
  const options = {
    'avro-glue.endpoint': `http://127.0.0.1:${port}`,
    'avro-glue.region': 'eu-west-1',
    'avro-glue.access-key-id': 'id',
    'avro-glue.secret-access-key': 'planted-secret',
  }
  const source = glueSchemas({ table: 't', options, ports, dataDirectory: directory }, 'avro-glue')
  assert.equal(await source.register('s', schema('"int"')), 'u-1')
  assert.deepEqual(targets, ['RegisterSchemaVersion', 'CreateSchema', 'GetSchemaVersion'])
  assert.equal((await source.byId('u-1')).text, '"int"')
  await assert.rejects(source.register('s', schema('"long"')), { code: 'SCHEMA_INCOMPATIBLE' })
  assert.throws(
    () => glueSchemas({ table: 't', options: {}, ports, dataDirectory: directory }, 'avro-glue'),
    { code: 'OPTION_INVALID' },
  )
})

test('a request is signed as the documentation of AWS signs its example', () => {
  const headers = signedHeaders({
    url: 'https://example.amazonaws.com/',
    region: 'us-east-1',
    service: 'service',
    body: 'Param1=value1',
    nowMs: Date.UTC(2015, 7, 30, 12, 36, 0),
    credentials: {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  // post-x-www-form-urlencoded of the AWS Signature Version 4 test suite.
  assert.match(
    headers.authorization!,
    /Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a$/,
  )
})
