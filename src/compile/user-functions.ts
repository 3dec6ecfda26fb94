/**
 * The code of users' functions, by the id that plans call them by. Modules are loaded once a thread, as Node does, before a plan is
 * compiled.
 *
 * A function is told values as the library tells them (data/values.ts) and gives such values back. What it throws fails the row.
 */

import { nestedValue } from '../data/nested-values.ts'
import type { DataType } from '../data/types.ts'
import type { Value as Told } from '../data/values.ts'
import { valueAt } from '../data/values.ts'
import { invariant } from '../errors.ts'
import type { Expression } from '../plan/expressions.ts'
import { writerOf } from './cells.ts'
import type { EvaluationContext, Frame } from './compiled.ts'
import { forEachRow } from './frame-rows.ts'
import { RowFailure } from './row-failure.ts'
import { textValue } from './text-value.ts'
import type { Value } from './value.ts'
import type { Compiled } from './vectors.ts'

export type UserCode = (...args: readonly Told[]) => unknown

const loaded = new Map<string, UserCode>()

/** Before anything that calls `id` is compiled. */
export function rememberUserCode(id: string, code: UserCode): void {
  loaded.set(id, code)
}

type Call = Extract<Expression, { kind: 'call' }>

export function compileUserCall(call: Call, args: readonly Compiled[]): Compiled {
  const code = loaded.get(call.function)
  invariant(code !== undefined, `${call.function} is loaded before it is compiled`)
  const jsBecause = [...new Set([call.function.slice(5), ...args.flatMap((arg) => arg.jsBecause)])]
  return {
    type: call.type,
    mark: 'js',
    jsBecause,
    evaluate: (frame) => evaluateRows(frame, call, args, code),
  }
}

function evaluateRows(frame: Frame, call: Call, args: readonly Compiled[], code: UserCode) {
  const { memory, context } = frame
  const vectors = args.map((arg) => arg.evaluate(frame))
  const writer = writerOf(memory, call.type, frame.rowCount)
  const nested = (type: DataType, bytes: Uint8Array): Told => nestedValue(type, bytes)
  forEachRow(frame, (row) => {
    const values = vectors.map((vector) => valueAt(memory, vector, row, { nested }))
    try {
      writer.set(row, cellOf(code(...values), call.type, context))
    } catch (error) {
      context.fail(row, failureOf(error, call.function.slice(5)))
    }
  })
  return writer.vector
}

function failureOf(error: unknown, name: string): string {
  if (error instanceof RowFailure) return `${name}: ${error.message}`
  return `${name} threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`
}

/** @throws RowFailure if it is no value of the type */
function cellOf(told: unknown, type: DataType, context: EvaluationContext): Value {
  if (told === null || told === undefined) return null
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
  const isIterable = typeof told === 'object' && told !== null && Symbol.iterator in told
  return isIterable ? [...(told as Iterable<unknown>)] : refusedList(told, type)
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
  throw new RowFailure(`it gave ${shown(told)}, which is no ${type.kind.toUpperCase()}`)
}

function refusedList(told: unknown, type: DataType): never {
  return refused(told, type)
}

function shown(told: unknown): string {
  if (typeof told === 'string') return JSON.stringify(told.slice(0, 40))
  return typeof told === 'object' ? 'an object' : String(told)
}
