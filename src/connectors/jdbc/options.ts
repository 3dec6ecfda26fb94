/** The options of `jdbc`, read once. Messages never tell the URL's parameters, nor who connects how. */
import { MillraceError } from '../../errors.ts'
import type { ConnectorOption } from '../contract/connector.ts'
import { DURATION_HINT, durationMs } from '../durations.ts'
import { LOOKUP_OPTIONS } from '../lookup-options.ts'

type Options = Readonly<Record<string, string>>

export const JDBC_OPTIONS: readonly ConnectorOption[] = [
  {
    name: 'url',
    kind: 'string',
    required: true,
    secret: true,
    summary:
      'jdbc:postgresql://host:port/database, with ?sslmode=require or verify-full where the connection is encrypted; user and password have options of their own',
  },
  {
    name: 'table-name',
    kind: 'string',
    required: true,
    summary: 'The table or view: name, or schema.name',
  },
  {
    name: 'username',
    kind: 'string',
    required: false,
    secret: true,
    summary: 'Who connects',
  },
  {
    name: 'password',
    kind: 'string',
    required: false,
    secret: true,
    summary: 'From the environment or a file, as all that is secret',
  },
  {
    name: 'request.timeout',
    kind: 'duration',
    required: false,
    fallback: '10 s',
    summary: 'How long a connection, and then an answer, is awaited',
  },
  ...LOOKUP_OPTIONS,
]

export interface Connecting {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** Undefined: in plain text. `verifies`: only a server whose certificate holds. */
  readonly tls: { readonly verifies: boolean } | undefined
  readonly timeoutMs: number
  /** For messages. */
  readonly origin: string
}

const PREFIX = 'jdbc:'
const PORT = 5432
const SSL_MODES: Readonly<Record<string, Connecting['tls']>> = {
  disable: undefined,
  require: { verifies: false },
  'verify-full': { verifies: true },
}

/** @throws OPTION_INVALID */
export function connectingOf(table: string, options: Options): Connecting {
  const text = options.url!
  const inner = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : ''
  const url = URL.canParse(inner) ? new URL(inner) : undefined
  const database = decodeURIComponent(url?.pathname.slice(1) ?? '')
  if (url?.protocol !== 'postgresql:' || url.hostname === '' || database === '')
    throw invalid(
      table,
      'url',
      'jdbc:postgresql://host:port/database; no other database is spoken to',
    )
  const sslMode = url.searchParams.get('sslmode') ?? 'disable'
  const others = [...url.searchParams.keys()].filter((name) => name !== 'sslmode')
  if (url.username !== '' || url.password !== '' || others.length > 0)
    throw invalid(
      table,
      'url',
      "no parameter but sslmode: who connects is said by 'username' and 'password'",
    )
  if (!Object.hasOwn(SSL_MODES, sslMode))
    throw invalid(table, 'url', `sslmode is one of ${Object.keys(SSL_MODES).join(', ')}`)
  const timeoutMs = durationMs(options['request.timeout']!)
  if (timeoutMs === undefined) throw invalid(table, 'request.timeout', DURATION_HINT)
  const port = url.port === '' ? PORT : Number(url.port)
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    database,
    user: options.username,
    password: options.password,
    tls: SSL_MODES[sslMode],
    timeoutMs,
    origin: `postgresql://${url.hostname}:${port}/${database}`,
  }
}

/** The parts of 'table-name', quoted. @throws OPTION_INVALID */
export function quotedTable(table: string, options: Options): string {
  const parts = options['table-name']!.split('.')
  if (parts.length > 2 || parts.some((part) => part.trim() === ''))
    throw invalid(table, 'table-name', 'name, or schema.name')
  return parts.map(quoted).join('.')
}

/** An identifier of PostgreSQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function invalid(table: string, option: string, wanted: string): MillraceError {
  return new MillraceError('OPTION_INVALID', {
    message: `table ${table}: '${option}' can't be used as it is`,
    hint: wanted,
    facts: { table, option },
  })
}
