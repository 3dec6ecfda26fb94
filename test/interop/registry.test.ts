/** The embedded registry against clients and a registry that others made. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { openRegistryStore } from '../../src/registry/store.ts'
import { serveHttp } from '../../src/serve/http.ts'
import { addRegistryRoutes } from '../../src/serve/registry-routes.ts'
import { ownCases } from '../conformance/compatibility/cases.ts'
import type { CompatibilityCase } from '../conformance/schema-compatibility.ts'
import { runNodeClients, runPythonClients, startApicurio } from './registry-peers.ts'

const HEADERS = { 'content-type': 'application/vnd.schemaregistry.v1+json' }

async function withRegistry(use: (url: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-registry-interop-'))
  const store = await openRegistryStore(nodePorts(), directory)
  const status = { version: '0', processId: 1, epoch: 1, startedMs: 0, directory, pipelines: [] }
  const http = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => status,
    routes: (app) => addRegistryRoutes(app, store),
  })
  try {
    await use(http.url)
  } finally {
    await http.close()
    await store.close()
    rmSync(directory, { recursive: true })
  }
}

test('two JavaScript clients register, write and read Avro, JSON and Protobuf', async () => {
  await withRegistry(async (url) => {
    const { kafkajsRefused, confluentRefused, ...told } = await runNodeClients(url)
    assert.match(String(kafkajsRefused), /incompatible with an earlier schema/)
    assert.match(String(confluentRefused), /^409 .*TYPE_MISMATCH at \/fields\/0\/type/)
    assert.deepEqual(
      Object.entries(told).filter(([, isRight]) => isRight !== true),
      [],
    )
    assert.equal(Object.keys(told).length, 10)
  })
})

test("Confluent's Python serializers write and read Avro, JSON and Protobuf", async () => {
  await withRegistry(async (url) => {
    const told = await runPythonClients(url)
    const right = ['avro', 'json', 'jsonRefused', 'protobuf', 'compatible']
    assert.deepEqual(
      right.filter((name) => told[name] !== true),
      [],
    )
    assert.deepEqual(told.refused, [409, 409])
    assert.deepEqual(told.subjects, ['py-avro-value', 'py-json-value', 'py-proto-value'])
  })
})

/**
 * Where Apicurio answers otherwise than Confluent documents: it refuses changes of `format`, of a required property's default and of
 * combinations of one; it does not compare `const`; its reader of JSON Schema fails on numbers in exclusive limits and on 2020-12.
 */
const APICURIO_DIFFERS =
  /exclusiveM|2020-12|format is added|default is added to a closed|default becomes required|of anything is added|of nothing is removed|covered .*property|covered by a pattern|combination of one|duplicates in oneOf|one of several|all of several|all of one|const is changed/

test('Apicurio answers as we do, but where it has rules of its own', async () => {
  const apicurio = await startApicurio(18_471)
  try {
    const different: string[] = []
    const levels = ['BACKWARD', 'FORWARD']
    const cases = ownCases().filter(
      ({ format, level, references }) =>
        // Its rules for Protobuf are its own: fields may not go unless reserved, nor change within a group.
        format !== 'PROTOBUF' && levels.includes(level) && references === undefined,
    )
    for (const [index, each] of cases.entries()) {
      const verdict = await verdictOf(apicurio.url, each, `case-${index}`)
      if (verdict !== undefined && verdict !== each.compatible) different.push(String(each.id))
    }
    assert.deepEqual(
      different.filter((id) => id.startsWith('avro') || !APICURIO_DIFFERS.test(id)),
      [],
    )
  } finally {
    apicurio.stop()
  }
})

async function verdictOf(
  url: string,
  { format, level, old, new: next }: CompatibilityCase,
  subject: string,
): Promise<boolean | undefined> {
  const send = (method: string, path: string, body: unknown) =>
    fetch(`${url}${path}`, { method, headers: HEADERS, body: JSON.stringify(body) })
  const olds = Array.isArray(old) ? old : [old]
  if (olds.length !== 1) return undefined
  const register = (schema: unknown) =>
    send('POST', `/subjects/${subject}/versions`, { schemaType: format, schema })
  if (!(await register(olds[0])).ok) return undefined
  await send('PUT', `/config/${subject}`, { compatibility: level })
  return (await register(next)).ok
}
