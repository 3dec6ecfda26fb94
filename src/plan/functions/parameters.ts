/** A small language for signatures: `define('LPAD', summary, [text, int, text], string)`. */
import { type DataType, STRING_LENGTH_MAX, types, withNullability } from '../../data/types.ts'
import type { LiteralValue } from '../expressions.ts'
import { isBinary, isExact, isInteger, isNumeric, isText, isTimestamp } from './coercion.ts'
import type { FunctionSignature, Resolved } from './signature.ts'
import { typeText } from './type-text.ts'

/** What an argument must be: `accept` gives the type to cast it to, undefined if it does not fit. */
export interface Parameter {
  readonly expected: string
  readonly optional?: true
  /** Any number of further arguments of the same kind. */
  readonly repeated?: true
  accept(type: DataType): DataType | undefined
}

type Literals = readonly (LiteralValue | undefined)[]
/** The result: a type (its nullability is the arguments'), or found from the cast arguments; a string refuses them. */
export type Result =
  | DataType
  | ((args: readonly DataType[], literals: Literals) => DataType | string)

export interface Options {
  readonly aliases?: readonly string[]
  /** 'arguments': NULL only if an argument is; 'always': also for other reasons; 'never'. */
  readonly nullable?: 'arguments' | 'always' | 'never' | 'result'
}

export function define(
  name: string,
  summary: string,
  parameters: readonly Parameter[],
  result: Result,
  options: Options = {},
): FunctionSignature {
  const required = parameters.filter(({ optional }) => !optional).length
  const last = parameters.at(-1)
  const resolve = (args: readonly DataType[], literals: Literals): Resolved | string => {
    if (args.length < required || (args.length > parameters.length && !last?.repeated)) {
      return `${name} takes ${countText(required, parameters.length, last?.repeated)}, not ${args.length}`
    }
    const cast: DataType[] = []
    for (const [index, type] of args.entries()) {
      const parameter = parameters[index] ?? last!
      const target =
        type.kind === 'null'
          ? withNullability(parameter.accept(types.null) ?? types.null, true)
          : parameter.accept(type)
      if (target === undefined) {
        return `argument ${index + 1} of ${name} must be ${parameter.expected}, not ${typeText(type)}`
      }
      cast.push(withNullability(target, type.nullable))
    }
    const found = typeof result === 'function' ? result(cast, literals) : result
    if (typeof found === 'string') return found
    return { args: cast, type: nullability(found, cast, options.nullable ?? 'arguments') }
  }
  const { aliases } = options
  return aliases === undefined ? { name, summary, resolve } : { name, aliases, summary, resolve }
}

function nullability(
  type: DataType,
  args: readonly DataType[],
  rule: NonNullable<Options['nullable']>,
): DataType {
  if (rule === 'result' || type.kind === 'null') return type
  if (rule === 'arguments')
    return withNullability(
      type,
      args.some(({ nullable }) => nullable),
    )
  return withNullability(type, rule === 'always')
}

function countText(least: number, most: number, repeated: true | undefined): string {
  if (repeated) return `at least ${least} arguments`
  if (least === most) return least === 1 ? '1 argument' : `${least} arguments`
  return `${least} to ${most} arguments`
}

export function optional(parameter: Parameter): Parameter {
  return { ...parameter, optional: true }
}
export function repeated(parameter: Parameter): Parameter {
  return { ...parameter, optional: true, repeated: true }
}

/** Taken as it is if `fits`; a bare NULL becomes `whenNull`. */
function taken(expected: string, whenNull: DataType, fits: (type: DataType) => boolean): Parameter {
  return {
    expected,
    accept: (type) => (type.kind === 'null' ? whenNull : fits(type) ? type : undefined),
  }
}

function castTo(expected: string, target: DataType, fits: (type: DataType) => boolean): Parameter {
  return {
    expected,
    accept: (type) => (type.kind === 'null' || fits(type) ? target : undefined),
  }
}

export const any = taken('any type', types.null, () => true)
export const text = taken('a text', types.string, isText)
export const bytes = taken('binary', types.bytes, isBinary)
export const textOrBytes = taken(
  'a text or binary',
  types.string,
  (type) => isText(type) || isBinary(type),
)
export const boolean = taken('a BOOLEAN', types.boolean, ({ kind }) => kind === 'boolean')
export const numeric = taken('a number', types.int, isNumeric)
export const exact = taken('an exact number', types.int, isExact)
export const integer = taken('an integer', types.int, isInteger)
export const int = castTo('an INT', types.int, (type) => isInteger(type) && type.kind !== 'bigint')
export const bigint = castTo('an integer', types.bigint, isInteger)
export const double = castTo('a number', types.double, isNumeric)
export const moment = taken(
  'a DATE, TIME or TIMESTAMP',
  types.timestamp(3),
  (type) => isTimestamp(type) || type.kind === 'date' || type.kind === 'time',
)
export const array = taken('an ARRAY', types.null, ({ kind }) => kind === 'array')
export const map = taken('a MAP', types.null, ({ kind }) => kind === 'map')
/** Any scalar, turned into text. */
export const anyText: Parameter = { expected: 'a value', accept: () => types.string }

export const string: DataType = types.string
export const notNullInt: DataType = { kind: 'int', nullable: false }

/** VARCHAR as long as the first argument may be. */
export function sameLengthText(args: readonly DataType[]): DataType {
  const first = args[0]!
  const length = isText(first) ? first.length : STRING_LENGTH_MAX
  return { kind: 'varchar', length, nullable: true }
}
export function firstType(args: readonly DataType[]): DataType {
  return args[0]!
}
