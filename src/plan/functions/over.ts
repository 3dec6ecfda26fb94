/** Functions that stand with OVER only: a row's number among its partition's rows, and values of rows before and behind it. */
import { types } from '../../data/types.ts'
import { commonType } from './coercion.ts'
import { any, define, int, optional } from './parameters.ts'
import type { FunctionSignature } from './signature.ts'
import { typeText } from './type-text.ts'

const NEVER = { nullable: 'never' } as const

export const overFunctions: readonly FunctionSignature[] = [
  define('ROW_NUMBER', "The row's number in its partition, from 1.", [], types.bigint, NEVER),
  define(
    'RANK',
    'The number of rows before it, and 1: equal rows have one.',
    [],
    types.bigint,
    NEVER,
  ),
  define('DENSE_RANK', 'The rank without gaps behind equal rows.', [], types.bigint, NEVER),
  shift('LAG', 'The value of the row that is n (1 unless told) before it.'),
  shift('LEAD', 'The value of the row that is n (1 unless told) behind it.'),
]

/** LAG(value [, n [, default]]). */
function shift(name: string, summary: string): FunctionSignature {
  const plain = define(name, summary, [any, optional(int), optional(any)], ([type]) => type!, {
    nullable: 'always',
  })
  return {
    ...plain,
    resolve(args, literals) {
      const found = plain.resolve(args, literals)
      const [value, , otherwise] = args
      if (typeof found === 'string' || value === undefined || otherwise === undefined) return found
      const type = commonType(value, otherwise)
      if (type === undefined)
        return `the default of ${name} is ${typeText(otherwise)}, and the value ${typeText(value)}`
      return { args: [type, found.args[1]!, type], type }
    },
  }
}
