/** Confluent's registry, or one that speaks as it does, as formats see it: by HTTP, with basic or bearer authentication, or a client certificate. */
import { z } from 'zod'
import { MillraceError } from '../errors.ts'
import type {
  RegisteredSchema,
  ResolvedSchema,
  SchemaReference,
  SchemaSource,
} from '../formats/schema-source.ts'
import type { HttpAnswer, HttpTls } from '../ports/http.ts'
import type { Ports } from '../ports/ports.ts'
import { idUnknown, referencesUnsupported } from './local-source.ts'

export interface ConfluentAccess {
  /** One, or several of one cluster, comma-separated. */
  readonly url: string
  /** 'user:password' */
  readonly userInfo?: string
  readonly token?: string
  readonly tls?: HttpTls
}

const TIMEOUT_MS = 10_000
const ANSWER_BYTES_MAX = 8 << 20
const REFERENCES_MAX = 1000
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'

const reference = z.object({ name: z.string(), subject: z.string(), version: z.number() })
const schemaAnswer = z.object({
  id: z.number().optional(),
  schema: z.string(),
  schemaType: z.enum(['AVRO', 'JSON', 'PROTOBUF']).default('AVRO'),
  references: z.array(reference).nullish(),
})
const levelAnswer = z.object({ compatibilityLevel: z.string() })
const idAnswer = z.object({ id: z.number() })
const errorAnswer = z.object({ error_code: z.number(), message: z.string() })
type SchemaAnswer = z.infer<typeof schemaAnswer>

