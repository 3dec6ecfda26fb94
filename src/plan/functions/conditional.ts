/** Functions that choose among values: their arguments are evaluated only on the rows that need them. */
import { type DataType, types, withNullability } from '../../data/types.ts'
import { commonTypeOf } from './coercion.ts'
import { comparable } from './operators.ts'
import type { FunctionSignature, Resolved } from './signature.ts'
import { typeText } from './type-text.ts'

export const conditionals: readonly FunctionSignature[] = [
  {
    name: 'COALESCE',
    summary: 'The first argument that is not NULL.',
    resolve: (args) => (args.length === 0 ? 'COALESCE takes at least 1 argument' : first(args)),
  },
  {
    name: 'IFNULL',
    summary: 'The first argument, or the second where it is NULL.',
    resolve: (args) => (args.length === 2 ? first(args) : 'IFNULL takes 2 arguments'),
  },
  {
    name: 'NULLIF',
    summary: 'The first argument, but NULL where it equals the second.',
    resolve: (args) => {
      const [a, b] = args
      if (a === undefined || b === undefined || args.length !== 2) return 'NULLIF takes 2 arguments'
      if (comparable(a, b, true) === undefined)
        return `${typeText(a)} can't be compared with ${typeText(b)}`
      return { args, type: withNullability(a, true) }
    },
  },
  {
    name: 'IF',
    summary: 'IF(condition, a, b): a where the condition is TRUE, else b.',
    resolve: (args) => {
      const [condition, a, b] = args
      if (condition === undefined || a === undefined || b === undefined || args.length !== 3)
        return 'IF takes 3 arguments'
      if (condition.kind !== 'boolean' && condition.kind !== 'null')
        return `the condition of IF must be a BOOLEAN, not ${typeText(condition)}`
      const type = commonTypeOf([a, b])
      if (type === undefined) return unlike([a, b])
      const cast = [a, b].map((from) => withNullability(type, from.nullable))
      return { args: [withNullability(types.boolean, condition.nullable), ...cast], type }
    },
  },
  extreme('GREATEST', 'The greatest of the arguments; NULL if any is NULL.'),
  extreme('LEAST', 'The least of the arguments; NULL if any is NULL.'),
]

function first(args: readonly DataType[]): Resolved | string {
  const type = commonTypeOf(args)
  if (type === undefined) return unlike(args)
  const nullable = args.every((from) => from.nullable)
  return {
    args: args.map((from) => withNullability(type, from.nullable)),
    type: withNullability(type, nullable),
  }
}

function extreme(name: string, summary: string): FunctionSignature {
  return {
    name,
    summary,
    resolve: (args) => {
      if (args.length === 0) return `${name} takes at least 1 argument`
      const type = commonTypeOf(args)
      if (type === undefined) return unlike(args)
      if (type.kind === 'row' || type.kind === 'array' || type.kind === 'map')
        return `${name} does not order ${typeText(type)}`
      return { args: args.map((from) => withNullability(type, from.nullable)), type }
    },
  }
}

function unlike(args: readonly DataType[]): string {
  return `${args.map(typeText).join(', ')} have no type in common`
}
