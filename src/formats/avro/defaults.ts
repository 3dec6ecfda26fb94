/** Whether a field's default is a value of its type, as Avro writes values in JSON. */
import type { AvroRecord, AvroSchema } from './types.ts'

/** A union's default may be of any branch (Avro 1.12); bytes and fixed are strings of code points up to 255. */
export function isFittingDefault(type: AvroSchema, value: unknown): boolean {
  return isFitting(type, value, new Map())
}

/** What each value has been held against: unions of records would else try the same again at every level. */
type Tried = Map<unknown, Map<AvroSchema, boolean>>

function isFitting(type: AvroSchema, value: unknown, tried: Tried): boolean {
  if (typeof value !== 'object' || value === null) return isFittingValue(type, value, tried)
  const ofValue = tried.get(value) ?? new Map<AvroSchema, boolean>()
  tried.set(value, ofValue)
  const before = ofValue.get(type)
  if (before !== undefined) return before
  const found = isFittingValue(type, value, tried)
  ofValue.set(type, found)
  return found
}

function isFittingValue(type: AvroSchema, value: unknown, tried: Tried): boolean {
  switch (type.kind) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
      return Number.isInteger(value) && Math.abs(Number(value) + 0.5) < 2 ** 31
    case 'long':
      return Number.isInteger(value) && Number(value) >= -(2 ** 63) && Number(value) <= 2 ** 63
    case 'float':
    case 'double':
      return typeof value === 'number' || value === 'NaN' || /^-?Infinity$/.test(String(value))
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return isLatin(value)
    case 'fixed':
      return isLatin(value) && value.length === type.size
    case 'enum':
      return typeof value === 'string' && type.symbols.includes(value)
    case 'array':
      return Array.isArray(value) && value.every((each) => isFitting(type.items, each, tried))
    case 'map':
      return (
        isObject(value) && Object.values(value).every((each) => isFitting(type.values, each, tried))
      )
    case 'union':
      return type.branches.some((branch) => isFitting(branch, value, tried))
    case 'record':
      return isObject(value) && isFittingRecord(type, value, tried)
  }
}

function isFittingRecord(
  { fields }: AvroRecord,
  value: Readonly<Record<string, unknown>>,
  tried: Tried,
): boolean {
  return fields.every(({ name, type, fallback }) =>
    Object.hasOwn(value, name) ? isFitting(type, value[name], tried) : fallback !== undefined,
  )
}

function isLatin(value: unknown): value is string {
  return typeof value === 'string' && [...value].every((each) => each.codePointAt(0)! < 256)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
