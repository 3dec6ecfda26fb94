/** Functions of JSON texts; what each literal argument says is told in plan/functions/json.ts. */
import { dateText, timestampText, timeText } from '../../data/civil.ts'
import type { DataType } from '../../data/types.ts'
import type { Expression } from '../../plan/expressions.ts'
import { decimalText } from '../decimals.ts'
import { failRow } from '../row-failure.ts'
import {
  type CallShape,
  type RowCall,
  type RowFunction,
  seesNulls,
  shaped,
  strict,
} from '../row-function.ts'
import type { Value } from '../value.ts'
import { doubleText } from '../value-text.ts'
import { findPath, isObject, type Json, jsonOf, parseJson, parsePath } from './json-path.ts'

const MADE_JSON = new Set(['JSON', 'JSON_OBJECT', 'JSON_ARRAY'])

export const jsonFunctions: Readonly<Record<string, RowFunction>> = {
  JSON_EXISTS: seesNulls(() => ([text, path, , , , , onError]) => {
    if (text === null || path === null) return null
    const found = lookUp(text as string, path as string)
    if (found.kind === 'found') return found.values.length > 0
    return existsOnError((onError ?? 'FALSE') as string, found.reason)
  }),
  JSON_VALUE: seesNulls(
    ({ type }) =>
      (args) =>
        jsonValue(args, type),
  ),
  JSON_QUERY: seesNulls(
    ({ type }) =>
      (args) =>
        jsonQuery(args, type),
  ),
  JSON_STRING: shaped(
    ({ args }) =>
      ([value]) =>
        jsonOf(jsonOfValue(value!, args[0]!)),
  ),
  JSON: strict(([text]) => {
    const trimmed = (text as string).trim()
    if (trimmed === '') return 'null'
    const parsed = parseJson(trimmed)
    return parsed === undefined ? failRow(`'${text}' is not JSON`) : jsonOf(parsed)
  }),
  JSON_OBJECT: seesNulls(jsonObject),
  JSON_ARRAY: seesNulls(jsonArray),
  JSON_QUOTE: strict(([text]) => quoted(text as string)),
  JSON_UNQUOTE: strict(([text]) => unquoted(text as string)),
  IS_JSON: seesNulls(() => ([text, kind]) => {
    const parsed = text === null ? undefined : parseJson(text as string)
    if (parsed === undefined) return false
    switch (kind) {
      case 'ARRAY':
        return Array.isArray(parsed)
      case 'OBJECT':
        return isObject(parsed)
      case 'SCALAR':
        return !Array.isArray(parsed) && !isObject(parsed)
      default:
        return true
    }
  }),
}

function lookUp(text: string, path: string) {
  const parsedPath = parsePath(path) ?? failRow(`'${path}' is no JSON path`)
  const root = parseJson(text)
  if (root === undefined) return { kind: 'error' as const, reason: 'the text is not JSON' }
  return findPath(root, parsedPath)
}

function existsOnError(behaviour: string, reason: string): Value {
  if (behaviour === 'ERROR') return failRow(reason)
  return behaviour === 'UNKNOWN' ? null : behaviour === 'TRUE'
}

function jsonValue(args: readonly Value[], type: DataType): Value {
  const [text, path, , , onEmpty, whenEmpty, onError, whenError] = args
  if (text === null || path === null) return null
  const failed = (reason: string): Value => {
    if (onError === 'ERROR') return failRow(reason)
    return onError === 'DEFAULT' ? defaultOf(whenError!, type) : null
  }
  const found = lookUp(text as string, path as string)
  if (found.kind === 'error') return failed(found.reason)
  const [value] = found.values
  if (value === undefined || value === null) {
    if (onEmpty === 'ERROR') return failRow('the JSON path finds nothing')
    return onEmpty === 'DEFAULT' ? defaultOf(whenEmpty!, type) : null
  }
  if (found.values.length > 1 || typeof value === 'object')
    return failed('the JSON path finds no scalar')
  const scalar = scalarOf(value, type)
  return scalar === undefined ? failed(`the value is no ${type.kind.toUpperCase()}`) : scalar
}

function defaultOf(value: Value, type: DataType): Value {
  if (type.kind === 'varchar') return value === null ? null : String(value)
  return type.kind === 'double' ? Number(value) : value
}

/** undefined if the value is none of the type. */
function scalarOf(value: string | number | bigint | boolean, type: DataType): Value | undefined {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'double':
      return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined
    case 'int':
    case 'bigint':
      return typeof value === 'bigint' ? value : undefined
    default:
      return typeof value === 'number' ? doubleText(value) : String(value)
  }
}

