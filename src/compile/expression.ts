/** Bound expressions to running vectors: the entry points of this room. */

import type { LinearMemory } from '../data/memory.ts'
import type { DataType } from '../data/types.ts'
import { invariant, unreachable } from '../errors.ts'
import type { Expression } from '../plan/expressions.ts'
import { functionNamed } from '../plan/functions/registry.ts'
import { isUserFunction } from '../plan/functions/user.ts'
import { type ArithmeticName, compileArithmetic } from './arithmetic.ts'
import { byteCall, byteSelector } from './byte-functions.ts'
import { compileCast } from './cast.ts'
import {
  type ComparisonName,
  comparisonSelector,
  comparisonValue,
  type Selector,
} from './comparison.ts'
import type { CompiledExpression, CompiledPredicate } from './compiled.ts'
import { caseValue, coalesceValue } from './conditional.ts'
import { rowFunctions } from './functions/table.ts'
import { literalOf } from './literal.ts'
import {
  andSelector,
  logicValue,
  notValue,
  nullSelector,
  orSelector,
  selectedValue,
  truthSelector,
} from './logic.ts'
import { evaluatedOnce, type RepeatedCalls, repeatedCalls } from './repeated-calls.ts'
import { compileRowFunction } from './row-function.ts'
import { compileTimeKernel } from './time-kernels.ts'
import { compileUserCall } from './user-functions.ts'
import { allValid, type Compiled, marksOf } from './vectors.ts'

export interface CompileEnvironment {
  /** The worker's memory: kernels are instantiated over it. */
  readonly memory: LinearMemory
  /** In [0, 1), for RAND and UUID. */
  random?(): number
  /** Of all expressions that are evaluated on the same frames. */
  readonly repeated?: RepeatedCalls
}

/** A bound expression over columns. */
export function compileExpression(
  expression: Expression,
  environment: CompileEnvironment,
): CompiledExpression {
  return compile(expression, { repeated: repeatedCalls([expression]), ...environment })
}

/** A bound BOOLEAN as a filter: rows where it is TRUE. AND and OR look at their right side only where it can matter. */
export function compilePredicate(
  condition: Expression,
  environment: CompileEnvironment,
): CompiledPredicate {
  const parts: Compiled[] = []
  const repeated = environment.repeated ?? repeatedCalls([condition])
  const select = selector(condition, { ...environment, repeated }, parts)
  return { ...marksOf(parts), select }
}

/** One expression a column of the result. */
export function compileProjection(
  expressions: readonly Expression[],
  environment: CompileEnvironment,
): readonly CompiledExpression[] {
  const repeated = environment.repeated ?? repeatedCalls(expressions)
  return expressions.map((expression) => compile(expression, { ...environment, repeated }))
}

function compile(expression: Expression, environment: CompileEnvironment): Compiled {
  const { type } = expression
  switch (expression.kind) {
    case 'column': {
      const { index } = expression
      return { type, mark: 'kernel', jsBecause: [], evaluate: (frame) => frame.columns[index]! }
    }
    case 'literal':
      return literalOf(expression.value, type)
    case 'cast':
      return compileCast(compile(expression.input, environment), type, expression.safe)
    case 'field':
      return fieldOf(compile(expression.input, environment), expression.index, type)
    case 'case':
      return compileCase(expression, environment)
    case 'call': {
      const shared = environment.repeated?.get(expression)
      if (shared === undefined) return compileCall(expression, environment)
      shared.compiled ??= evaluatedOnce(compileCall(expression, environment))
      return shared.compiled
    }
    default:
      return unreachable(expression)
  }
}

function fieldOf(input: Compiled, index: number, type: DataType): Compiled {
  return {
    type,
    ...marksOf([input]),
    evaluate(frame) {
      const { children, validity } = input.evaluate(frame)
      const child = children?.[index]
      invariant(child !== undefined, `a ROW has a field ${index}`)
      return { ...child, type, validity: allValid(frame, [validity, child.validity]) }
    },
  }
}

function compileCase(
  expression: Extract<Expression, { kind: 'case' }>,
  environment: CompileEnvironment,
): Compiled {
  const parts: Compiled[] = []
  const branches = expression.branches.map(({ when, then }) => {
    const value = compile(then, environment)
    parts.push(value)
    return { when: selector(when, environment, parts), value }
  })
  const otherwise = compile(expression.otherwise, environment)
  return caseValue(expression.type, branches, otherwise, parts)
}

type Call = Extract<Expression, { kind: 'call' }>

const COMPARISONS = new Set<string>([
  'EQUALS',
  'NOT_EQUALS',
  'LESS',
  'LESS_OR_EQUAL',
  'GREATER',
  'GREATER_OR_EQUAL',
])
const ARITHMETIC = new Set<string>(['PLUS', 'MINUS', 'TIMES', 'DIVIDE', 'MOD'])

/** What `compileCall` does itself; all others are in the table of row functions. */
export const builtIns: readonly string[] = [
  'AND',
  'OR',
  'NOT',
  'IS_NULL',
  'IS_NOT_NULL',
  'IS_TRUE',
  'IS_FALSE',
  'IS_NOT_TRUE',
  'IS_NOT_FALSE',
  'COALESCE',
  'IFNULL',
  'IF',
  'NULLIF',
  'ROW',
]

