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
import { doubleText, floatText } from '../value-text.ts'
import {
  findPath,
  isObject,
  type Json,
  jsonOf,
  objectText,
  parseJson,
  parsePath,
} from './json-path.ts'

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
        textOfValue(value!, args[0]!),
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

/** A value of any type as JSON text. */
function textOfValue(value: Value, type: DataType): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'decimal':
      return decimalText(value as bigint, type.scale)
    case 'float':
      return floatText(value as number)
    case 'date':
      return JSON.stringify(dateText(Number(value)))
    case 'time':
      return JSON.stringify(timeText(value as bigint, type.precision))
    case 'timestamp':
      return JSON.stringify(timestampText(value as bigint, type.precision, 'T'))
    case 'timestamp_ltz':
      return JSON.stringify(`${timestampText(value as bigint, type.precision, 'T')}Z`)
    case 'binary':
    case 'varbinary':
      return JSON.stringify(Buffer.from(value as Uint8Array).toString('base64'))
    case 'array':
      return `[${(value as readonly Value[]).map((each) => textOfValue(each, type.element)).join(',')}]`
    case 'map': {
      const entries = value as readonly (readonly [Value, Value])[]
      return objectText(entries.map(([key, each]) => [String(key), textOfValue(each, type.value)]))
    }
    case 'row':
      return objectText(
        type.fields.map((field, index) => [
          field.name,
          textOfValue((value as readonly Value[])[index] ?? null, field.type),
        ]),
      )
    default:
      return jsonOf(value as Json)
  }
}

/** What the argument adds: JSON made by JSON, JSON_OBJECT or JSON_ARRAY goes in as it is. */
function embedded(value: Value, type: DataType, expression: Expression | undefined): string {
  const source = expression?.kind === 'cast' ? expression.input : expression
  if (value !== null && source?.kind === 'call' && MADE_JSON.has(source.function))
    return value as string
  return textOfValue(value, type)
}

function jsonObject({ args, expressions }: CallShape): RowCall {
  return ([onNull, ...rest]) => {
    const members = new Map<string, string>()
    for (let at = 0; at < rest.length; at += 2) {
      const [name, value] = [rest[at]!, rest[at + 1]!]
      if (name === null) return failRow('a key of JSON_OBJECT is NULL')
      if (value === null && onNull === 'ABSENT') continue
      members.set(name as string, embedded(value, args[at + 2]!, expressions[at + 2]))
    }
    return objectText([...members])
  }
}

function jsonArray({ args, expressions }: CallShape): RowCall {
  return ([onNull, ...rest]) => {
    const members = rest.flatMap((value, index) =>
      value === null && onNull === 'ABSENT'
        ? []
        : [embedded(value, args[index + 1]!, expressions[index + 1])],
    )
    return `[${members.join(',')}]`
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