function jsonQuery(args: readonly Value[], type: DataType): Value {
  const [text, path, , wrapper, onEmpty, , onError] = args
  if (text === null || path === null) return null
  const behave = (behaviour: Value | undefined, reason: string): Value => {
    if (behaviour === 'ERROR') return failRow(reason)
    if (behaviour === 'EMPTY ARRAY') return type.kind === 'array' ? [] : '[]'
    return behaviour === 'EMPTY OBJECT' ? '{}' : null
  }
  const found = lookUp(text as string, path as string)
  if (found.kind === 'error') return behave(onError, found.reason)
  const result = wrapped(found.values, (wrapper ?? 'WITHOUT') as string)
  if (result === undefined) return behave(onEmpty, 'the JSON path finds nothing')
  if (typeof result !== 'object' || result === null)
    return behave(onError, 'the JSON path finds neither array nor object')
  if (type.kind !== 'array') return jsonOf(result)
  if (!Array.isArray(result)) return behave(onError, 'the JSON path finds no array')
  return result.map((each: Json) =>
    each === null ? null : typeof each === 'string' ? each : jsonOf(each),
  )
}

/** undefined if there is nothing. */
function wrapped(values: readonly Json[], wrapper: string): Json | undefined {
  const [first] = values
  if (first === undefined || (first === null && values.length === 1)) return undefined
  if (wrapper === 'UNCONDITIONAL') return values
  const isOne = values.length === 1 && (Array.isArray(first) || isObject(first))
  return wrapper === 'CONDITIONAL' && !isOne ? values : first
}

/** A value of any type as JSON. */
function jsonOfValue(value: Value, type: DataType): Json {
  if (value === null) return null
  switch (type.kind) {
    case 'decimal': {
      // Told as a number: its digits go through JSON's own reading.
      return parseJson(decimalText(value as bigint, type.scale)) ?? null
    }
    case 'date':
      return dateText(Number(value))
    case 'time':
      return timeText(value as bigint, type.precision)
    case 'timestamp':
      return timestampText(value as bigint, type.precision, 'T')
    case 'timestamp_ltz':
      return `${timestampText(value as bigint, type.precision, 'T')}Z`
    case 'binary':
    case 'varbinary':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'array':
      return (value as readonly Value[]).map((each) => jsonOfValue(each, type.element))
    case 'map': {
      const entries = value as readonly (readonly [Value, Value])[]
      return Object.fromEntries(
        entries.map(([key, each]) => [String(key), jsonOfValue(each, type.value)]),
      )
    }
    case 'row':
      return Object.fromEntries(
        type.fields.map((field, index) => [
          field.name,
          jsonOfValue((value as readonly Value[])[index] ?? null, field.type),
        ]),
      )
    default:
      return value as Json
  }
}

/** What the argument adds: JSON made by JSON, JSON_OBJECT or JSON_ARRAY goes in as it is. */
function embedded(value: Value, type: DataType, expression: Expression | undefined): Json {
  const source = expression?.kind === 'cast' ? expression.input : expression
  if (value !== null && source?.kind === 'call' && MADE_JSON.has(source.function))
    return parseJson(value as string) ?? null
  return jsonOfValue(value, type)
}

function jsonObject({ args, expressions }: CallShape): RowCall {
  return ([onNull, ...rest]) => {
    const out: Record<string, Json> = {}
    for (let at = 0; at < rest.length; at += 2) {
      const member = embedded(rest[at + 1]!, args[at + 2]!, expressions[at + 2])
      if (rest[at] === null) return failRow('a key of JSON_OBJECT is NULL')
      if (rest[at + 1] === null && onNull === 'ABSENT') continue
      out[rest[at] as string] = member
    }
    return jsonOf(out)
  }
}

function jsonArray({ args, expressions }: CallShape): RowCall {
  return ([onNull, ...rest]) => {
    const members = rest.flatMap((value, index) =>
      value === null && onNull === 'ABSENT'
        ? []
        : [embedded(value, args[index + 1]!, expressions[index + 1])],
    )
    return jsonOf(members)
  }
}

/** With slashes escaped and all but ASCII as \u escapes. */
function quoted(text: string): string {
  return JSON.stringify(text)
    .replaceAll('/', '\\/')
    .replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** What stands between quotes, its escapes resolved; all else, and what has an escape that is none, stays. */
function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text
  const inner = text.slice(1, -1)
  if (/\\(?:$|[^"\\/bfnrtu]|u(?![0-9a-fA-F]{4}))/.test(inner.replaceAll('\\\\', ''))) return text
  return inner.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code, other) =>
    code === undefined ? (ESCAPES[other] ?? other) : String.fromCharCode(Number.parseInt(code, 16)),
  )
}
