/** Aggregate functions of GROUP BY. Their results are nullable unless said: a group may have only NULLs. */
import { type DataType, types } from '../../data/types.ts'
import { DECIMAL_PRECISION_MAX } from './coercion.ts'
import { any, define, firstType, numeric, optional, text } from './parameters.ts'
import type { FunctionSignature } from './signature.ts'
import { typeText } from './type-text.ts'

export const aggregates: readonly FunctionSignature[] = [
  define(
    'COUNT',
    'The number of rows, or of values that are not NULL.',
    [optional(any)],
    types.bigint,
    {
      nullable: 'never',
    },
  ),
  define('SUM', 'The sum of the values that are not NULL.', [numeric], summed, {
    nullable: 'always',
  }),
  define('AVG', 'The average of the values that are not NULL.', [numeric], averaged, {
    nullable: 'always',
  }),
  define('MIN', 'The least value.', [any], ordered('MIN'), { nullable: 'always' }),
  define('MAX', 'The greatest value.', [any], ordered('MAX'), { nullable: 'always' }),
  define(
    'FIRST_VALUE',
    'The value that came first, of those that are not NULL.',
    [any],
    firstType,
    {
      nullable: 'always',
    },
  ),
  define('LAST_VALUE', 'The value that came last, of those that are not NULL.', [any], firstType, {
    nullable: 'always',
  }),
  deviation('STDDEV_POP', 'The standard deviation of all values.'),
  deviation('STDDEV_SAMP', 'The standard deviation, of values that are a sample.', ['STDDEV']),
  deviation('VAR_POP', 'The variance of all values.'),
  deviation('VAR_SAMP', 'The variance, of values that are a sample.', ['VARIANCE']),
  define(
    'LISTAGG',
    "The texts that are not NULL, one behind another with a separator (',' unless told) between.",
    [text, optional(text)],
    types.string,
    { nullable: 'always' },
  ),
  define(
    'JSON_ARRAYAGG',
    'The values as a JSON array; NULLs are left out unless told: JSON_ARRAYAGG(x NULL ON NULL).',
    [text, any],
    types.string,
    { nullable: 'never' },
  ),
  define(
    'JSON_OBJECTAGG',
    'The values by their keys as a JSON object: JSON_OBJECTAGG(KEY k VALUE v [ABSENT ON NULL]).',
    [text, text, any],
    types.string,
    { nullable: 'never' },
  ),
  define(
    'ARRAY_AGG',
    'The values, NULLs too, as an array in the order in which they came.',
    [any],
    ([type]) => ({ kind: 'array', element: type!, nullable: true }),
    { nullable: 'always' },
  ),
]

function summed([type]: readonly DataType[]): DataType {
  return type!.kind === 'decimal' ? types.decimal(DECIMAL_PRECISION_MAX, type!.scale) : type!
}

/** @see org.apache.flink.table.types.logical.utils.LogicalTypeMerging.findAvgAggType */
function averaged([type]: readonly DataType[]): DataType {
  if (type!.kind !== 'decimal') return type!
  return types.decimal(DECIMAL_PRECISION_MAX, Math.max(6, type!.scale))
}

function ordered(name: string) {
  return ([type]: readonly DataType[]): DataType | string =>
    type!.kind === 'row' || type!.kind === 'array' || type!.kind === 'map'
      ? `${name} does not order ${typeText(type!)}`
      : type!
}

function deviation(
  name: string,
  summary: string,
  aliases: readonly string[] = [],
): FunctionSignature {
  return define(name, summary, [numeric], firstType, { nullable: 'always', aliases })
}
