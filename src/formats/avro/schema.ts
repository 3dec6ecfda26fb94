/**
 * Avro schemas as data, read from their JSON text: names resolved, strictly, with bounds on size and depth.
 *
 * A named type is one object wherever it is referred to, so a recursive schema is a cyclic graph: who walks it remembers pairs.
 * Nothing is ever fetched: what a schema refers to is in its own text or in `references`.
 *
 * @see Avro 1.12.0 specification, "Schema Declaration" and "Names"
 */
import { MillraceError } from '../../errors.ts'
import { parseJsonBounded } from '../schema-json.ts'
import type { ResolvedSchema } from '../schema-source.ts'
import { isFittingDefault } from './defaults.ts'
import type {
  AvroEnum,
  AvroField,
  AvroFixed,
  AvroRecord,
  AvroSchema,
  LogicalType,
  Named,
  PrimitiveKind,
} from './types.ts'

const PRIMITIVES: ReadonlySet<string> = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
])
/** Sizes are Avro's own `int`s. */
const SIZE_MAX = 2 ** 31 - 1
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** @throws SCHEMA_INVALID */
export function parseAvro({ text, references }: Omit<ResolvedSchema, 'type'>): AvroSchema {
  const names = new Map<string, AvroSchema>()
  const jsons = references.map((reference) => parseJsonBounded('AVRO', reference.text))
  readReferences(jsons, names)
  return readSchema(parseJsonBounded('AVRO', text), { names, namespace: '', path: '' })
}

/** In an order in which each stands behind what it needs, whatever order they came in. */
function readReferences(jsons: readonly unknown[], names: Map<string, AvroSchema>): void {
  let waiting = jsons
  while (waiting.length > 0) {
    const failed = waiting.flatMap((json) => {
      const before = new Set(names.keys())
      try {
        readSchema(json, { names, namespace: '', path: '' })
        return []
      } catch (error) {
        for (const name of names.keys()) if (!before.has(name)) names.delete(name)
        return [{ json, error }]
      }
    })
    if (failed.length === waiting.length) throw failed[0]!.error
    waiting = failed.map(({ json }) => json)
  }
}