/** @throws OPTION_INVALID if an address is none */
export function confluentSchemas(ports: Ports, access: ConfluentAccess): SchemaSource {
  const ask = asker(ports, access)
  const resolve = async (answer: SchemaAnswer): Promise<ResolvedSchema> => ({
    type: answer.schemaType,
    text: answer.schema,
    references: await collect(ask, answer.references ?? []),
  })
  return {
    framing: 'confluent',
    async byId(id): Promise<RegisteredSchema> {
      const answer = await ask('GET', `/schemas/ids/${Number(id)}`)
      if (answer.status === 404) throw idUnknown(id)
      return { ...(await resolve(schemaAnswer.parse(answer.json))), id }
    },
    async latest(subject) {
      const answer = await ask('GET', `/subjects/${encodeURIComponent(subject)}/versions/latest`)
      if (answer.status === 404) return undefined
      const found = schemaAnswer.parse(answer.json)
      return { ...(await resolve(found)), id: found.id ?? 0 }
    },
    async find(subject, schema) {
      const answer = await ask('POST', `/subjects/${encodeURIComponent(subject)}`, bodyOf(schema))
      if (answer.status === 404) return undefined
      if (answer.status >= 400) throw refused('REGISTRY_REFUSED', subject, answer)
      return idAnswer.parse(answer.json).id
    },
    async register(subject, schema) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`
      const answer = await ask('POST', path, bodyOf(schema))
      if (answer.status === 409) throw refused('SCHEMA_INCOMPATIBLE', subject, answer)
      if (answer.status === 422) throw refused('SCHEMA_INVALID', subject, answer)
      if (answer.status >= 400) throw refused('REGISTRY_REFUSED', subject, answer)
      return idAnswer.parse(answer.json).id
    },
  }
}

function bodyOf({ type, text, references }: ResolvedSchema) {
  if (references.length > 0) throw referencesUnsupported()
  return { schema: text, ...(type === 'AVRO' ? {} : { schemaType: type }) }
}

/** What a subject has in the registry: its versions, oldest first, and the level that holds for it. */
export interface SubjectHistory {
  readonly level: string
  readonly versions: readonly ResolvedSchema[]
}

/** A subject that does not exist has no versions. @throws REGISTRY_UNREACHABLE, REGISTRY_DENIED */
export async function subjectHistory(
  ports: Ports,
  access: ConfluentAccess,
  subject: string,
): Promise<SubjectHistory> {
  const ask = asker(ports, access)
  const name = encodeURIComponent(subject)
  const config = await ask('GET', `/config/${name}?defaultToGlobal=true`)
  if (config.status !== 200) throw refused('REGISTRY_REFUSED', subject, config)
  const { compatibilityLevel: level } = levelAnswer.parse(config.json)
  const listed = await ask('GET', `/subjects/${name}/versions`)
  const numbers = listed.status === 404 ? [] : z.array(z.number()).parse(listed.json)
  const versions: ResolvedSchema[] = []
  for (const number of numbers) {
    const answer = await ask('GET', `/subjects/${name}/versions/${number}`)
    const { schemaType: type, schema: text, references } = schemaAnswer.parse(answer.json)
    versions.push({ type, text, references: await collect(ask, references ?? []) })
  }
  return { level, versions }
}

/** The names of all subjects that the access may see. @throws REGISTRY_UNREACHABLE, REGISTRY_DENIED, REGISTRY_REFUSED */
export async function subjectNames(
  ports: Ports,
  access: ConfluentAccess,
): Promise<readonly string[]> {
  const answer = await asker(ports, access)('GET', '/subjects')
  if (answer.status !== 200) throw refused('REGISTRY_REFUSED', 'all subjects', answer)
  return z.array(z.string()).parse(answer.json)
}

interface Answer {
  readonly status: number
  readonly json: unknown
}
type Ask = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Answer>

/** What is needed comes before what needs it. */
async function collect(
  ask: Ask,
  references: readonly SchemaReference[],
  found = new Map<string, { readonly name: string; readonly text: string }>(),
): Promise<ResolvedSchema['references']> {
  for (const { name, subject, version } of references) {
    const key = `${subject} ${version} ${name}`
    if (found.has(key) || found.size >= REFERENCES_MAX) continue
    const answer = await ask('GET', `/subjects/${encodeURIComponent(subject)}/versions/${version}`)
    if (answer.status !== 200) throw refused('SCHEMA_MISSING', subject, answer)
    const entry = schemaAnswer.parse(answer.json)
    await collect(ask, entry.references ?? [], found)
    found.set(key, { name, text: entry.schema })
  }
  return [...found.values()]
}

/** Tries the addresses in turn. @throws REGISTRY_UNREACHABLE, REGISTRY_DENIED */
function asker(ports: Ports, { url, userInfo, token, tls }: ConfluentAccess): Ask {
  const bases = url.split(',').map((each) => baseOf(each.trim()))
  const headers: Record<string, string> = { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE }
  const inUrl = bases.find(({ credentials }) => credentials !== undefined)?.credentials
  const basic = userInfo ?? inUrl
  if (basic !== undefined) headers.authorization = `Basic ${Buffer.from(basic).toString('base64')}`
  else if (token !== undefined) headers.authorization = `Bearer ${token}`
  return async (method, path, body) => {
    let failed: unknown
    for (const { address } of bases) {
      try {
        const answer = await ports.http({
          method,
          url: `${address}${path}`,
          headers,
          timeoutMs: TIMEOUT_MS,
          answerBytesMax: ANSWER_BYTES_MAX,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          ...(tls === undefined ? {} : { tls }),
        })
        if (answer.status < 500 && answer.status !== 429) return read(address, answer)
        failed = new Error(`it answers ${answer.status}`)
      } catch (error) {
        if (error instanceof MillraceError) throw error
        failed = error
      }
    }
    throw unreachable(bases[0]!.address, failed)
  }
}

function baseOf(text: string): { readonly address: string; readonly credentials?: string } {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw addressInvalid()
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw addressInvalid()
  const { username, password } = url
  url.username = ''
  url.password = ''
  const address = url.href.replace(/\/+$/, '')
  if (username === '') return { address }
  return { address, credentials: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }
}

function read(address: string, { status, body }: HttpAnswer): Answer {
  if (status === 401 || status === 403)
    throw new MillraceError('REGISTRY_DENIED', {
      message: `the schema registry at ${address} answers ${status}: it does not take the credentials, or they may not do this`,
      hint: 'check the credentials in the options of the format, and what they are allowed in the registry',
      facts: { address, status },
    })
  try {
    return { status, json: JSON.parse(new TextDecoder().decode(body)) }
  } catch {
    throw new MillraceError('REGISTRY_REFUSED', {
      message: `what answers at ${address} is no schema registry: it answers ${status} without JSON`,
      hint: 'check the URL in the options of the format',
      facts: { address, status },
    })
  }
}

function refused(
  code: 'SCHEMA_INCOMPATIBLE' | 'SCHEMA_INVALID' | 'SCHEMA_MISSING' | 'REGISTRY_REFUSED',
  subject: string,
  { status, json }: Answer,
): MillraceError {
  const told = errorAnswer.safeParse(json)
  const why = told.success ? told.data.message : `it answers ${status}`
  return new MillraceError(code, {
    message: `the schema registry refuses what is asked for ${subject}: ${why}`,
    hint:
      code === 'SCHEMA_INCOMPATIBLE'
        ? "change the schema so that both can be read, write under another subject, or set the subject's level in the registry"
        : "see the subject's versions in the registry",
    facts: { subject, status, ...(told.success ? { errorCode: told.data.error_code } : {}) },
  })
}

function unreachable(address: string, cause: unknown): MillraceError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('REGISTRY_UNREACHABLE', {
    message: `the schema registry at ${address} does not answer: ${why}`,
    hint: 'it is tried again; is it running, and can this machine reach it?',
    facts: { address },
    cause,
  })
}

function addressInvalid(): MillraceError {
  return new MillraceError('OPTION_INVALID', {
    message: "the schema registry's URL is none",
    hint: 'write http://HOST:PORT or https://HOST, several of one cluster with commas between',
  })
}
