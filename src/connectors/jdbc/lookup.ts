/** Rows of a PostgreSQL table by key: many keys a query, several queries at a time over connections that are kept. */
import type { Pool } from 'pg'
import type { Row } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import type { Lookup, LookupKey, LookupRequest } from '../contract/lookup.ts'
import { lookupFailed, lookupRefused, openAnswerReader } from '../lookup-answers.ts'
import { type LookupSettings, lookupSettings } from '../lookup-options.ts'
import { readNamedFile } from '../named-file.ts'
import { type Connecting, connectingOf, quotedTable } from './options.ts'
import { type KeyQuery, keyQuery } from './queries.ts'

const KEYS_MAX = 256
const BACKOFF_MS_MAX = 30_000

/**
 * By the first letters of SQLSTATE: connections lost or refused, rolled back, out of resources, stopped by an operator, of the system.
 * @see PostgreSQL documentation, appendix A
 */
const PASSING = ['08', '40', '53', '57', '58', '55P03']

interface Asking {
  readonly request: LookupRequest
  readonly settings: LookupSettings
  readonly connecting: Connecting
  readonly pool: Pool
}

type Ask = <Result>(
  query: (pool: Pool) => Promise<Result>,
  closing?: AbortSignal,
) => Promise<Result>

/** It connects, and looks at the table, when the first row asks. @throws OPTION_INVALID */
export async function openTableLookup(request: LookupRequest): Promise<Lookup> {
  const { table, options, key, schema } = request
  const settings = lookupSettings(table, options)
  const connecting = connectingOf(table, options)
  const from = quotedTable(table, options)
  const read = await openAnswerReader(request, {})
  const pool = await openPool(request, connecting, settings.inFlightMax)
  const ask = patiently({ request, settings, connecting, pool })
  let known: Promise<KeyQuery> | undefined

  /** What is the matter with the table may be mended: it is looked at again. */
  async function query(closing: AbortSignal): Promise<KeyQuery> {
    known ??= ask(() => columnKinds(pool, from), closing).then((kinds) => {
      requireColumns(request, connecting, kinds)
      return keyQuery(from, schema, key, kinds)
    })
    return known.catch((error: unknown) => {
      known = undefined
      throw error
    })
  }

  return {
    keysMax: KEYS_MAX,
    inFlightMax: settings.inFlightMax,
    cache: settings.cache,
    async find(keys, closing) {
      const { text, values } = await query(closing)
      const { rows } = await ask(() => pool.query<Told>(text, [...values(keys)]), closing)
      return byKey(keys, rows, read)
    },
    close: () => pool.end(),
  }
}

interface Told {
  /** Of the key, from 1. */
  readonly n: number
  readonly row: string
}

function byKey(
  keys: readonly LookupKey[],
  told: readonly Told[],
  read: (texts: readonly string[]) => readonly Row[],
): readonly (readonly Row[])[] {
  const found: Row[][] = keys.map(() => [])
  const rows = read(told.map(({ row }) => row))
  for (const [at, { n }] of told.entries()) found[n - 1]!.push(rows[at]!)
  return found
}

async function openPool(
  request: LookupRequest,
  connecting: Connecting,
  connectionsMax: number,
): Promise<Pool> {
  // Only who looks rows up in a database pays for the client.
  const { default: pg } = await import('pg')
  const { host, port, database, user, password, tls, timeoutMs } = connecting
  const pool = new pg.Pool({
    host,
    port,
    database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ssl: tls === undefined ? false : tlsOptions(request, tls),
    max: connectionsMax,
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs,
    keepAlive: true,
    application_name: 'millrace',
  })
  // A connection that is lost while nobody uses it: the next request opens another.
  pool.on('error', () => {})
  return pool
}

function tlsOptions({ table, ports }: LookupRequest, tls: NonNullable<Connecting['tls']>) {
  const { verifiesIssuer, verifiesHost, authorities } = tls
  return {
    rejectUnauthorized: verifiesIssuer,
    ...(authorities === undefined
      ? {}
      : { ca: readNamedFile(ports, table, 'url', authorities).toString('utf8') }),
    ...(verifiesHost ? {} : { checkServerIdentity: () => undefined }),
  }
}

/** Tries again, waiting longer each time, while what comes may pass. @throws LOOKUP_FAILED, LOOKUP_REFUSED */
function patiently({ request, settings, connecting, pool }: Asking): Ask {
  const { table, ports } = request
  return async (query, closing) => {
    for (let retries = 0; ; retries++) {
      try {
        return await query(pool)
      } catch (error) {
        if (error instanceof MillraceError) throw error
        const reason = reasonOf(error)
        if (!mayPass(error))
          throw lookupRefused(
            table,
            connecting.origin,
            reason,
            isUntrusted(error)
              ? "'url' says whom to trust: sslrootcert names a PEM file of authorities; sslmode=require takes any certificate, and is no proof of who answers"
              : "mend the database's table or rights, or the options and columns of the table here; nothing is lost meanwhile",
          )
        if (retries >= settings.retriesMax || closing?.aborted)
          throw lookupFailed(table, connecting.origin, reason)
        const waitMs = Math.min(settings.backoffMs * 2 ** retries, BACKOFF_MS_MAX)
        await ports.clock.sleep(waitMs, closing)
      }
    }
  }
}

/** What is not said by PostgreSQL is said by the network, or of its certificate. */
function mayPass(error: unknown): boolean {
  if (isUntrusted(error)) return false
  const code = stateOf(error)
  return code === undefined || PASSING.some((start) => code.startsWith(start))
}

/** Its certificate does not hold, or it has none where one is wanted. @see Node.js documentation, "X509 certificate error codes" */
function isUntrusted(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (/does not support SSL/.test(error.message)) return true
  return (
    'code' in error &&
    /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(String(error.code))
  )
}

/** SQLSTATE; undefined where the server said none. */
function stateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined
  return String(error.code)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Of a host with several addresses.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  const state = stateOf(error)
  return state === undefined ? error.message : `${error.message} (${state})`
}

/** PostgreSQL's names of the types of a table's columns, by column. */
async function columnKinds(pool: Pool, from: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await pool.query<{ name: string; kind: string }>(
    `SELECT attname AS name, format_type(atttypid, -1) AS kind FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [from],
  )
  return new Map(rows.map(({ name, kind }) => [name, kind]))
}

/** @throws LOOKUP_REFUSED */
function requireColumns(
  { table, schema, options }: LookupRequest,
  { origin }: Connecting,
  kinds: ReadonlyMap<string, string>,
): void {
  const missing = schema.filter(({ name }) => !kinds.has(name)).map(({ name }) => name)
  if (missing.length === 0) return
  throw lookupRefused(
    table,
    origin,
    `${options['table-name']} has no column ${missing.join(', ')}`,
    `its columns are ${[...kinds.keys()].join(', ')}; names are compared with their case`,
  )
}
