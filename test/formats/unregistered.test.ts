/** Sinks that may not register what they write: they start if it is there already, and are refused by name if it is not. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { localSchemas } from '../../src/registry/local-source.ts'
import { openRegistryStore } from '../../src/registry/store.ts'
import { serveHttp } from '../../src/serve/http.ts'
import { addRegistryRoutes } from '../../src/serve/registry-routes.ts'
import { type SqlDirectory, sqlDirectory } from '../builders/sql-run.ts'

const FORMATS = [
  'avro-confluent',
  'json-confluent',
  'protobuf-confluent',
  'debezium-avro-confluent',
] as const

/** The project's registry over HTTP. */
async function serving(sql: SqlDirectory, use: (url: string) => Promise<void>): Promise<void> {
  const store = await openRegistryStore(sql.ports, sql.dataDirectory)
  const { directory } = sql
  const http = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => ({
      ...{ version: '0', processId: 1, epoch: 1, startedMs: 0, directory, pipelines: [] },
    }),
    routes: (app) => addRegistryRoutes(app, store),
  })
  try {
    await use(http.url)
  } finally {
    await http.close()
    await store.close()
  }
}

/** Refused while the subject is not there, taken when it is, refused with other columns. */
async function holds(
  sql: SqlDirectory,
  format: string,
  registered: Readonly<Record<string, string>>,
): Promise<void> {
  const run = (columns: string, registers: boolean) => {
    const options = { ...registered, 'auto.register.schemas': String(registers) }
    const told = Object.entries(options).map(([name, value]) => `'${format}.${name}' = '${value}'`)
    return sql.run(`CREATE TABLE t (${columns})
      WITH ('connector' = 'log', 'topic' = '${format}', 'format' = '${format}', ${told.join(', ')});
      INSERT INTO t SELECT id FROM (VALUES (1)) AS v (id);`)
  }
  const subject = `${format}-value`
  await assert.rejects(run('id INT', false), (error: Error & { code: string; hint: string }) => {
    assert.equal(error.code, 'SCHEMA_MISSING')
    assert.equal(error.message, `table t: the registry has no subject ${subject}`)
    assert.match(error.hint, /auto\.register\.schemas' = 'true'; it is .*id/s)
    return true
  })
  const latest = async () => (await localSchemas(sql.ports, sql.dataDirectory).latest(subject))?.id
  assert.equal(await latest(), undefined)
  await run('id INT', true)
  const id = await latest()
  await run('id INT', false)
  await assert.rejects(run('other INT', false), {
    code: 'SCHEMA_MISSING',
    message: `table t: no version of subject ${subject} is the schema that the table writes`,
  })
  assert.equal(await latest(), id)
}

for (const format of FORMATS) {
  test(`${format}: a sink that may not register its schema starts only if the project's registry has it`, async () => {
    await using sql = sqlDirectory()
    await holds(sql, format, {})
  })

  test(`${format}: a sink that may not register its schema starts only if a registry over HTTP has it`, async () => {
    await using sql = sqlDirectory()
    await serving(sql, (url) => holds(sql, format, { url }))
  })
}
