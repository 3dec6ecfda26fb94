/** The operators of SQL, as functions: arithmetic, comparison, logic. */
import { type DataType, types, withNullability } from '../../data/types.ts'
import {
  asDecimal,
  commonType,
  decimalProduct,
  decimalQuotient,
  decimalRemainder,
  decimalSum,
  isApproximate,
  isInteger,
  isInterval,
  isNumeric,
  isText,
  isTimestamp,
} from './coercion.ts'
import { any, boolean, define, string, text } from './parameters.ts'
import type { FunctionSignature, Resolved } from './signature.ts'
import { typeText } from './type-text.ts'

type Decimal = ReturnType<typeof asDecimal>
type Arithmetic = 'PLUS' | 'MINUS' | 'TIMES' | 'DIVIDE' | 'MOD'

const DECIMAL_RESULT: Record<Arithmetic, (a: Decimal, b: Decimal) => DataType> = {
  PLUS: decimalSum,
  MINUS: decimalSum,
  TIMES: decimalProduct,
  DIVIDE: decimalQuotient,
  MOD: decimalRemainder,
}

export const operators: readonly FunctionSignature[] = [
  arithmetic('PLUS', 'The sum; a time moved by an interval.'),
  arithmetic('MINUS', 'The difference; a time moved back by an interval.'),
  arithmetic('TIMES', 'The product; an interval times a whole number.'),
  arithmetic('DIVIDE', 'The quotient: whole numbers are divided without a remainder.'),
  arithmetic('MOD', 'The remainder, with the sign of the dividend.'),
  {
    name: 'NEGATE',
    summary: 'The number or interval with the other sign.',
    resolve: (args) => {
      const [type] = args
      if (args.length !== 1 || type === undefined) return `NEGATE takes 1 argument`
      if (!isNumeric(type) && !isInterval(type)) return `${typeText(type)} can't be negated`
      return { args, type }
    },
  },
  comparison('EQUALS', 'Whether two values are equal.', true),
  comparison('NOT_EQUALS', 'Whether two values differ.', true),
  comparison('LESS', 'Whether the first comes before the second.', false),
  comparison('LESS_OR_EQUAL', 'Whether the first comes before the second or is equal.', false),
  comparison('GREATER', 'Whether the first comes after the second.', false),
  comparison('GREATER_OR_EQUAL', 'Whether the first comes after the second or is equal.', false),
  comparison('IS_DISTINCT_FROM', 'As <>, but NULL is a value of its own.', true, false),
  comparison('IS_NOT_DISTINCT_FROM', 'As =, but NULL is a value of its own.', true, false),
  logic('AND', 'FALSE if any is FALSE, else NULL if any is NULL, else TRUE.'),
  logic('OR', 'TRUE if any is TRUE, else NULL if any is NULL, else FALSE.'),
  define('NOT', 'The opposite truth; NULL stays NULL.', [boolean], types.boolean),
  define('IS_NULL', 'Whether the value is NULL.', [any], types.boolean, { nullable: 'never' }),
  define('IS_NOT_NULL', 'Whether the value is not NULL.', [any], types.boolean, {
    nullable: 'never',
  }),
  test('IS_TRUE', 'Whether the condition is TRUE.'),
  test('IS_FALSE', 'Whether the condition is FALSE.'),
  test('IS_NOT_TRUE', 'Whether the condition is FALSE or NULL.'),
  test('IS_NOT_FALSE', 'Whether the condition is TRUE or NULL.'),
  define(
    'LIKE',
    'Whether the text fits the pattern: % any characters, _ one; the third argument escapes them.',
    [text, text, { ...text, optional: true }],
    types.boolean,
  ),
  {
    name: 'CONCAT',
    summary: 'Texts, or binaries, one after another; also written ||.',
    resolve: concatenated,
  },
  define(
    'SIMILAR_TO',
    'Whether the text fits an SQL regular expression.',
    [text, text, { ...text, optional: true }],
    types.boolean,
  ),
]

function test(name: string, summary: string): FunctionSignature {
  return define(name, summary, [boolean], types.boolean, { nullable: 'never' })
}

function logic(name: 'AND' | 'OR', summary: string): FunctionSignature {
  return define(
    name,
    summary,
    [boolean, boolean, { ...boolean, optional: true, repeated: true }],
    types.boolean,
  )
}

