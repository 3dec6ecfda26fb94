/**
 * What users' functions are told and give, between cells and JavaScript: arguments and state as the library tells values
 * (data/values.ts), results as such values too, checked against the type that was declared.
 */
import type { Vector } from '../data/batch.ts'
import type { LinearMemory } from '../data/memory.ts'
import { encodeNested } from '../data/nested-cells.ts'
import { nestedValue } from '../data/nested-values.ts'
import type { DataType } from '../data/types.ts'
import type { Value as Told } from '../data/values.ts'
import { valueAt } from '../data/values.ts'
import { typeText } from '../plan/functions/type-text.ts'
import type { EvaluationContext } from './compiled.ts'
import { RowFailure } from './row-failure.ts'
import { textValue } from './text-value.ts'
import type { Value } from './value.ts'

/** Elements of one array, rows of one call: a generator without an end must not take the process with it. */
export const GIVEN_MAX = 100_000

type RowType = Extract<DataType, { kind: 'row' }>

/** The fields of a declared state, or of a row to come. */
export type Fields = Record<string, Told>

const nested = (type: DataType, bytes: Uint8Array): Told => nestedValue(type, bytes)

/** The value at `row`, as a function is told it. */
export function toldAt(memory: LinearMemory, vector: Vector, row: number): Told {
  return valueAt(memory, vector, row, { nested })
}

/** Encoded fields as an object of a function's own, to be written to. */
export function fieldsOf(type: RowType, bytes: Uint8Array): Fields {
  return nestedValue(type, bytes) as Fields
}

/** @throws RowFailure if a field is no value of its type */
export function encodedFields(
  type: RowType,
  fields: unknown,
  context: EvaluationContext,
): Uint8Array {
  return encodeNested(type, cellOf(fields, type, context))
}

/** Why a function's value, or what it threw, can't be gone on with. */
export function failureOf(error: unknown, name: string): string {
  if (error instanceof RowFailure) return `${name}: ${error.message}`
  return `${name} threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`
}

/** State and results of groups are read and written in no session's time zone. */
export const UTC: EvaluationContext = {
  nowUs: () => 0n,
  timeZone: 'UTC',
  overflow: 'error',
  fail: (_, reason) => {
    throw new RowFailure(reason)
  },
  count() {},
}

/** Of methods that give nothing: what is a Promise has not been done yet. @throws RowFailure */
export function requireNothing(given: unknown, method: string): void {
  if (isPromise(given))
    throw new RowFailure(`its ${method} gave a Promise: it must be done when it returns`)
}

/** What a function gave as its result. @throws RowFailure if it is no value of the type */
export function resultCell(told: unknown, type: DataType, context: EvaluationContext): Value {
  if (told === undefined)
    throw new RowFailure('it gave undefined: return a value, or null where there is none')
  return cellOf(told, type, context)
}

/** @throws RowFailure if it is no value of the type */
export function cellOf(told: unknown, type: DataType, context: EvaluationContext): Value {
  if (told === null || told === undefined) return type.nullable ? null : refused(told, type)
  switch (type.kind) {
    case 'array':
      return listOf(told, type).map((each) => cellOf(each, type.element, context))
    case 'map':
      return listOf(told, type).map((pair): readonly [Value, Value] => {
        const [key, value] = listOf(pair, type)
        return [cellOf(key, type.key, context), cellOf(value, type.value, context)]
      })
    case 'row':
      return rowOf(told, type, context)
    case 'float':
      return typeof told === 'number' ? Math.fround(told) : refused(told, type)
    case 'double':
      return typeof told === 'number' ? told : refused(told, type)
    case 'boolean':
      return typeof told === 'boolean' ? told : refused(told, type)
    case 'binary':
    case 'varbinary':
      return told instanceof Uint8Array ? told : refused(told, type)
    case 'char':
    case 'varchar':
      return typeof told === 'string' ? told : refused(told, type)
    default:
      return exactOf(told, type, context)
  }
}

/** Whole numbers, decimals and times: numbers, bigints, dates, and texts as CAST reads them. */
function exactOf(told: unknown, type: DataType, context: EvaluationContext): Value {
  if (told instanceof Date && type.kind === 'timestamp_ltz') return BigInt(told.getTime()) * 1000n
  if (typeof told === 'bigint' && type.kind.startsWith('interval')) return told
  if (typeof told === 'bigint' || typeof told === 'string')
    return textValue(`${told}`, type, context)
  if (typeof told !== 'number') return refused(told, type)
  if (type.kind === 'decimal') return textValue(plainText(told, type.scale), type, context)
  return Number.isSafeInteger(told) ? textValue(`${told}`, type, context) : refused(told, type)
}

function plainText(value: number, scale: number): string {
  if (!Number.isFinite(value)) return String(value)
  const text = String(value)
  return text.includes('e') ? value.toFixed(Math.min(scale + 1, 100)) : text
}

function listOf(told: unknown, type: DataType): readonly unknown[] {
  if (Array.isArray(told)) return told
  if (typeof told !== 'object' || told === null || !(Symbol.iterator in told))
    return refused(told, type)
  const list: unknown[] = []
  for (const each of told as Iterable<unknown>) {
    if (list.length === GIVEN_MAX)
      throw new RowFailure(`it gave more than ${GIVEN_MAX} ${isRows(type) ? 'rows' : 'elements'}`)
    list.push(each)
  }
  return list
}

function isRows(type: DataType): boolean {
  return type.kind === 'array' && type.element.kind === 'row'
}

function rowOf(
  told: unknown,
  type: Extract<DataType, { kind: 'row' }>,
  context: EvaluationContext,
): Value {
  if (typeof told !== 'object' || told === null) return refused(told, type)
  const fields = new Map(Object.entries(told))
  return type.fields.map((field) => cellOf(fields.get(field.name), field.type, context))
}

function refused(told: unknown, type: DataType): never {
  const hint = isPromise(told) ? ': declare it with asyncFunction' : ''
  throw new RowFailure(`it gave ${shown(told)}, which is no ${typeText(type)}${hint}`)
}

export function isPromise(told: unknown): told is PromiseLike<unknown> {
  return typeof told === 'object' && told !== null && 'then' in told
}

function shown(told: unknown): string {
  if (typeof told === 'string') return JSON.stringify(told.slice(0, 40))
  if (isPromise(told)) return 'a Promise'
  if (Array.isArray(told)) return 'an array'
  return typeof told === 'object' && told !== null ? 'an object' : String(told)
}
