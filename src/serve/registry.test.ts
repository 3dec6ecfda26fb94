import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { nodePorts } from '../ports/node/ports.ts'
import { openRegistryStore, readRegistry } from '../registry/store.ts'
import { type HttpServer, serveHttp } from './http.ts'
import { addRegistryRoutes } from './registry-routes.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
const ports = nodePorts()
let server: HttpServer
let close: () => Promise<void>

before(async () => {
  ;({ server, close } = await start())
})
after(async () => {
  await close()
  rmSync(directory, { recursive: true })
})

async function start() {
  const store = await openRegistryStore(ports, directory)
  const http = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => ({
      version: '0',
      processId: 1,
      epoch: 1,
      startedMs: 0,
      directory,
      pipelines: [],
    }),
    routes: (app) => addRegistryRoutes(app, store),
  })
  return {
    server: http,
    close: async () => {
      await http.close()
      await store.close()
    },
  }
}

async function ask(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        }),
  })
  const json: unknown = await answer.json()
  return { status: answer.status, json, type: answer.headers.get('content-type') }
}

const record = (...fields: object[]) => ({
  schema: JSON.stringify({ type: 'record', name: 'R', fields }),
})
const a = { name: 'a', type: 'string' }
const refused = (status: number, errorCode: number) => ({ status, errorCode })

async function refusal(method: string, path: string, body?: unknown) {
  const { status, json } = await ask(method, path, body)
  return refused(status, (json as { error_code: number }).error_code)
}

test('a schema has one id whatever its subject, and versions count up', async () => {
  const first = await ask('POST', '/subjects/s1/versions', record(a))
  assert.equal(first.status, 200)
  assert.equal(first.type, 'application/vnd.schemaregistry.v1+json')
  const { id } = first.json as { id: number }
  const again = await ask('POST', '/subjects/s1/versions', record(a))
  const other = await ask('POST', '/subjects/s2/versions', record(a))
  assert.equal((again.json as { id: number }).id, id)
  assert.equal((other.json as { id: number }).id, id)
  await ask('POST', '/subjects/s1/versions', record(a, { name: 'b', type: 'int', default: 0 }))
  assert.deepEqual((await ask('GET', '/subjects/s1/versions')).json, [1, 2])
  assert.deepEqual((await ask('GET', `/schemas/ids/${id}/versions`)).json, [
    { subject: 's1', version: 1 },
    { subject: 's2', version: 1 },
  ])
  assert.deepEqual((await ask('GET', `/schemas/ids/${id}`)).json, { schema: record(a).schema })
  const found = await ask('POST', '/subjects/s1', record(a))
  assert.deepEqual(found.json, { subject: 's1', version: 1, id, schema: record(a).schema })
})

test('what does not fit is refused at registration, with the rule and the place', async () => {
  await ask('POST', '/subjects/r/versions', record(a))
  const { status, json } = await ask(
    'POST',
    '/subjects/r/versions',
    record({ name: 'z', type: 'int' }),
  )
  const { error_code, message } = json as { error_code: number; message: string }
  assert.deepEqual([status, error_code], [409, 409])
  assert.match(
    message,
    /READER_FIELD_MISSING_DEFAULT_VALUE at \/fields\/0: field z was not written/,
  )
  const check = '/compatibility/subjects/r/versions/latest?verbose=true'
  const { json: told } = await ask('POST', check, record({ name: 'z', type: 'int' }))
  assert.equal((told as { is_compatible: boolean }).is_compatible, false)
  assert.deepEqual((await ask('POST', check, record(a))).json, {
    is_compatible: true,
    messages: [],
  })
})

test('levels are set for all and for a subject', async () => {
  assert.deepEqual((await ask('GET', '/config')).json, { compatibilityLevel: 'BACKWARD' })
  assert.deepEqual(await refusal('GET', '/config/levels'), refused(404, 40408))
  assert.deepEqual(
    await refusal('PUT', '/config/levels', { compatibility: 'SIDEWAYS' }),
    refused(422, 42203),
  )
  assert.deepEqual((await ask('PUT', '/config/levels', { compatibility: 'NONE' })).json, {
    compatibility: 'NONE',
  })
  await ask('POST', '/subjects/levels/versions', record(a))
  const next = await ask('POST', '/subjects/levels/versions', record({ name: 'z', type: 'int' }))
  assert.equal(next.status, 200)
  assert.deepEqual((await ask('DELETE', '/config/levels')).json, { compatibilityLevel: 'NONE' })
  assert.deepEqual((await ask('GET', '/config/levels?defaultToGlobal=true')).json, {
    compatibilityLevel: 'BACKWARD',
  })
})

