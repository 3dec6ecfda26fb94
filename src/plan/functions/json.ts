/**
 * Functions of JSON texts. What SQL says in words stands as literals after the arguments:
 *
 *   JSON_EXISTS, JSON_VALUE, JSON_QUERY(json, path, returning, wrapper, onEmpty, default, onError, default), the last six or none, NULL where not said:
 *     returning   'STRING' 'INT' 'DOUBLE' 'BOOLEAN'; of JSON_QUERY 'STRING' 'ARRAY<STRING>'
 *     wrapper     'WITHOUT' 'CONDITIONAL' 'UNCONDITIONAL'
 *     on...       'NULL' 'ERROR' 'DEFAULT' 'EMPTY ARRAY' 'EMPTY OBJECT'; of JSON_EXISTS 'TRUE' 'FALSE' 'UNKNOWN' 'ERROR'
 *   JSON_OBJECT(onNull, key, value, ...), JSON_ARRAY(onNull, value, ...)    'NULL' 'ABSENT'
 *   IS_JSON(text, kind)                                                'VALUE' 'SCALAR' 'ARRAY' 'OBJECT'
 */
import { type DataType, types } from '../../data/types.ts'
import type { LiteralValue } from '../expressions.ts'
import { any, define, optional, repeated, string, text } from './parameters.ts'
import type { FunctionSignature } from './signature.ts'

const RETURNING: Readonly<Record<string, DataType>> = {
  STRING: types.string,
  INT: types.int,
  INTEGER: types.int,
  BIGINT: types.bigint,
  DOUBLE: types.double,
  BOOLEAN: types.boolean,
}

const clause = optional(text)
const ON_PATH = [text, text, clause, clause, clause, optional(any), clause, optional(any)] as const

export const jsonFunctions: readonly FunctionSignature[] = [
  define('JSON_EXISTS', 'Whether a JSON path finds something.', ON_PATH, types.boolean, {
    nullable: 'always',
  }),
  define('JSON_VALUE', 'The scalar that a JSON path finds.', ON_PATH, returned, {
    nullable: 'always',
  }),
  define('JSON_QUERY', 'The array or object that a JSON path finds, as JSON.', ON_PATH, queried, {
    nullable: 'always',
  }),
  define('JSON_STRING', 'A value as JSON.', [any], string),
  define('JSON', 'A JSON text that JSON_OBJECT and JSON_ARRAY take in as it is.', [text], string),
  define('JSON_OBJECT', 'A JSON object of keys and values.', [text, repeated(any)], pairs, {
    nullable: 'never',
  }),
  define('JSON_ARRAY', 'A JSON array of values.', [text, repeated(any)], string, {
    nullable: 'never',
  }),
  define('JSON_QUOTE', 'A text as a JSON string.', [text], string),
  define('JSON_UNQUOTE', 'The text of a JSON string; what is none stays.', [text], string),
  define('IS_JSON', 'Whether a text is JSON of a kind.', [text, optional(text)], types.boolean, {
    nullable: 'never',
  }),
]

type Literals = readonly (LiteralValue | undefined)[]

function returned(_args: readonly DataType[], literals: Literals): DataType | string {
  const name = String(literals[2] ?? 'STRING').replace(/ NOT NULL$|^VARCHAR.*$/, '') || 'STRING'
  return RETURNING[name] ?? `JSON_VALUE returns ${Object.keys(RETURNING).join(', ')}, not ${name}`
}

function queried(_args: readonly DataType[], literals: Literals): DataType | string {
  const [, , returning, , onEmpty, , onError] = literals
  if ((returning ?? 'STRING') === 'STRING') return string
  if (returning !== 'ARRAY<STRING>')
    return `JSON_QUERY returns STRING or ARRAY<STRING>, not ${returning}`
  if (onEmpty === 'EMPTY OBJECT' || onError === 'EMPTY OBJECT')
    return "JSON_QUERY that returns an ARRAY can't give an EMPTY OBJECT"
  return { kind: 'array', element: string, nullable: true }
}

function pairs(args: readonly DataType[]): DataType | string {
  return args.length % 2 === 1 ? string : 'JSON_OBJECT takes a value for each key'
}
