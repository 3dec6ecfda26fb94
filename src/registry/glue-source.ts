/**
 * AWS Glue's schema registry as formats see it: JSON requests, signed. A subject is a schema's name. Glue itself checks compatibility when a
 * version is registered, by the level that the schema has; a new schema is made with BACKWARD.
 *
 * @see AWS Glue API reference, "Schema registry API"; AWS Signature Version 4
 */
import { z } from 'zod'
import { MillraceError } from '../errors.ts'
import type { RegisteredSchema, SchemaSource, SchemaType } from '../formats/schema-source.ts'
import type { Ports } from '../ports/ports.ts'
import { signedHeaders } from './aws-signature.ts'
import { idUnknown, referencesUnsupported } from './local-source.ts'
import type { SourceRequest } from './source-request.ts'

const TIMEOUT_MS = 10_000
const ANSWER_BYTES_MAX = 8 << 20
/** How often a version that is still being checked is asked for again. */
const PENDING_TRIES_MAX = 20
const PENDING_WAIT_MS = 250

const versionAnswer = z.object({
  SchemaVersionId: z.string(),
  SchemaDefinition: z.string(),
  DataFormat: z.enum(['AVRO', 'JSON', 'PROTOBUF']),
})
const registeredAnswer = z.object({
  SchemaVersionId: z.string(),
  Status: z.string().optional(),
  SchemaVersionStatus: z.string().optional(),
})
const errorAnswer = z.looseObject({
  __type: z.string().optional(),
  message: z.string().optional(),
  Message: z.string().optional(),
})

/** @throws OPTION_INVALID without a region or credentials */
export function glueSchemas(request: SourceRequest, format: string): SchemaSource {
  const ask = asker(request, format)
  const registry = request.options[`${format}.registry`] ?? 'default-registry'
  const named = (subject: string) => ({ RegistryName: registry, SchemaName: subject })
  const read = (json: unknown): RegisteredSchema => {
    const {
      SchemaVersionId: id,
      SchemaDefinition: text,
      DataFormat: type,
    } = versionAnswer.parse(json)
    return { id, text, type, references: [] }
  }
  return {
    framing: 'glue',
    async byId(id) {
      const answer = await ask('GetSchemaVersion', { SchemaVersionId: id })
      if (answer.missing) throw idUnknown(id)
      return read(answer.json)
    },
    async latest(subject) {
      const answer = await ask('GetSchemaVersion', {
        SchemaId: named(subject),
        SchemaVersionNumber: { LatestVersion: true },
      })
      return answer.missing ? undefined : read(answer.json)
    },
    async find(subject, { text, references }) {
      if (references.length > 0) throw referencesUnsupported()
      const known = { SchemaId: named(subject), SchemaDefinition: text }
      const answer = await ask('GetSchemaByDefinition', known)
      if (answer.missing) return undefined
      const { SchemaVersionId: id, Status } = registeredAnswer.parse(answer.json)
      return Status === 'AVAILABLE' ? id : undefined
    },
    async register(subject, { type, text, references }) {
      if (references.length > 0) throw referencesUnsupported()
      const added = await ask('RegisterSchemaVersion', {
        SchemaId: named(subject),
        SchemaDefinition: text,
      })
      const answer = added.missing ? await create(ask, registry, subject, type, text) : added
      const {
        SchemaVersionId: id,
        Status,
        SchemaVersionStatus,
      } = registeredAnswer.parse(answer.json)
      await settled(request.ports, ask, subject, id, Status ?? SchemaVersionStatus ?? 'AVAILABLE')
      return id
    },
  }
}

interface Answer {
  /** True if what is asked for does not exist. */
  readonly missing: boolean
  readonly json: unknown
}
type Ask = (action: string, body: unknown) => Promise<Answer>