test('a version is deleted softly, then for good, and never while it is referred to', async () => {
  await ask('POST', '/subjects/money/versions', record(a))
  const refers = {
    schema: JSON.stringify({ type: 'record', name: 'Q', fields: [{ name: 'r', type: 'R' }] }),
    references: [{ name: 'R', subject: 'money', version: 1 }],
  }
  const { json } = await ask('POST', '/subjects/order/versions', refers)
  assert.deepEqual((await ask('GET', '/subjects/money/versions/1/referencedby')).json, [
    (json as { id: number }).id,
  ])
  assert.deepEqual(await refusal('DELETE', '/subjects/money/versions/1'), refused(422, 42206))
  assert.deepEqual((await ask('DELETE', '/subjects/order')).json, [1])
  assert.deepEqual(await refusal('GET', '/subjects/order/versions'), refused(404, 40401))
  assert.deepEqual((await ask('GET', '/subjects/order/versions?deleted=true')).json, [1])
  assert.deepEqual(await refusal('DELETE', '/subjects/order'), refused(404, 40404))
  assert.deepEqual((await ask('DELETE', '/subjects/order?permanent=true')).json, [1])
  assert.deepEqual(
    await refusal('DELETE', '/subjects/money/versions/1?permanent=true'),
    refused(404, 40407),
  )
  assert.equal((await ask('DELETE', '/subjects/money/versions/1')).json, 1)
  assert.deepEqual(await refusal('DELETE', '/subjects/money/versions/1'), refused(404, 40406))
  assert.equal((await ask('DELETE', '/subjects/money/versions/1?permanent=true')).json, 1)
  assert.deepEqual(
    await refusal('GET', '/subjects/money/versions?deleted=true'),
    refused(404, 40401),
  )
})

test('what is not there, and what is no schema, has its number', async () => {
  assert.deepEqual(await refusal('GET', '/schemas/ids/99999'), refused(404, 40403))
  assert.deepEqual(await refusal('GET', '/subjects/nope/versions'), refused(404, 40401))
  await ask('POST', '/subjects/n/versions', record(a))
  assert.deepEqual(await refusal('GET', '/subjects/n/versions/9'), refused(404, 40402))
  assert.deepEqual(await refusal('GET', '/subjects/n/versions/zero'), refused(422, 42202))
  assert.deepEqual(
    await refusal('POST', '/subjects/n', record({ name: 'q', type: 'int' })),
    refused(404, 40403),
  )
  const post = (body: unknown) => refusal('POST', '/subjects/n/versions', body)
  assert.deepEqual(await post({ schema: '{"type":"nope"}' }), refused(422, 42201))
  assert.deepEqual(await post({ schema: '{', schemaType: 'JSON' }), refused(422, 42201))
  assert.deepEqual(await post({ schema: 'message {', schemaType: 'PROTOBUF' }), refused(422, 42201))
  assert.deepEqual(await post({ schema: '{}', schemaType: 'XML' }), refused(422, 42201))
  const lacking = { schema: 'syntax = "proto3"; message M { Nope a = 1; }', schemaType: 'PROTOBUF' }
  assert.deepEqual(await post(lacking), refused(422, 42201))
  const remote = { schema: '{"$ref":"http://127.0.0.1:1/x.json"}', schemaType: 'JSON' }
  assert.deepEqual(await post(remote), refused(422, 42201))
  assert.deepEqual(
    await refusal('POST', '/subjects/__GLOBAL/versions', record(a)),
    refused(422, 42208),
  )
})

test('a mode refuses writing, or lets ids be chosen', async () => {
  await ask('PUT', '/mode/m', { mode: 'READONLY' })
  assert.deepEqual(await refusal('POST', '/subjects/m/versions', record(a)), refused(422, 42205))
  assert.deepEqual(await refusal('PUT', '/mode/m', { mode: 'SLEEPY' }), refused(422, 42204))
  await ask('PUT', '/mode/m', { mode: 'IMPORT' })
  const schema = record({ name: 'only', type: 'long' })
  const { json } = await ask('POST', '/subjects/m/versions', { ...schema, id: 700, version: 5 })
  assert.equal((json as { id: number }).id, 700)
  assert.deepEqual((await ask('GET', '/subjects/m/versions')).json, [5])
  assert.deepEqual((await ask('DELETE', '/mode/m')).json, { mode: 'IMPORT' })
  assert.deepEqual(await refusal('GET', '/mode/m'), refused(404, 40409))
})

