/** Functions of numbers. */
import { type DataType, types } from '../../data/types.ts'
import { asDecimal, DECIMAL_PRECISION_MAX, isApproximate, isInteger } from './coercion.ts'
import {
  bigint,
  define,
  double,
  firstType,
  int,
  integer,
  numeric,
  optional,
  string,
  text,
} from './parameters.ts'
import type { FunctionSignature } from './signature.ts'

export const numberFunctions: readonly FunctionSignature[] = [
  define('ABS', 'The absolute value.', [numeric], firstType),
  define('SIGN', '-1, 0 or 1, as the number is.', [numeric], firstType),
  define(
    'ROUND',
    'Rounded to n fraction digits (0), half away from zero.',
    [numeric, optional(int)],
    rounded,
    { nullable: 'arguments' },
  ),
  define('TRUNCATE', 'Cut to n fraction digits (0).', [numeric, optional(int)], rounded),
  define('POWER', 'The first to the power of the second.', [double, double], types.double),
  define('SQRT', 'The square root.', [double], types.double),
  define('CBRT', 'The cube root.', [double], types.double),
  define('EXP', 'e to the power of the number.', [double], types.double),
  define('LN', 'The natural logarithm.', [double], types.double),
  define('LOG10', 'The logarithm to base 10.', [double], types.double),
  define('LOG2', 'The logarithm to base 2.', [double], types.double),
  define(
    'LOG',
    'The natural logarithm; with two arguments, of the second to the base of the first.',
    [double, optional(double)],
    types.double,
  ),
  ...trigonometric(),
  define('ATAN2', 'The angle of the point (second, first).', [double, double], types.double),
  define('PI', 'The number π.', [], types.double, { nullable: 'never' }),
  define('E', "Euler's number.", [], types.double, { nullable: 'never' }),
  define(
    'RAND',
    'A random number in [0, 1); with a seed, the same sequence.',
    [optional(int)],
    types.double,
  ),
  define(
    'RAND_INTEGER',
    'A random INT in [0, bound); with a seed before the bound, the same sequence.',
    [int, optional(int)],
    types.int,
  ),
  define('BIN', 'A whole number in binary digits.', [bigint], string),
  define(
    'HEX',
    'A whole number, or the bytes of a text, in hexadecimal digits.',
    [hexable()],
    string,
  ),
  define(
    'UNHEX',
    'The bytes that hexadecimal digits tell; NULL if they are none.',
    [text],
    types.bytes,
    {
      nullable: 'always',
    },
  ),
  define('BITAND', 'Bitwise AND.', [integer, integer], wider),
  define('BITOR', 'Bitwise OR.', [integer, integer], wider),
  define('BITXOR', 'Bitwise exclusive OR.', [integer, integer], wider),
  define('BITNOT', 'Bitwise complement.', [integer], firstType),
]

function trigonometric(): FunctionSignature[] {
  const named: Readonly<Record<string, string>> = {
    SIN: 'The sine of an angle in radians.',
    COS: 'The cosine of an angle in radians.',
    TAN: 'The tangent of an angle in radians.',
    COT: 'The cotangent of an angle in radians.',
    SINH: 'The hyperbolic sine.',
    COSH: 'The hyperbolic cosine.',
    TANH: 'The hyperbolic tangent.',
    ASIN: 'The angle whose sine it is.',
    ACOS: 'The angle whose cosine it is.',
    ATAN: 'The angle whose tangent it is.',
    DEGREES: 'Radians in degrees.',
    RADIANS: 'Degrees in radians.',
  }
  return Object.entries(named).map(([name, summary]) =>
    define(name, summary, [double], types.double),
  )
}

/** @see org.apache.flink.table.types.logical.utils.LogicalTypeMerging.findRoundDecimalType */
function rounded(args: readonly DataType[], literals: readonly unknown[]): DataType {
  const [type, digits] = args
  if (type!.kind !== 'decimal') return type!
  const { precision, scale } = asDecimal(type!)
  const kept = digits === undefined ? 0 : Number(literals[1] ?? scale)
  if (kept >= scale) return type!
  const whole = precision - scale + 1
  const scaleKept = Math.max(0, kept)
  return types.decimal(Math.min(DECIMAL_PRECISION_MAX, whole + scaleKept), scaleKept)
}

function wider(args: readonly DataType[]): DataType {
  return args.some(({ kind }) => kind === 'bigint') ? types.bigint : types.int
}

function hexable() {
  return {
    expected: 'a whole number or a text',
    accept: (type: DataType) =>
      isInteger(type) ? types.bigint : isApproximate(type) ? undefined : text.accept(type),
  }
}
