/** Holds a new schema against earlier versions of its subject. Pure: all that is referred to comes with the schemas. */
import { parseAvro } from '../../formats/avro/schema.ts'
import type { AvroSchema } from '../../formats/avro/types.ts'
import { checkDefinitions } from '../../formats/protobuf/definitions.ts'
import { type ProtoNames, readProto } from '../../formats/protobuf/names.ts'
import type { ResolvedSchema } from '../../formats/schema-source.ts'
import { readJsonSchema } from '../json-schema/read.ts'
import type { JsonSchema } from '../json-schema/schema.ts'
import { avroDifferences } from './avro.ts'
import type { Difference } from './difference.ts'
import { jsonDifferences } from './json-schema.ts'
import type { CompatibilityLevel } from './level.ts'
import { protobufDifferences } from './protobuf.ts'

/** A difference, and between which two. */
export interface Incompatibility extends Difference {
  /** 'backward': the new schema does not read the old one's data; 'forward': the other way round. */
  readonly direction: 'backward' | 'forward'
  /** Place of the earlier version in what was given. */
  readonly old: number
}

/** A schema that has been read. */
export type ParsedSchema =
  | { readonly type: 'AVRO'; readonly schema: AvroSchema }
  | { readonly type: 'JSON'; readonly schema: JsonSchema }
  | { readonly type: 'PROTOBUF'; readonly schema: ProtoNames }

/** @throws SCHEMA_INVALID */
export function parseSchema(schema: ResolvedSchema): ParsedSchema {
  switch (schema.type) {
    case 'AVRO':
      return { type: 'AVRO', schema: parseAvro(schema) }
    case 'JSON':
      return { type: 'JSON', schema: readJsonSchema(schema) }
    case 'PROTOBUF':
      return { type: 'PROTOBUF', schema: readProto(schema) }
  }
}

/** Reads a schema that is new, which must be valid in all its parts. @throws SCHEMA_INVALID */
export function parseNewSchema(schema: ResolvedSchema): ParsedSchema {
  const parsed = parseSchema(schema)
  if (parsed.type === 'PROTOBUF') checkDefinitions(parsed.schema)
  return parsed
}

/**
 * Empty: the new schema may follow. `olds` are the earlier versions, oldest first.
 * @throws SCHEMA_INVALID for schemas that can't be read
 */
export function incompatibilities(
  level: CompatibilityLevel,
  next: ResolvedSchema,
  olds: readonly ResolvedSchema[],
): readonly Incompatibility[] {
  const parsed = parseNewSchema(next)
  if (level === 'NONE') return []
  const first = level.endsWith('_TRANSITIVE') ? 0 : Math.max(0, olds.length - 1)
  const found: Incompatibility[] = []
  for (let old = olds.length - 1; old >= first; old--) {
    const earlier = parseSchema(olds[old]!)
    if (!level.startsWith('FORWARD'))
      found.push(
        ...differences(parsed, earlier).map((each) => ({
          ...each,
          direction: 'backward' as const,
          old,
        })),
      )
    if (!level.startsWith('BACKWARD'))
      found.push(
        ...differences(earlier, parsed).map((each) => ({
          ...each,
          direction: 'forward' as const,
          old,
        })),
      )
  }
  return found
}

function differences(reader: ParsedSchema, writer: ParsedSchema): readonly Difference[] {
  try {
    return differencesOf(reader, writer)
  } catch (error) {
    // Types that lead from one to the next for thousands of steps exhaust the stack.
    if (!(error instanceof RangeError)) throw error
    const message = 'the types lead from one to the next for too many steps to be compared'
    return [{ rule: 'SCHEMA_TOO_COMPLEX', path: '/', message }]
  }
}

function differencesOf(reader: ParsedSchema, writer: ParsedSchema): readonly Difference[] {
  if (reader.type === 'AVRO' && writer.type === 'AVRO')
    return avroDifferences(reader.schema, writer.schema)
  if (reader.type === 'JSON' && writer.type === 'JSON')
    return jsonDifferences(reader.schema, writer.schema)
  if (reader.type === 'PROTOBUF' && writer.type === 'PROTOBUF')
    return protobufDifferences(reader.schema, writer.schema)
  const message = `a ${reader.type} schema does not read what a ${writer.type} schema wrote`
  return [{ rule: 'SCHEMA_TYPE_CHANGED', path: '/', message }]
}

/** 'backward: READER_FIELD_MISSING_DEFAULT_VALUE at /fields/1: field b was not written, and has no default' */
export function incompatibilityText({ direction, rule, path, message }: Incompatibility): string {
  return `${direction}: ${rule} at ${path}: ${message}`
}