test('Protobuf is told as text or serialized, however it was registered', async () => {
  const text =
    'syntax = "proto3";\npackage p;\nmessage M { optional string a = 1; map<string, N> b = 2; oneof o { int32 c = 3; } message N { repeated E e = 1; } }\nenum E { ZERO = 0; }'
  const of = (json: unknown) => (json as { schema: string }).schema
  const { json } = await ask('POST', '/subjects/proto/versions', {
    schema: text,
    schemaType: 'PROTOBUF',
  })
  const { id } = json as { id: number }
  const serialized = of((await ask('GET', `/schemas/ids/${id}?format=serialized`)).json)
  assert.match(serialized, /^[A-Za-z0-9+/]+=*$/)
  const other = await ask('POST', '/subjects/proto2/versions', {
    schema: serialized,
    schemaType: 'PROTOBUF',
  })
  const back = of((await ask('GET', `/schemas/ids/${(other.json as { id: number }).id}`)).json)
  assert.match(back, /map<string, \.p\.M\.N> b = 2;/)
  assert.match(back, /optional string a = 1;/)
  const check = '/compatibility/subjects/proto/versions/latest'
  assert.deepEqual((await ask('POST', check, { schema: back, schemaType: 'PROTOBUF' })).json, {
    is_compatible: true,
  })
})

test('many at once get one id each for what differs, and one for what is the same', async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, at) =>
      ask('POST', `/subjects/race-${at}/versions`, record({ name: `r${at % 20}`, type: 'int' })),
    ),
  )
  const ids = answers.map(({ json }) => (json as { id: number }).id)
  assert.equal(new Set(ids).size, 20)
  const same = await Promise.all(
    Array.from({ length: 20 }, () => ask('POST', '/subjects/race/versions', record(a))),
  )
  assert.equal(new Set(same.map(({ json }) => (json as { id: number }).id)).size, 1)
  assert.deepEqual((await ask('GET', '/subjects/race/versions')).json, [1])
})

test('names of subjects may be long, and hold what paths separate', async () => {
  const subject = `a/b c%d:${'long.'.repeat(200)}Ünïcode-value`
  const path = `/subjects/${encodeURIComponent(subject)}/versions`
  assert.equal((await ask('POST', path, record(a))).status, 200)
  assert.deepEqual((await ask('GET', path)).json, [1])
  const found = await ask('GET', `/subjects?subjectPrefix=${encodeURIComponent('a/b')}`)
  assert.deepEqual(found.json, [subject])
})

test('a large schema is taken, and a body beyond the bound is not', async () => {
  const fields = Array.from({ length: 20_000 }, (_, at) => ({ name: `f${at}`, type: 'int' }))
  const large = await ask('POST', '/subjects/large/versions', record(...fields))
  assert.equal(large.status, 200)
  const { status } = await ask('POST', '/subjects/huge/versions', { schema: 'x'.repeat(9 << 20) })
  assert.equal(status, 413)
  const answer = await fetch(`${server.url}/subjects/bad/versions`, { method: 'POST', body: '{' })
  assert.equal(answer.status, 422)
})

test('all of it is there again after a restart, and ids are not given twice', async () => {
  const { json } = await ask(
    'POST',
    '/subjects/gone/versions',
    record({ name: 'gone', type: 'int' }),
  )
  const { id } = json as { id: number }
  await ask('DELETE', '/subjects/gone')
  await ask('DELETE', '/subjects/gone?permanent=true')
  const subjects = (await ask('GET', '/subjects')).json
  await close()
  ;({ server, close } = await start())
  assert.deepEqual((await ask('GET', '/subjects')).json, subjects)
  assert.deepEqual(readRegistry(ports, directory).state.subjects(false), subjects)
  const next = await ask('POST', '/subjects/new/versions', record({ name: 'new', type: 'int' }))
  assert.ok((next.json as { id: number }).id > id)
})
