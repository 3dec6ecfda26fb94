/** The registry that a format's options name. */
import { MillraceError } from '../errors.ts'
import type { SchemaSource } from '../formats/schema-source.ts'
import type { HttpTls } from '../ports/http.ts'
import type { Ports } from '../ports/ports.ts'
import { confluentSchemas } from './confluent-source.ts'
import { glueSchemas } from './glue-source.ts'
import { localSchemas } from './local-source.ts'
import type { SourceRequest } from './source-request.ts'

/**
 * Undefined for formats that need none. With 'auto.register.schemas' = 'false' nothing is registered, and what is not there is SCHEMA_MISSING.
 * @throws OPTION_INVALID
 */
export function openSchemas(format: string, request: SourceRequest): SchemaSource | undefined {
  const source = sourceOf(format, request)
  const registers = request.options[`${format}.auto.register.schemas`] !== 'false'
  if (source === undefined || registers) return source
  return {
    ...source,
    async register(subject, schema) {
      const id = await source.find(subject, schema)
      if (id !== undefined) return id
      const isThere = (await source.latest(subject)) !== undefined
      throw schemaMissing(request.table, format, subject, isThere, schema.text)
    },
  }
}

function schemaMissing(
  table: string,
  format: string,
  subject: string,
  isThere: boolean,
  schema: string,
): MillraceError {
  return new MillraceError('SCHEMA_MISSING', {
    message: isThere
      ? `table ${table}: no version of subject ${subject} is the schema that the table writes`
      : `table ${table}: the registry has no subject ${subject}`,
    hint: `register it, give the one that is registered as '${format}.schema', or set '${format}.auto.register.schemas' = 'true'; it is ${schema}`,
    facts: { table, subject },
  })
}

function sourceOf(format: string, request: SourceRequest): SchemaSource | undefined {
  if (format.endsWith('-glue')) return glueSchemas(request, format)
  if (!format.endsWith('-confluent')) return undefined
  const { options, ports, dataDirectory } = request
  const option = (name: string): string | undefined => options[`${format}.${name}`]
  const url = option('url')
  if (url === undefined) return localSchemas(ports, dataDirectory)
  const userInfo = option('basic-auth.user-info')
  const token = option('bearer-auth.token')
  const tls = tlsOf(request, option)
  return confluentSchemas(ports, {
    url,
    ...(userInfo === undefined ? {} : { userInfo }),
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls }),
  })
}

function tlsOf(
  { ports, table }: SourceRequest,
  option: (name: string) => string | undefined,
): HttpTls | undefined {
  const authorities = option('ssl.truststore.location')
  const identity = option('ssl.keystore.location')
  const passphrase = option('ssl.keystore.password')
  if (authorities === undefined && identity === undefined) return undefined
  const own = identity === undefined ? undefined : pem(ports, table, identity)
  return {
    ...(authorities === undefined ? {} : { authorities: pem(ports, table, authorities) }),
    // One PEM holds the certificate, its chain and the key.
    ...(own === undefined ? {} : { certificate: own, key: own }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
}

const PEM_BYTES_MAX = 1 << 20

function pem({ files }: Ports, table: string, path: string): string {
  if (files.stat(path) === undefined)
    throw new MillraceError('FILE_MISSING', {
      message: `table ${table}: there is no file ${path}`,
      hint: 'it is a PEM file; Java key stores are converted with keytool and openssl',
      facts: { table, path },
    })
  const handle = files.open(path, 'read')
  try {
    const bytes = new Uint8Array(Math.min(handle.bytes(), PEM_BYTES_MAX))
    handle.read(bytes, 0)
    return new TextDecoder().decode(bytes)
  } finally {
    handle.close()
  }
}