function concatenated(args: readonly DataType[]): Resolved | string {
  if (args.length === 0) return 'CONCAT takes at least 1 argument'
  const nullable = args.some((type) => type.nullable)
  const binary = args.every(({ kind }) => kind === 'binary' || kind === 'varbinary')
  if (binary) return { args, type: withNullability(types.bytes, nullable) }
  if (!args.some(isText) && !args.every(({ kind }) => kind === 'null'))
    return `CONCAT joins texts, not ${args.map(typeText).join(' and ')}`
  const cast = args.map((type) => (isText(type) ? type : withNullability(string, type.nullable)))
  const total = cast.reduce((sum, type) => sum + (isText(type) ? type.length : 0), 0)
  const fixed = cast.every(({ kind }) => kind === 'char')
  const length = Math.min(total, 2147483647)
  return { args: cast, type: { kind: fixed ? 'char' : 'varchar', length, nullable } }
}

function arithmetic(name: Arithmetic, summary: string): FunctionSignature {
  return {
    name,
    summary,
    resolve: (args) => {
      const [a, b] = args
      if (args.length !== 2 || a === undefined || b === undefined)
        return `${name} takes 2 arguments`
      const left = a.kind === 'null' ? withNullability(b, true) : a
      const right = b.kind === 'null' ? withNullability(a, true) : b
      const resolved =
        isNumeric(left) && isNumeric(right) ? numbers(name, left, right) : times(name, left, right)
      if (resolved === undefined) {
        return `${name} does not take ${typeText(a)} and ${typeText(b)}`
      }
      const nullable = a.nullable || b.nullable
      return { args: resolved.args, type: withNullability(resolved.type, nullable) }
    },
  }
}

/** Exact numbers stay as they are: an INT times a DECIMAL needs no cast to be exact. */
function numbers(name: Arithmetic, a: DataType, b: DataType): Resolved {
  if (isApproximate(a) || isApproximate(b)) {
    const type = commonType(a, b)!
    const cast = (from: DataType) => withNullability(type, from.nullable)
    return { args: [cast(a), cast(b)], type }
  }
  const whole = (type: DataType) => isInteger(type) || (type.kind === 'decimal' && type.scale === 0)
  if (name === 'MOD' && whole(a) && whole(b)) return { args: [a, b], type: b }
  if (isInteger(a) && isInteger(b)) return { args: [a, b], type: commonType(a, b)! }
  return { args: [a, b], type: DECIMAL_RESULT[name](asDecimal(a), asDecimal(b)) }
}

function times(name: Arithmetic, a: DataType, b: DataType): Resolved | undefined {
  const isMoment = (type: DataType) =>
    isTimestamp(type) || type.kind === 'date' || type.kind === 'time'
  if (name === 'TIMES') {
    if (isInterval(a) && isNumeric(b)) {
      return { args: [a, withNullability(types.bigint, b.nullable)], type: a }
    }
    if (isNumeric(a) && isInterval(b)) {
      return { args: [withNullability(types.bigint, a.nullable), b], type: b }
    }
    return undefined
  }
  if (name !== 'PLUS' && name !== 'MINUS') return undefined
  if (isInterval(a) && a.kind === b.kind) return { args: [a, b], type: a }
  // DATE + INTERVAL HOUR is a DATE in Flink, too.
  if (isMoment(a) && isInterval(b)) return { args: [a, b], type: a }
  if (name === 'PLUS' && isInterval(a) && isMoment(b)) return { args: [a, b], type: b }
  return undefined
}

function comparison(
  name: string,
  summary: string,
  equality: boolean,
  nullAware = true,
): FunctionSignature {
  return {
    name,
    summary,
    resolve: (args) => {
      const [a, b] = args
      if (args.length !== 2 || a === undefined || b === undefined)
        return `${name} takes 2 arguments`
      const cast = comparable(a, b, equality)
      if (cast === undefined) return `${typeText(a)} can't be compared with ${typeText(b)}`
      const nullable = nullAware && (a.nullable || b.nullable)
      return { args: cast, type: withNullability(types.boolean, nullable) }
    },
  }
}

/** The types that `a` and `b` are compared as, one each; undefined if they can't be. */
export function comparable(a: DataType, b: DataType, equality: boolean): DataType[] | undefined {
  if (a.kind === 'null') return [withNullability(b, true), b]
  if (b.kind === 'null') return [a, withNullability(a, true)]
  const isMoment = (type: DataType) =>
    isTimestamp(type) || type.kind === 'date' || type.kind === 'time'
  if (isText(a) && isMoment(b)) return [withNullability(b, a.nullable), b]
  if (isMoment(a) && isText(b)) return [a, withNullability(a, b.nullable)]
  if (isNumeric(a) && isNumeric(b) && !isApproximate(a) && !isApproximate(b)) return [a, b]
  if (isText(a) && isText(b)) return [a, b]
  if ((a.kind === 'map' || a.kind === 'array' || a.kind === 'row') && !equality) return undefined
  const common = isNumeric(a) && isNumeric(b) && a.kind !== b.kind ? types.double : commonType(a, b)
  if (common === undefined) return undefined
  return [withNullability(common, a.nullable), withNullability(common, b.nullable)]
}
