/**
 * What the registry keeps, and how it stands in its topic: keys and values are JSON as in Confluent's `_schemas`, so that one can be
 * copied into the other. A key's last record counts; a tombstone removes for good.
 *
 *   {"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1}   a version, soft-deleted or not
 *   {"keytype":"CONFIG","subject":null,"magic":0}                         a level, of a subject or of all
 *   {"keytype":"MODE","subject":null,"magic":0}                           a mode
 *   {"keytype":"IDS","magic":0}                                           the highest id that ever was: ids are never given again
 */
import { z } from 'zod'
import type { SchemaReference, SchemaType } from '../formats/schema-source.ts'

export const SCHEMAS_TOPIC = '_schemas'

/** One version of a subject. */
export interface SchemaEntry {
  readonly subject: string
  readonly version: number
  readonly id: number
  readonly type: SchemaType
  readonly references: readonly SchemaReference[]
  /** As it was registered. */
  readonly text: string
  /** Tags, properties and rules: kept and given back, not interpreted. */
  readonly metadata?: unknown
  readonly ruleSet?: unknown
  readonly isDeleted: boolean
}

export type Mode = 'READWRITE' | 'READONLY' | 'IMPORT'
export const MODES: readonly string[] = ['READWRITE', 'READONLY', 'IMPORT']

/** `value` undefined removes; `subject` null is all. */
export type RegistryChange =
  | {
      readonly kind: 'schema'
      readonly subject: string
      readonly version: number
      readonly value: SchemaEntry | undefined
    }
  | { readonly kind: 'level'; readonly subject: string | null; readonly value: string | undefined }
  | { readonly kind: 'mode'; readonly subject: string | null; readonly value: string | undefined }
  | { readonly kind: 'ids'; readonly value: number }

export interface StoredChange {
  readonly key: string
  /** Null: a tombstone. */
  readonly value: string | null
}

export function writeChange(change: RegistryChange): StoredChange {
  switch (change.kind) {
    case 'schema': {
      const { subject, version, value } = change
      const key = JSON.stringify({ keytype: 'SCHEMA', subject, version, magic: 1 })
      return { key, value: value === undefined ? null : JSON.stringify(storedEntry(value)) }
    }
    case 'level':
      return keyed('CONFIG', change.subject, change.value, (compatibilityLevel) => ({
        compatibilityLevel,
      }))
    case 'mode':
      return keyed('MODE', change.subject, change.value, (mode) => ({ mode }))
    case 'ids':
      return {
        key: JSON.stringify({ keytype: 'IDS', magic: 0 }),
        value: JSON.stringify({ last: change.value }),
      }
  }
}

function keyed(
  keytype: string,
  subject: string | null,
  value: string | undefined,
  told: (value: string) => unknown,
): StoredChange {
  const key = JSON.stringify({ keytype, subject, magic: 0 })
  return { key, value: value === undefined ? null : JSON.stringify(told(value)) }
}

function storedEntry(entry: SchemaEntry): unknown {
  const { subject, version, id, type, references, text, metadata, ruleSet, isDeleted } = entry
  return {
    subject,
    version,
    id,
    ...(type === 'AVRO' ? {} : { schemaType: type }),
    ...(references.length === 0 ? {} : { references }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(ruleSet === undefined ? {} : { ruleSet }),
    schema: text,
    deleted: isDeleted,
  }
}

const storedKey = z.object({
  keytype: z.string(),
  subject: z.string().nullish(),
  version: z.number().optional(),
})
const storedSchema = z.object({
  subject: z.string(),
  version: z.number(),
  id: z.number(),
  schemaType: z.enum(['AVRO', 'JSON', 'PROTOBUF']).default('AVRO'),
  references: z
    .array(z.object({ name: z.string(), subject: z.string(), version: z.number() }))
    .nullish(),
  metadata: z.unknown().optional(),
  ruleSet: z.unknown().optional(),
  schema: z.string(),
  deleted: z.boolean().default(false),
})
const storedLevel = z.object({ compatibilityLevel: z.string() })
const storedMode = z.object({ mode: z.string() })
const storedIds = z.object({ last: z.number() })

/** Undefined for kinds of keys that mean nothing here. */
export function readChange({ key, value }: StoredChange): RegistryChange | undefined {
  const { keytype, subject = null, version } = storedKey.parse(JSON.parse(key))
  const json: unknown = value === null ? undefined : JSON.parse(value)
  switch (keytype) {
    case 'SCHEMA':
      if (subject === null || version === undefined) return undefined
      return {
        kind: 'schema',
        subject,
        version,
        value: json === undefined ? undefined : entryOf(json),
      }
    case 'CONFIG':
      return {
        kind: 'level',
        subject,
        value: json === undefined ? undefined : storedLevel.parse(json).compatibilityLevel,
      }
    case 'MODE':
      return {
        kind: 'mode',
        subject,
        value: json === undefined ? undefined : storedMode.parse(json).mode,
      }
    case 'IDS':
      return json === undefined ? undefined : { kind: 'ids', value: storedIds.parse(json).last }
    default:
      return undefined
  }
}

function entryOf(json: unknown): SchemaEntry {
  const { schemaType, references, schema, deleted, ...rest } = storedSchema.parse(json)
  return {
    ...rest,
    type: schemaType,
    references: references ?? [],
    text: schema,
    isDeleted: deleted,
  }
}
