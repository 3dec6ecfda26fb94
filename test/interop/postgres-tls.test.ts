/** Lookups in a real PostgreSQL that takes no connection in plain text: whose certificate is trusted, and whose is not. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { POSTGRES, type PostgresServer, startPostgres } from '../../scripts/engines/postgres.ts'
import { open } from '../../src/index.ts'
import { inDirectory } from '../cli/process.ts'

const certificates = mkdtempSync(join(tmpdir(), 'millrace-postgres-tls-'))
const file = (name: string) => join(certificates, name)
let server: PostgresServer

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: certificates, stdio: 'pipe' })
}

/** An authority that signs for a host, and one that has signed nothing here. */
function makeCertificates(host: string): void {
  const made = ['-newkey', 'rsa:2048', '-nodes']
  for (const authority of ['ca', 'stranger'])
    openssl(
      ...['req', '-x509', ...made, '-days', '2', '-subj', `/CN=${authority}`],
      ...['-keyout', `${authority}.key`, '-out', `${authority}.pem`],
    )
  openssl('req', ...made, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=database')
  writeFileSync(file('server.ext'), `subjectAltName=${host}\n`)
  openssl(
    ...[
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
    ],
    ...['-days', '2', '-extfile', 'server.ext', '-out', 'server.pem'],
  )
}

before(async () => {
  // The address by which the tests ask is not in it: only the name is.
  makeCertificates('DNS:localhost')
  const read = (name: string) => readFileSync(file(name), 'utf8')
  server = await startPostgres({
    tls: { key: read('server.key'), certificate: read('server.pem') },
  })
  server.sql(
    "CREATE TABLE customers (id int PRIMARY KEY, name text); INSERT INTO customers VALUES (1, 'Ada')",
  )
})
after(() => {
  server?.dispose()
  rmSync(certificates, { recursive: true })
})

/** The name that the database has for 1. */
async function lookedUp(host: string, parameters: string, { port } = server): Promise<unknown> {
  let name: unknown
  await inDirectory(async (directory) => {
    await using db = await open({
      data: join(directory, 'data'),
      directory,
      tables: `CREATE TABLE orders (id INT, proc AS PROCTIME()) WITH ('connector' = 'values', 'data' = '{"id":1}');
        CREATE TABLE customers (id INT, name STRING) WITH ('connector' = 'jdbc', 'table-name' = 'customers',
          'url' = 'jdbc:postgresql://${host}:${port}/${POSTGRES.database}${parameters}',
          'username' = '${POSTGRES.user}', 'password' = '${POSTGRES.password}',
          'lookup.max-retries' = '1', 'lookup.retry-backoff' = '10 ms');`,
    })
    const [row] = await db
      .query(
        'SELECT c.name FROM orders AS o JOIN customers FOR SYSTEM_TIME AS OF o.proc AS c ON o.id = c.id',
      )
      .rows()
    name = row!.name
  })
  return name
}

const CA = `sslrootcert=${file('ca.pem')}`

const TRUSTED: readonly (readonly [string, string, string])[] = [
  [
    'verify-full, an authority that is given, and the name of the certificate',
    'localhost',
    `?sslmode=verify-full&${CA}`,
  ],
  ['verify-ca, whatever the host is called', '127.0.0.1', `?sslmode=verify-ca&${CA}`],
  ['require, which asks for no proof', '127.0.0.1', '?sslmode=require'],
]
for (const [what, host, parameters] of TRUSTED)
  test(`it answers over TLS with ${what}`, async () => {
    assert.equal(await lookedUp(host, parameters), 'Ada')
    // As the server saw it.
    const seen =
      'SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE NOT ssl AND client_port > 0'
    assert.equal(server.sql(seen).trim(), '0')
  })

const REFUSED: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'an authority that nobody trusts',
    'localhost',
    '?sslmode=verify-full',
    /self-signed|unable to (?:get|verify)/,
  ],
  [
    'another authority than the one that is given',
    'localhost',
    `?sslmode=verify-full&sslrootcert=${file('stranger.pem')}`,
    /unable to (?:get|verify)|signature/,
  ],
  [
    'another authority, whatever the host is called',
    'localhost',
    `?sslmode=verify-ca&sslrootcert=${file('stranger.pem')}`,
    /unable to (?:get|verify)|signature/,
  ],
  [
    'a certificate for another host',
    '127.0.0.1',
    `?sslmode=verify-full&${CA}`,
    /does not match|altnames/i,
  ],
  ['a connection in plain text', 'localhost', '', /no encryption|pg_hba/],
]
for (const [what, host, parameters, told] of REFUSED)
  test(`${what} stops the pipeline at once, named, and is sent no password`, async () => {
    await assert.rejects(
      lookedUp(host, parameters),
      (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, 'LOOKUP_REFUSED')
        assert.match(error.message, told)
        assert.doesNotMatch(`${error.message}${error.hint}${error.stack}`, /tester-secret/)
        return true
      },
    )
  })

test('a server that has no TLS where it is asked for, an authority that is not there or held against nothing, are named', async () => {
  const plain = await startPostgres()
  try {
    await assert.rejects(lookedUp('localhost', `?sslmode=verify-full&${CA}`, plain), {
      code: 'LOOKUP_REFUSED',
      message: /does not support SSL/,
    })
  } finally {
    plain.dispose()
  }
  await assert.rejects(lookedUp('localhost', '?sslmode=verify-full&sslrootcert=/nowhere.pem'), {
    code: 'FILE_MISSING',
  })
  await assert.rejects(lookedUp('localhost', `?sslmode=require&${CA}`), { code: 'OPTION_INVALID' })
  await assert.rejects(lookedUp('localhost', '?sslmode=prefer'), {
    code: 'OPTION_INVALID',
    hint: 'sslmode is one of disable, require, verify-ca, verify-full',
  })
})
