/** Whether a field's default is a value of its type, as Avro writes values in JSON. */
import type { AvroRecord, AvroSchema } from './types.ts'

/** A union's default may be of any branch (Avro 1.12); bytes and fixed are strings of code points up to 255. */
export function isFittingDefault(type: AvroSchema, value: unknown): boolean {
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
      return Array.isArray(value) && value.every((each) => isFittingDefault(type.items, each))
    case 'map':
      return (
        isObject(value) && Object.values(value).every((each) => isFittingDefault(type.values, each))
      )
    case 'union':
      return type.branches.some((branch) => isFittingDefault(branch, value))
    case 'record':
      return isObject(value) && isFittingRecord(type, value)
  }
}

function isFittingRecord(
  { fields }: AvroRecord,
  value: Readonly<Record<string, unknown>>,
): boolean {
  return fields.every(({ name, type, fallback }) =>
    Object.hasOwn(value, name) ? isFittingDefault(type, value[name]) : fallback !== undefined,
  )
}

function isLatin(value: unknown): value is string {
  return typeof value === 'string' && [...value].every((each) => each.codePointAt(0)! < 256)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
