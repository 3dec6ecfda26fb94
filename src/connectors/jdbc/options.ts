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
      'jdbc:postgresql://host:port/database?sslmode=verify-full&sslrootcert=/ca.pem, without parameters in plain text; user and password have options of their own',
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
  /** Undefined: in plain text. */
  readonly tls: Tls | undefined
  readonly timeoutMs: number
  /** For messages. */
  readonly origin: string
}

/** What a server's certificate is held against. */
interface Tls {
  /** Issued by whom we trust. */
  readonly verifiesIssuer: boolean
  /** For the host that we asked. */
  readonly verifiesHost: boolean
  /** A PEM file of those whom we trust; undefined: those that Node trusts. */
  readonly authorities: string | undefined
}

const PREFIX = 'jdbc:'
const PORT = 5432
const PARAMETERS: readonly string[] = ['sslmode', 'sslrootcert']
const SSL_MODES: Readonly<Record<string, Omit<Tls, 'authorities'> | undefined>> = {
  disable: undefined,
  require: { verifiesIssuer: false, verifiesHost: false },
  'verify-ca': { verifiesIssuer: true, verifiesHost: false },
  'verify-full': { verifiesIssuer: true, verifiesHost: true },
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
  const others = [...url.searchParams.keys()].filter((name) => !PARAMETERS.includes(name))
  if (url.username !== '' || url.password !== '' || others.length > 0)
    throw invalid(
      table,
      'url',
      "no parameter but sslmode and sslrootcert: who connects is said by 'username' and 'password'",
    )
  const timeoutMs = durationMs(options['request.timeout']!)
  if (timeoutMs === undefined) throw invalid(table, 'request.timeout', DURATION_HINT)
  const port = url.port === '' ? PORT : Number(url.port)
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    database,
    user: options.username,
    password: options.password,
    tls: tlsOf(table, url.searchParams),
    timeoutMs,
    origin: `postgresql://${url.hostname}:${port}/${database}`,
  }
}

function tlsOf(table: string, parameters: URLSearchParams): Tls | undefined {
  const mode = parameters.get('sslmode') ?? 'disable'
  const authorities = parameters.get('sslrootcert') ?? undefined
  if (!Object.hasOwn(SSL_MODES, mode))
    throw invalid(table, 'url', `sslmode is one of ${Object.keys(SSL_MODES).join(', ')}`)
  const verified = SSL_MODES[mode]
  if (authorities !== undefined && verified?.verifiesIssuer !== true)
    throw invalid(
      table,
      'url',
      'sslrootcert is held against nothing but with verify-ca or verify-full',
    )
  return verified && { ...verified, authorities }
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