/** 'Order' of 'com.shop.Order'. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

interface Reading {
  readonly names: Map<string, AvroSchema>
  readonly namespace: string
  readonly path: string
}

type JsonObject = Readonly<Record<string, unknown>>

function readSchema(json: unknown, reading: Reading): AvroSchema {
  if (typeof json === 'string') return referred(json, reading)
  if (Array.isArray(json)) return readUnion(json, reading)
  if (!isObject(json)) throw invalid(reading, `${JSON.stringify(json)} is no schema`)
  const { type } = json
  switch (type) {
    case 'record':
    case 'error':
      return readRecord(json, reading)
    case 'enum':
      return readEnum(json, reading)
    case 'fixed':
      return readFixed(json, reading)
    case 'array':
      if (json.items === undefined) throw invalid(reading, "an array has no 'items'")
      return { kind: 'array', items: readSchema(json.items, below(reading, 'items')) }
    case 'map':
      if (json.values === undefined) throw invalid(reading, "a map has no 'values'")
      return { kind: 'map', values: readSchema(json.values, below(reading, 'values')) }
    default:
      if (typeof type === 'string' && PRIMITIVES.has(type))
        return { kind: type as PrimitiveKind, ...logicalOf(json) }
      if (type === undefined) throw invalid(reading, "a schema has no 'type'")
      return readSchema(type, below(reading, 'type'))
  }
}

function referred(name: string, reading: Reading): AvroSchema {
  if (PRIMITIVES.has(name)) return { kind: name as PrimitiveKind }
  const found = reading.names.get(fullName(name, reading.namespace)) ?? reading.names.get(name)
  if (found !== undefined) return found
  throw invalid(reading, `there is no type ${JSON.stringify(name)}`)
}

function readUnion(json: readonly unknown[], reading: Reading): AvroSchema {
  const seen = new Set<string>()
  const branches = json.map((each, index) => {
    const place = below(reading, String(index))
    const branch = readSchema(each, place)
    if (branch.kind === 'union') throw invalid(place, 'a union stands directly in a union')
    const key = 'name' in branch ? branch.name : branch.kind
    if (seen.has(key)) throw invalid(place, `a union holds ${key} twice`)
    seen.add(key)
    return branch
  })
  return { kind: 'union', branches }
}

function readRecord(json: JsonObject, reading: Reading): AvroSchema {
  const named = nameOf(json, reading)
  const record: AvroRecord = { kind: 'record', ...named, fields: [] }
  define(record, reading)
  if (!Array.isArray(json.fields)) throw invalid(reading, `record ${named.name} has no 'fields'`)
  const inner = { ...reading, namespace: namespaceOf(named.name) }
  const seen = new Set<string>()
  json.fields.forEach((each: unknown, index) => {
    const place = below(inner, `fields/${index}`)
    const field = readField(each, place)
    if (seen.has(field.name)) throw invalid(place, `field ${field.name} is there twice`)
    seen.add(field.name)
    record.fields.push(field)
  })
  return record
}

function readField(json: unknown, reading: Reading): AvroField {
  if (!isObject(json)) throw invalid(reading, 'a field is no object')
  const { name } = json
  if (typeof name !== 'string' || !NAME.test(name))
    throw invalid(reading, `${JSON.stringify(name)} is no name of a field`)
  if (json.type === undefined) throw invalid(reading, `field ${name} has no 'type'`)
  const type = readSchema(json.type, below(reading, 'type'))
  const aliases = stringsOf(json, 'aliases', reading)
  if (!Object.hasOwn(json, 'default')) return { name, aliases, type }
  if (!isFittingDefault(type, json.default))
    throw invalid(reading, `the default of field ${name} is no value of its type`)
  return { name, aliases, type, fallback: json.default }
}

function readEnum(json: JsonObject, reading: Reading): AvroSchema {
  const named = nameOf(json, reading)
  const symbols = stringsOf(json, 'symbols', reading)
  if (!Array.isArray(json.symbols)) throw invalid(reading, `enum ${named.name} has no 'symbols'`)
  if (new Set(symbols).size < symbols.length) throw invalid(reading, 'a symbol is there twice')
  const wrong = symbols.find((symbol) => !NAME.test(symbol))
  if (wrong !== undefined) throw invalid(reading, `${JSON.stringify(wrong)} is no symbol`)
  const { default: fallback } = json
  if (fallback !== undefined && !symbols.includes(String(fallback)))
    throw invalid(reading, `the default ${JSON.stringify(fallback)} is none of the symbols`)
  const found: AvroEnum = {
    kind: 'enum',
    ...named,
    symbols,
    ...(fallback === undefined ? {} : { fallback: String(fallback) }),
  }
  return define(found, reading)
}

function readFixed(json: JsonObject, reading: Reading): AvroSchema {
  const named = nameOf(json, reading)
  const { size } = json
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > SIZE_MAX)
    throw invalid(reading, `${JSON.stringify(size)} is no size of fixed ${named.name}`)
  return define({ kind: 'fixed', ...named, size, ...logicalOf(json) }, reading)
}

function define(schema: AvroFixed | AvroEnum | AvroRecord, reading: Reading): AvroSchema {
  if (reading.names.has(schema.name)) throw invalid(reading, `${schema.name} is defined twice`)
  reading.names.set(schema.name, schema)
  return schema
}

function nameOf(json: JsonObject, reading: Reading): Named {
  const { name, namespace } = json
  if (typeof name !== 'string') throw invalid(reading, `a ${json.type} has no 'name'`)
  const full = fullName(name, typeof namespace === 'string' ? namespace : reading.namespace)
  if (full.split('.').some((part) => !NAME.test(part)))
    throw invalid(reading, `${JSON.stringify(full)} is no name`)
  if (PRIMITIVES.has(full)) throw invalid(reading, `${full} is the name of a primitive type`)
  const aliases = stringsOf(json, 'aliases', reading)
  return { name: full, aliases: aliases.map((alias) => fullName(alias, namespaceOf(full))) }
}

function logicalOf(json: JsonObject): { logical?: LogicalType } {
  const { logicalType, precision, scale } = json
  if (typeof logicalType !== 'string') return {}
  return {
    logical: {
      name: logicalType,
      ...(typeof precision === 'number' ? { precision } : {}),
      ...(typeof scale === 'number' ? { scale } : {}),
    },
  }
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function namespaceOf(name: string): string {
  return name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : ''
}

function stringsOf(json: JsonObject, key: string, reading: Reading): readonly string[] {
  const value = json[key]
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
    throw invalid(reading, `'${key}' is no list of names`)
  return value
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function below(reading: Reading, step: string): Reading {
  return { ...reading, path: `${reading.path}/${step}` }
}

function invalid({ path }: Reading, what: string): MillraceError {
  return new MillraceError('SCHEMA_INVALID', {
    message: `the AVRO schema is invalid at ${path === '' ? '/' : path}: ${what}`,
    hint: 'see the Avro specification, "Schema Declaration"; types of other subjects come as references',
    facts: { path },
  })
}
