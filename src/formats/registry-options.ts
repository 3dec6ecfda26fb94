/** Options of formats that name their schemas in a registry, by Flink's names, and what to do where there is none. */
import { MillraceError } from '../errors.ts'
import type { FormatOption } from './format.ts'
import type { SchemaSource } from './schema-source.ts'

/** Of `avro-confluent`, `protobuf-confluent`, ...: each begins with the format's name. */
export function registryOptions(format: string): readonly FormatOption[] {
  const option = (name: string, summary: string, secret = false): FormatOption => ({
    name: `${format}.${name}`,
    kind: 'string',
    required: false,
    summary,
    ...(secret ? { secret } : {}),
  })
  const glue = format.endsWith('-glue')
  return [
    ...(glue
      ? [
          option('region', "AWS's region of the registry"),
          option('registry', "The registry's name; 'default-registry' unless told"),
          option('endpoint', 'Another address than the region has'),
          option('access-key-id', 'AWS credentials, else those of the environment', true),
          option('secret-access-key', 'AWS credentials, else those of the environment', true),
          option('session-token', 'AWS credentials, else those of the environment', true),
        ]
      : [
          option('url', "The registry's address; without it the project's own registry is used"),
          option(
            'basic-auth.credentials-source',
            'USER_INFO: credentials stand in basic-auth.user-info',
          ),
          option('basic-auth.user-info', 'user:password', true),
          option(
            'bearer-auth.credentials-source',
            'STATIC_TOKEN: the token stands in bearer-auth.token',
          ),
          option('bearer-auth.token', 'A token that the registry takes', true),
          option(
            'ssl.truststore.location',
            'A PEM file of authorities to trust, beside those of the system',
          ),
          option(
            'ssl.keystore.location',
            'A PEM file of the client certificate, its chain and its key',
          ),
          option('ssl.keystore.password', "The key's password", true),
        ]),
    option(
      'subject',
      'The subject that written records are registered under; <topic>-value or <topic>-key unless told',
    ),
    {
      name: `${format}.auto.register.schemas`,
      kind: 'boolean',
      required: false,
      fallback: 'true',
      summary: "'false': a sink starts only if its schema is registered already",
    },
    option(
      'schema',
      'The schema to write, in place of the one that the columns make; of Avro that is read, the one to read by',
    ),
  ]
}

/** @throws SCHEMA_MISSING if no registry is to be had */
export function requireSchemas(
  { schemas, table }: { readonly schemas: SchemaSource | undefined; readonly table: string },
  format: string,
): SchemaSource {
  if (schemas !== undefined) return schemas
  throw new MillraceError('SCHEMA_MISSING', {
    message: `table ${table}: there is no registry for the format '${format}'`,
    hint: `set '${format}.url', or use the project's own registry: millrace registry serve`,
    facts: { table, format },
  })
}