function create(ask: Ask, registry: string, subject: string, type: SchemaType, text: string) {
  return ask('CreateSchema', {
    RegistryId: { RegistryName: registry },
    SchemaName: subject,
    DataFormat: type,
    Compatibility: 'BACKWARD',
    SchemaDefinition: text,
  })
}

/** @throws SCHEMA_INCOMPATIBLE if the version has failed its check */
async function settled(
  ports: Ports,
  ask: Ask,
  subject: string,
  id: string,
  first: string,
): Promise<void> {
  let status = first
  for (let tries = 0; status === 'PENDING' && tries < PENDING_TRIES_MAX; tries++) {
    await ports.clock.sleep(PENDING_WAIT_MS)
    const { json } = await ask('GetSchemaVersion', { SchemaVersionId: id })
    status = z.object({ Status: z.string() }).parse(json).Status
  }
  if (status === 'AVAILABLE') return
  throw new MillraceError('SCHEMA_INCOMPATIBLE', {
    message: `Glue does not take the schema as a version of ${subject}: it is ${status}`,
    hint: "change the schema so that the versions before can be read, or set the schema's compatibility in Glue",
    facts: { subject, status },
  })
}

function asker({ ports, options, table }: SourceRequest, format: string): Ask {
  const option = (name: string, variable: string): string | undefined =>
    options[`${format}.${name}`] ?? process.env[variable]
  const region = option('region', 'AWS_REGION')
  const accessKeyId = option('access-key-id', 'AWS_ACCESS_KEY_ID')
  const secretAccessKey = option('secret-access-key', 'AWS_SECRET_ACCESS_KEY')
  const sessionToken = option('session-token', 'AWS_SESSION_TOKEN')
  if (region === undefined || accessKeyId === undefined || secretAccessKey === undefined)
    throw new MillraceError('OPTION_INVALID', {
      message: `table ${table}: Glue needs a region and credentials`,
      hint: `set '${format}.region', '${format}.access-key-id' and '${format}.secret-access-key', or AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
      facts: { table },
    })
  const url = options[`${format}.endpoint`] ?? `https://glue.${region}.amazonaws.com`
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  }
  return async (action, given) => {
    const body = JSON.stringify(given)
    const headers = signedHeaders({
      url,
      region,
      service: 'glue',
      body,
      nowMs: ports.clock.nowMs(),
      credentials,
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSGlue.${action}`,
      },
    })
    const request = {
      method: 'POST',
      url,
      headers,
      body,
      timeoutMs: TIMEOUT_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
    } as const
    const answer = await ports.http(request).catch((error: unknown) => {
      throw unreachable(url, error)
    })
    return told(url, action, answer.status, new TextDecoder().decode(answer.body))
  }
}

function told(url: string, action: string, status: number, text: string): Answer {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw unreachable(url, new Error(`it answers ${status} without JSON`))
  }
  if (status < 400) return { missing: false, json }
  const { __type: type = '', message, Message } = errorAnswer.parse(json)
  if (type.includes('EntityNotFound')) return { missing: true, json }
  const why = message ?? Message ?? type
  if (/AccessDenied|UnrecognizedClient|ExpiredToken|InvalidSignature/.test(type))
    throw new MillraceError('REGISTRY_DENIED', {
      message: `Glue does not allow ${action}: ${type}`,
      hint: 'check the credentials, whether they have expired, and what they are allowed',
      facts: { action, status },
    })
  if (status >= 500 || /Throttl/.test(type)) throw unreachable(url, new Error(why))
  throw new MillraceError('REGISTRY_REFUSED', {
    message: `Glue refuses ${action}: ${why}`,
    hint: "see the schema's versions in Glue",
    facts: { action, status },
  })
}

function unreachable(url: string, cause: unknown): MillraceError {
  return new MillraceError('REGISTRY_UNREACHABLE', {
    message: `Glue at ${url} does not answer: ${cause instanceof Error ? cause.message : cause}`,
    hint: 'it is tried again; is the region right, and can this machine reach it?',
    facts: { url },
    cause,
  })
}
