/**
 * Reads JSON Schema, drafts 4 to 2020-12, into what the compatibility rules compare. Without `$schema` it is draft 7, in which
 * nothing counts beside `$ref`. References are looked up in the text and in the schemas given with it, never on the network.
 */
import { parseJsonBounded } from '../../formats/schema-json.ts'
import type { ResolvedSchema } from '../../formats/schema-source.ts'
import { canonicalJson } from './canonical.ts'
import {
  createDocuments,
  type Documents,
  invalid,
  isObject,
  type JsonObject,
  type Place,
  type Read,
} from './documents.ts'
import { readArray, readNumber, readObject, readString } from './read-types.ts'
import type { Criterion, JsonSchema } from './schema.ts'

const CRITERIA: readonly Criterion[] = ['allOf', 'anyOf', 'oneOf']
const TYPES: ReadonlySet<string> = new Set([
  'string',
  'number',
  'integer',
  'boolean',
  'null',
  'object',
  'array',
])
/** By which keywords a schema without `type` shows what it speaks of. */
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  array: [
    'items',
    'prefixItems',
    'additionalItems',
    'unevaluatedItems',
    'minItems',
    'maxItems',
    'uniqueItems',
    'contains',
    'minContains',
    'maxContains',
  ],
  object: [
    'properties',
    'required',
    'minProperties',
    'maxProperties',
    'dependencies',
    'dependentRequired',
    'dependentSchemas',
    'patternProperties',
    'additionalProperties',
    'unevaluatedProperties',
    'propertyNames',
  ],
}

/** @throws SCHEMA_INVALID for what is no schema, and for a `$ref` to what is not there */
export function readJsonSchema({ text, references }: Omit<ResolvedSchema, 'type'>): JsonSchema {
  const documents = createDocuments(
    parseJsonBounded('JSON', text),
    references.map((each) => [each.name, parseJsonBounded('JSON', each.text)]),
  )
  const known = new Map<object, JsonSchema>()
  const read: Read = (json, place) => {
    if (!isObject(json)) return readNode(json, place, documents, read)
    const before = known.get(json)
    if (before !== undefined) return before
    const made = readNode(json, place, documents, read)
    known.set(json, made)
    return made
  }
  return read(documents.root.json, documents.root)
}

function readNode(json: unknown, place: Place, documents: Documents, read: Read): JsonSchema {
  const text = canonicalJson(json)
  if (typeof json === 'boolean') return { kind: json ? 'any' : 'none', text, hasDefault: false }
  if (!isObject(json)) throw invalid(place, 'a schema is an object or a boolean')
  const here = documents.enter(json, place)
  const common = {
    text,
    hasDefault: Object.hasOwn(json, 'default'),
    ...(typeof json['connect.type'] === 'string' ? { connectType: json['connect.type'] } : {}),
  }
  const parts: JsonSchema[] = []
  const reference = json.$ref ?? json.$dynamicRef ?? json.$recursiveRef
  if (typeof reference === 'string') {
    const resolve = resolver(reference, here, documents, read)
    const ref: JsonSchema = { kind: 'ref', ...common, resolve }
    if (!documents.isModern) return ref
    parts.push(ref)
  }
  parts.push(...typedParts(json, here, common, read), ...combinedParts(json, here, common, read))
  if (parts.length === 0) return { kind: 'any', ...common }
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  return { kind: 'combined', criterion: 'allOf', branches: parts, ...common }
}

type CommonOf = Pick<JsonSchema, 'text' | 'hasDefault' | 'connectType'>

function typedParts(json: JsonObject, place: Place, common: CommonOf, read: Read): JsonSchema[] {
  const { type } = json
  if (type === undefined)
    return Object.entries(KEYWORDS)
      .filter(([, keywords]) => keywords.some((keyword) => Object.hasOwn(json, keyword)))
      .map(([kind]) => ofType(kind, json, place, common, read))
  if (typeof type === 'string') return [ofType(type, json, place, common, read)]
  if (!Array.isArray(type)) throw invalid(place, "'type' is neither a name nor a list of names")
  const branches = type.map((each) => {
    const alone = { ...common, text: `${String(each)} of ${common.text}` }
    return ofType(String(each), json, place, alone, read)
  })
  return [{ kind: 'combined', criterion: 'anyOf', branches, ...common }]
}

function ofType(
  type: string,
  json: JsonObject,
  place: Place,
  common: CommonOf,
  read: Read,
): JsonSchema {
  if (!TYPES.has(type)) throw invalid(place, `there is no type ${JSON.stringify(type)}`)
  switch (type) {
    case 'string':
      return { ...common, ...readString(json, place) }
    case 'number':
    case 'integer':
      return { ...common, ...readNumber(json, place, type === 'integer') }
    case 'array':
      return { ...common, ...readArray(json, place, read) }
    case 'object':
      return { ...common, ...readObject(json, place, read) }
    default:
      return { ...common, kind: type === 'null' ? 'null' : 'boolean' }
  }
}

function combinedParts(json: JsonObject, place: Place, common: CommonOf, read: Read): JsonSchema[] {
  const parts: JsonSchema[] = []
  if (json.enum !== undefined) {
    if (!Array.isArray(json.enum)) throw invalid(place, "'enum' is no list")
    parts.push({ ...common, kind: 'enum', values: new Set(json.enum.map(canonicalJson)) })
  }
  for (const criterion of CRITERIA) {
    const list = json[criterion]
    if (list === undefined) continue
    if (!Array.isArray(list) || list.length === 0)
      throw invalid(place, `'${criterion}' is no list of schemas`)
    const branches = list.map((each, index) => read(each, place.below(`${criterion}/${index}`)))
    parts.push({ ...common, kind: 'combined', criterion, branches })
  }
  if (json.not !== undefined)
    parts.push({ ...common, kind: 'not', schema: read(json.not, place.below('not')) })
  if (Object.hasOwn(json, 'const'))
    parts.push({ ...common, kind: 'const', value: canonicalJson(json.const) })
  if (json.if !== undefined) parts.push({ ...common, kind: 'conditional' })
  return parts
}

/** @throws SCHEMA_INVALID now if it refers to nothing, later if it refers to itself alone */
function resolver(
  reference: string,
  place: Place,
  documents: Documents,
  read: Read,
): () => JsonSchema {
  const target = documents.find(reference, place)
  if (target === undefined)
    throw invalid(place, `"$ref" names ${JSON.stringify(reference)}, which is not there`)
  let isResolving = false
  return () => {
    if (isResolving) throw invalid(place, `${JSON.stringify(reference)} refers to itself`)
    isResolving = true
    const found = read(target.json, target)
    const resolved = found.kind === 'ref' ? found.resolve() : found
    isResolving = false
    return resolved
  }
}