function compileCall(call: Call, environment: CompileEnvironment): Compiled {
  const { type } = call
  const args = call.args.map((arg) => compile(arg, environment))
  const [first] = args
  switch (call.function) {
    case 'AND':
    case 'OR':
      return logicValue(type, args, call.function === 'OR')
    case 'NOT':
      return notValue(type, first!)
    case 'IS_NULL':
    case 'IS_NOT_NULL':
    case 'IS_TRUE':
    case 'IS_FALSE':
    case 'IS_NOT_TRUE':
    case 'IS_NOT_FALSE':
      return selectedValue(type, args, truthTest(call.function, first!))
    case 'COALESCE':
    case 'IFNULL':
      return coalesceValue(type, args)
    case 'IF':
      return compileIf(call, args, environment)
    case 'ROW':
      return rowOf(type, args)
    case 'NULLIF':
      return compileNullIf(call, args, environment)
    default:
      if (isUserFunction(call.function)) return compileUserCall(call, args)
      return (
        kernelCall(call, args) ??
        byteCall(call, args, (values) => rowCall(call, values, environment)) ??
        rowCall(call, args, environment)
      )
  }
}

/** IS ... tests are never NULL; the negated ones are what their opposite is not. */
function truthTest(name: string, value: Compiled): Selector {
  switch (name) {
    case 'IS_NULL':
      return nullSelector(value, true)
    case 'IS_NOT_NULL':
      return nullSelector(value, false)
    case 'IS_TRUE':
      return truthSelector(value, true)
    case 'IS_FALSE':
      return truthSelector(value, false)
    default: {
      const wanted = name === 'IS_NOT_FALSE'
      return (frame) => {
        const vector = value.evaluate(frame)
        const known = { ...value, evaluate: () => vector }
        return orSelector([truthSelector(known, wanted), nullSelector(known, true)])(frame)
      }
    }
  }
}

function rowOf(type: DataType, args: readonly Compiled[]): Compiled {
  return {
    type,
    ...marksOf(args),
    evaluate(frame) {
      const children = args.map((arg) => arg.evaluate(frame))
      return { type, cells: 0, validity: 0, children }
    },
  }
}

function compileIf(
  call: Call,
  args: readonly Compiled[],
  environment: CompileEnvironment,
): Compiled {
  const parts = args.slice(1)
  const when = selector(call.args[0]!, environment, parts)
  return caseValue(call.type, [{ when, value: args[1]! }], args[2]!, parts)
}

function compileNullIf(
  call: Call,
  args: readonly Compiled[],
  environment: CompileEnvironment,
): Compiled {
  const equal = equality(call.args)
  const none = literalOf(null, call.type)
  return caseValue(call.type, [{ when: selector(equal, environment, []), value: none }], args[0]!, [
    ...args,
  ])
}

/** a = b, with the casts that a comparison of their types needs. */
function equality(args: readonly Expression[]): Expression {
  const resolved = functionNamed('EQUALS')!.resolve(
    args.map(({ type }) => type),
    [],
  )
  invariant(typeof resolved !== 'string', 'the arguments of NULLIF can be compared')
  const cast = args.map((input, index): Expression => {
    const type = resolved.args[index]!
    return type === input.type ? input : { kind: 'cast', input, type, safe: false }
  })
  return { kind: 'call', function: 'EQUALS', args: cast, type: resolved.type }
}

function kernelCall(call: Call, args: readonly Compiled[]): Compiled | undefined {
  const { type } = call
  if (COMPARISONS.has(call.function)) {
    return comparisonValue(call.function as ComparisonName, args, type)
  }
  if (ARITHMETIC.has(call.function)) {
    const compiled = compileArithmetic(call.function as ArithmeticName, args, type)
    const divisor = args[1]!.constant
    const isModulo = call.function === 'MOD' && typeof divisor === 'bigint' && divisor > 0n
    const isWhole = type.kind !== 'decimal' && args[0]!.type.kind !== 'decimal'
    if (compiled === undefined || !isModulo || !isWhole) return compiled
    return { ...compiled, modulo: { dividend: args[0]!, divisor } }
  }
  if (call.function === 'NEGATE') return negated(args[0]!, type)
  return compileTimeKernel(call.function, args, type)
}

function negated(value: Compiled, type: DataType): Compiled | undefined {
  if (type.kind === 'double' || type.kind === 'float') {
    return compileArithmetic('TIMES', [literalOf(-1, type), value], type)
  }
  return compileArithmetic('MINUS', [literalOf('0', type), value], type)
}

function rowCall(call: Call, args: readonly Compiled[], environment: CompileEnvironment): Compiled {
  const implementation = rowFunctions[call.function]
  invariant(implementation !== undefined, `the function ${call.function} has an implementation`)
  const random = () => {
    invariant(environment.random !== undefined, `${call.function} is given randomness`)
    return environment.random()
  }
  return compileRowFunction(
    implementation,
    {
      name: call.function,
      args: call.args.map((arg) => arg.type),
      type: call.type,
      constants: args.map(({ constant }) => constant),
      expressions: call.args,
      random,
    },
    args,
  )
}

/** The rows where `condition` is TRUE; what it is made of goes to `parts`. */
function selector(
  condition: Expression,
  environment: CompileEnvironment,
  parts: Compiled[],
): Selector {
  if (condition.kind === 'call') {
    if (condition.function === 'AND') {
      return andSelector(condition.args.map((arg) => selector(arg, environment, parts)))
    }
    if (condition.function === 'OR') {
      return orSelector(condition.args.map((arg) => selector(arg, environment, parts)))
    }
    const args = condition.args.map((arg) => compile(arg, environment))
    if (COMPARISONS.has(condition.function)) {
      const select = comparisonSelector(condition.function as ComparisonName, args)
      if (select !== undefined) {
        parts.push(...args)
        return select
      }
    }
    const select = byteSelector(condition, args)
    if (select !== undefined) {
      parts.push(...args)
      return select
    }
    if (condition.function.startsWith('IS_') && builtIns.includes(condition.function)) {
      parts.push(...args)
      return truthTest(condition.function, args[0]!)
    }
  }
  const value = compile(condition, environment)
  parts.push(value)
  return truthSelector(value, true)
}
