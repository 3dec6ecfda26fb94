/** Reads the keywords of one type. */
import { type BoundedPattern, boundedPattern } from '../../data/bounded-pattern.ts'
import { invalid, isObject, type JsonObject, type Place, type Read } from './documents.ts'
import type {
  Additional,
  ArraySchema,
  JsonSchema,
  NumberSchema,
  ObjectSchema,
  StringSchema,
} from './schema.ts'

/** Of one object: each name that is compared is held against all of them. */
const PATTERNS_MAX = 100

type Own<Schema> = Omit<Schema, 'text' | 'hasDefault' | 'connectType'>

export function readString(json: JsonObject, place: Place): Own<StringSchema> {
  const { pattern } = json
  if (pattern !== undefined && typeof pattern !== 'string')
    throw invalid(place, "'pattern' is no text")
  return {
    kind: 'string',
    ...numbers(json, place, ['minLength', 'maxLength']),
    ...(pattern === undefined ? {} : { pattern }),
  }
}

export function readNumber(json: JsonObject, place: Place, isInteger: boolean): Own<NumberSchema> {
  // Draft 4 writes `exclusiveMaximum: true` beside `maximum`.
  const limits = { ...json }
  if (json.exclusiveMaximum === true) limits.exclusiveMaximum = json.maximum
  else if (json.exclusiveMaximum === false) delete limits.exclusiveMaximum
  if (json.exclusiveMinimum === true) limits.exclusiveMinimum = json.minimum
  else if (json.exclusiveMinimum === false) delete limits.exclusiveMinimum
  const names = [
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'multipleOf',
  ] as const
  return { kind: 'number', isInteger, ...numbers(limits, place, names) }
}

export function readArray(json: JsonObject, place: Place, read: Read): Own<ArraySchema> {
  const { items, prefixItems } = json
  const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : undefined
  const rest = Array.isArray(prefixItems) ? items : json.additionalItems
  const isTuple = tuple !== undefined
  const unevaluated = json.unevaluatedItems
  return {
    kind: 'array',
    ...(isTuple || items === undefined ? {} : { items: read(items, place.below('items')) }),
    tuple: (tuple ?? []).map((each, index) => read(each, place.below(`items/${index}`))),
    additional:
      isTuple || json.additionalItems !== undefined
        ? additional(rest, place.below('additionalItems'), read)
        : true,
    ...(unevaluated === undefined
      ? {}
      : { unevaluated: read(unevaluated, place.below('unevaluatedItems')) }),
    uniqueItems: json.uniqueItems === true,
    ...numbers(json, place, ['minItems', 'maxItems', 'minContains', 'maxContains']),
  }
}

export function readObject(json: JsonObject, place: Place, read: Read): Own<ObjectSchema> {
  const { required, unevaluatedProperties: unevaluated } = json
  // Draft 3 had booleans in each property.
  const names = Array.isArray(required) ? required.map(String) : []
  const dependencies = dependenciesOf(json, place, read)
  return {
    kind: 'object',
    properties: schemas(json.properties, place.below('properties'), read),
    required: new Set(names),
    additional: additional(json.additionalProperties, place.below('additionalProperties'), read),
    ...(unevaluated === undefined
      ? {}
      : { unevaluated: read(unevaluated, place.below('unevaluatedProperties')) }),
    patterns: patternsOf(json.patternProperties, place.below('patternProperties'), read),
    ...dependencies,
    ...numbers(json, place, ['minProperties', 'maxProperties']),
  }
}

function patternsOf(json: unknown, place: Place, read: Read): ObjectSchema['patterns'] {
  const found = [...schemas(json, place, read)]
  if (found.length > PATTERNS_MAX)
    throw invalid(place, `it has more than ${PATTERNS_MAX} regular expressions`)
  return found.map(([pattern, schema]) => [regular(pattern, place), schema])
}

function dependenciesOf(
  json: JsonObject,
  place: Place,
  read: Read,
): Pick<ObjectSchema, 'dependentNames' | 'dependentSchemas'> {
  const dependentNames = new Map<string, ReadonlySet<string>>()
  const dependentSchemas = new Map<string, JsonSchema>()
  for (const keyword of ['dependencies', 'dependentRequired', 'dependentSchemas']) {
    const given = json[keyword]
    if (!isObject(given)) continue
    for (const [name, value] of Object.entries(given)) {
      if (Array.isArray(value)) dependentNames.set(name, new Set(value.map(String)))
      else dependentSchemas.set(name, read(value, place.below(`${keyword}/${name}`)))
    }
  }
  return { dependentNames, dependentSchemas }
}

function schemas(json: unknown, place: Place, read: Read): Map<string, JsonSchema> {
  if (json === undefined) return new Map()
  if (!isObject(json)) throw invalid(place, 'it is no object of schemas')
  return new Map(
    Object.entries(json).map(([name, value]) => [name, read(value, place.below(name))]),
  )
}

function additional(json: unknown, place: Place, read: Read): Additional {
  return json === undefined || typeof json === 'boolean' ? (json ?? true) : read(json, place)
}

function numbers<Name extends string>(
  json: JsonObject,
  place: Place,
  names: readonly Name[],
): Partial<Record<Name, number>> {
  const found: Partial<Record<Name, number>> = {}
  for (const name of names) {
    const value = json[name]
    if (value === undefined) continue
    if (typeof value !== 'number') throw invalid(place, `'${name}' is no number`)
    found[name] = value
  }
  return found
}

function regular(pattern: string, place: Place): BoundedPattern {
  const refuse = (reason: string): never => {
    throw invalid(place, reason)
  }
  try {
    return boundedPattern(new RegExp(pattern, 'gu'), refuse)
  } catch {
    throw invalid(place, `${JSON.stringify(pattern)} is no regular expression`)
  }
}
