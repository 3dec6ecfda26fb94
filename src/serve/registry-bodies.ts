/** Bodies of the registry's API: what clients send, and what they are told. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { descriptorText } from '../formats/protobuf/descriptor-text.ts'
import { descriptorBase64 } from '../formats/protobuf/descriptor-write.ts'
import { isDescriptor } from '../formats/protobuf/parse.ts'
import type { SchemaEntry } from '../registry/entries.ts'
import { fault } from '../registry/faults.ts'
import type { GivenSchema } from '../registry/registry.ts'

export type QueryOf = Readonly<Partial<Record<string, string>>>

export interface SubjectParams {
  readonly subject: string
  readonly version: string
  readonly id: string
}

export type RegistryRequest = FastifyRequest<{
  Params: SubjectParams
  Querystring: QueryOf
  Body: unknown
}>

const given = z.looseObject({
  schema: z.string(),
  schemaType: z.string().nullish(),
  references: z
    .array(z.looseObject({ name: z.string(), subject: z.string(), version: z.int() }))
    .max(1000)
    .nullish(),
  metadata: z.unknown().optional(),
  ruleSet: z.unknown().optional(),
  id: z.int().nullish(),
  version: z.int().nullish(),
})

/** @throws 42201 */
export function givenSchema(body: unknown): GivenSchema {
  const parsed = given.safeParse(body)
  if (!parsed.success)
    throw fault(
      'schemaInvalid',
      `Invalid request: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`,
    )
  const { schema, schemaType, references, metadata, ruleSet, id, version } = parsed.data
  const type = schemaType ?? 'AVRO'
  if (type !== 'AVRO' && type !== 'JSON' && type !== 'PROTOBUF')
    throw fault('schemaInvalid', `Invalid schema type ${type}`)
  return {
    type,
    text: compact(type, schema),
    references: (references ?? []).map(({ name, subject, version: of }) => ({
      name,
      subject,
      version: of,
    })),
    ...(metadata === undefined || metadata === null ? {} : { metadata }),
    ...(ruleSet === undefined || ruleSet === null ? {} : { ruleSet }),
    ...(id === undefined || id === null ? {} : { id }),
    ...(version === undefined || version === null ? {} : { version }),
  }
}

/** JSON without spaces, as it is told again; whatever can't be read is left for the check to refuse. */
function compact(type: GivenSchema['type'], text: string): string {
  if (type === 'PROTOBUF') return text
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

/** In the `format` that is asked for: a Protobuf schema is text, or 'serialized' a descriptor in base64. */
export function textIn(entry: SchemaEntry, query: QueryOf): string {
  if (entry.type !== 'PROTOBUF') return entry.text
  const isWritten = isDescriptor(entry.text)
  if (query.format === 'serialized') return isWritten ? entry.text : descriptorBase64(entry.text)
  return isWritten ? descriptorText(entry.text) : entry.text
}

export function schemaBody(entry: SchemaEntry, query: QueryOf): Record<string, unknown> {
  const { type, references, metadata, ruleSet } = entry
  return {
    schema: textIn(entry, query),
    ...(type === 'AVRO' ? {} : { schemaType: type }),
    ...(references.length === 0 ? {} : { references }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(ruleSet === undefined ? {} : { ruleSet }),
  }
}

export function versionBody(entry: SchemaEntry, query: QueryOf): Record<string, unknown> {
  const { subject, version, id, isDeleted } = entry
  return {
    subject,
    version,
    id,
    ...schemaBody(entry, query),
    ...(isDeleted ? { deleted: true } : {}),
  }
}

/** The answer to a registration. */
export function entryBody(entry: SchemaEntry): Record<string, unknown> {
  return { id: entry.id, version: entry.version, ...schemaBody(entry, {}) }
}

/** `offset` and `limit`; a negative limit is none. */
export function page<Item>(items: readonly Item[], { offset, limit }: QueryOf): readonly Item[] {
  const from = Math.max(0, Number(offset ?? 0) || 0)
  const count = limit === undefined ? -1 : Number(limit)
  return items.slice(from, count < 0 || Number.isNaN(count) ? undefined : from + count)
}
