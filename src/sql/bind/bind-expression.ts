/** Expressions as written to expressions of a plan: names to columns, calls to functions, implicit casts as Flink makes them. */
import { type DataType, types, withNullability } from '../../data/types.ts'
import type { Expression, LiteralValue } from '../../plan/expressions.ts'
import { castRefusal } from '../../plan/functions/castable.ts'
import { commonTypeOf } from '../../plan/functions/coercion.ts'
import {
  aggregateNamed,
  functionNamed,
  functionNames,
  isOverOnly,
} from '../../plan/functions/registry.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { shifted } from '../../plan/joins.ts'
import { OUTER_COLUMNS } from '../../plan/outer-columns.ts'
import { timeAttributesOf } from '../../plan/time-attributes.ts'
import { unsupported } from '../parse/unsupported.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type { CallSyntax, ExpressionSyntax, Identifier, QueryExpression } from '../syntax.ts'
import { bindLiteral } from './bind-literal.ts'
import { insteadOf } from './instead.ts'
import { fieldOf, type Relation, resolveReference } from './scope.ts'

export interface ExpressionEnvironment {
  readonly relation: Relation
  /** Of the query around, whose columns are named too. */
  readonly outer?: Relation
  /** What an aggregate call becomes; absent where there can be none. */
  aggregate?(call: CallSyntax, at: Place): Expression
  /** What a call with OVER becomes. */
  over?(call: CallSyntax, at: Place): Expression
  /** What a subquery becomes; `unknownIsFalse` where nothing tells the two apart. */
  query?(syntax: QueryExpression, unknownIsFalse: boolean): Expression
  /** GROUPING(a, b) and the like; undefined for any other call. */
  grouping?(call: CallSyntax, at: Place): Expression | undefined
  /** The expression is a condition: where it is unknown it does not hold. */
  readonly unknownIsFalse?: boolean
  /** What stands for something else here, before anything is looked up: undefined where it means what it says. */
  override?(syntax: ExpressionSyntax): Expression | undefined
  /** Told each column as it is bound. */
  onColumn?(column: Expression, at: Place, name: string): void
}

/** @throws SqlError at the place that is wrong */
export function bindExpression(syntax: ExpressionSyntax, env: ExpressionEnvironment): Expression {
  const overridden = env.override?.(syntax)
  if (overridden !== undefined) return overridden
  const value = env.unknownIsFalse === true ? { ...env, unknownIsFalse: false } : env
  const bind = (each: ExpressionSyntax): Expression => bindExpression(each, value)
  switch (syntax.kind) {
    case 'literal':
      return bindLiteral(syntax.literal, syntax.at)
    case 'reference': {
      const column = resolveNearest(env, syntax.parts)
      env.onColumn?.(column, syntax.at, syntax.parts.map(({ name }) => name).join('.'))
      return column
    }
    case 'call':
      return bindCall(syntax.call, syntax.at, value)
    case 'operator': {
      const isCondition = syntax.function === 'AND' || syntax.function === 'OR'
      const of = isCondition ? env : value
      const args = syntax.args.map((each) => bindExpression(each, of))
      return bindOperator(syntax.function, args, syntax.at)
    }
    case 'constructor':
      return callOf(syntax.of, syntax.items.map(bind), syntax.at)
    case 'cast': {
      const input = bind(syntax.input)
      const nullable = input.type.nullable || syntax.safe
      return castTo(input, withNullability(syntax.type, nullable), syntax.at, syntax.safe)
    }
    case 'field':
      return fieldOf(bind(syntax.input), syntax.field)
    case 'case':
      return bindCase(syntax, value)
    case 'in': {
      const input = bind(syntax.input)
      const tests = syntax.list.map((each) => callOf('EQUALS', [input, bind(each)], each.at))
      const either = tests.length === 1 ? tests[0]! : callOf('OR', tests, syntax.at)
      return syntax.negated ? callOf('NOT', [either], syntax.at) : either
    }
    case 'between':
      return bindBetween(syntax, bind)
    case 'scalar-query':
    case 'exists':
    case 'in-query':
      if (env.query === undefined) throw unsupported('subquery here', syntax.at)
      return env.query(syntax, env.unknownIsFalse === true)
  }
}

/** The column of this query, or of the one around it. */
function resolveNearest(
  { relation, outer }: ExpressionEnvironment,
  parts: readonly Identifier[],
): Expression {
  try {
    return resolveReference(relation, parts)
  } catch (error) {
    if (outer === undefined || !isUnknown(error)) throw error
    try {
      return shifted(resolveReference(outer, parts), OUTER_COLUMNS)
    } catch (beyond) {
      // What is wrong is told of the query that has the table.
      const isOfOuter = outer.columns.some(({ qualifier }) => qualifier === parts[0]!.name)
      throw isUnknown(beyond) && !isOfOuter ? error : beyond
    }
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof SqlError && error.code === 'SQL_COLUMN_UNKNOWN'
}

function bindBetween(
  syntax: Extract<ExpressionSyntax, { kind: 'between' }>,
  bind: (each: ExpressionSyntax) => Expression,
): Expression {
  const { at } = syntax
  const input = bind(syntax.input)
  const within = (low: Expression, high: Expression): Expression =>
    callOf(
      'AND',
      [callOf('GREATER_OR_EQUAL', [input, low], at), callOf('LESS_OR_EQUAL', [input, high], at)],
      at,
    )
  const [low, high] = [bind(syntax.low), bind(syntax.high)]
  const test = syntax.symmetric
    ? callOf('OR', [within(low, high), within(high, low)], at)
    : within(low, high)
  return syntax.negated ? callOf('NOT', [test], at) : test
}

function bindCase(
  syntax: Extract<ExpressionSyntax, { kind: 'case' }>,
  env: ExpressionEnvironment,
): Expression {
  const { at } = syntax
  const bind = (each: ExpressionSyntax): Expression => bindExpression(each, env)
  const operand = syntax.operand === undefined ? undefined : bind(syntax.operand)
  const whens = syntax.branches.map(({ when }) => {
    const condition = bindExpression(when, { ...env, unknownIsFalse: operand === undefined })
    const test = operand === undefined ? condition : callOf('EQUALS', [operand, condition], when.at)
    return requireBoolean(test, when.at)
  })
  const values = syntax.branches.map((branch) => bind(branch.then))
  const otherwise: Expression =
    syntax.otherwise === undefined
      ? { kind: 'literal', value: null, type: types.null }
      : bind(syntax.otherwise)
  const all = [...values, otherwise].map((each) => each.type)
  const type = commonTypeOf(all)
  if (type === undefined) {
    throw new SqlError('SQL_TYPE_MISMATCH', at, {
      message: `the branches of CASE have no type in common: ${all.map((each) => typeText(withNullability(each, true))).join(', ')}`,
      hint: 'CAST them to one type',
    })
  }
  return {
    kind: 'case',
    branches: whens.map((when, index) => {
      // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
      return { when, then: castTo(values[index]!, type, at) }
    }),
    otherwise: castTo(otherwise, type, at),
    type,
  }
}

/** @throws SQL_TYPE_MISMATCH */
export function requireBoolean(condition: Expression, at: Place): Expression {
  if (condition.type.kind === 'boolean') return condition
  if (condition.type.kind === 'null') return castTo(condition, types.boolean, at)
  throw new SqlError('SQL_TYPE_MISMATCH', at, {
    message: `a condition is BOOLEAN, and this is ${typeText(withNullability(condition.type, true))}`,
    hint: 'compare it with something',
  })
}

function bindCall(call: CallSyntax, at: Place, env: ExpressionEnvironment): Expression {
  const { name } = call.name
  if (call.over !== undefined) {
    if (env.over !== undefined) return env.over(call, at)
    throw new SqlError('SQL_AGGREGATE_MISPLACED', at, {
      message: `${name.toUpperCase()}(...) OVER is computed from rows that are there already`,
      hint: 'compute it in SELECT; filter it in a query around: SELECT * FROM (SELECT ..., f() OVER (...) AS n FROM t) WHERE n <= 3',
    })
  }
  const grouping = env.grouping?.(call, at)
  if (grouping !== undefined) return grouping
  if (isOverOnly(name)) {
    throw new SqlError('SQL_AGGREGATE_MISPLACED', at, {
      message: `${name.toUpperCase()} is computed over other rows`,
      hint: `write which: ${name.toUpperCase()}(...) OVER (PARTITION BY a ORDER BY b)`,
    })
  }
  if (aggregateNamed(name) !== undefined) {
    if (env.aggregate !== undefined) return env.aggregate(call, at)
    throw new SqlError('SQL_AGGREGATE_MISPLACED', at, {
      message: `${name.toUpperCase()} aggregates rows, which can't be done here`,
      hint: 'aggregates stand in SELECT and HAVING; filter aggregated rows with HAVING',
    })
  }
  if (functionNamed(name) !== undefined && (call.star || call.distinct || call.filter)) {
    throw new SqlError('SQL_AGGREGATE_MISPLACED', at, {
      message: `${name.toUpperCase()} is no aggregate: it takes no *, DISTINCT or FILTER`,
      hint: 'give it values: it is computed row by row',
    })
  }
  const args = call.args.map((each) => bindExpression(each, env))
  if (name.toUpperCase() === 'CURRENT_WATERMARK') requireEventTime(args, at, env.relation)
  return callOf(name, args, call.name.at, at)
}

/** CURRENT_WATERMARK(ts): of a column that a watermark follows. */
function requireEventTime(args: readonly Expression[], at: Place, { node }: Relation): void {
  const [time] = args
  if (time?.kind === 'column' && timeAttributesOf(node).has(time.index)) return
  throw new SqlError('SQL_TYPE_MISMATCH', at, {
    message: 'CURRENT_WATERMARK takes an event time column, and no watermark follows this',
    hint: "declare it in CREATE TABLE: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND",
  })
}

function bindOperator(name: string, args: readonly Expression[], at: Place): Expression {
  const [first, second] = args
  if (name === 'ITEM' && first?.type.kind === 'row' && second?.kind === 'literal') {
    return fieldOf(first, { name: String(second.value), at })
  }
  if (name === 'NEGATE' && first?.kind === 'literal' && SIGNED.includes(first.type.kind)) {
    return { ...first, value: negated(first.value) }
  }
  return callOf(name, args, at)
}

const SIGNED: readonly string[] = ['int', 'bigint', 'decimal', 'double']

function negated(value: LiteralValue): LiteralValue {
  if (typeof value === 'number') return -value
  const text = String(value)
  return text.startsWith('-') ? text.slice(1) : `-${text}`
}

/** A call with its arguments cast as its signature says. @throws SQL_FUNCTION_UNKNOWN, SQL_TYPE_MISMATCH */
export function callOf(
  name: string,
  args: readonly Expression[],
  at: Place,
  whole: Place = at,
): Expression {
  const signature = functionNamed(name)
  if (signature === undefined) {
    throw new SqlError('SQL_FUNCTION_UNKNOWN', at, {
      message: `there is no function ${name.toUpperCase()}`,
      hint:
        insteadOf(name.toUpperCase()) ??
        suggestion(name.toUpperCase(), functionNames(), 'functions'),
      facts: { function: name },
    })
  }
  const resolved = signature.resolve(
    args.map(({ type }) => type),
    args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined)),
  )
  if (typeof resolved === 'string') {
    throw new SqlError('SQL_TYPE_MISMATCH', whole, { message: resolved, hint: signature.summary })
  }
  return {
    kind: 'call',
    function: signature.name,
    args: args.map((arg, index) => castTo(arg, resolved.args[index]!, whole)),
    type: resolved.type,
  }
}

/** `input` as `type`; itself if it is that but for NULL. @throws SQL_TYPE_MISMATCH */
export function castTo(input: Expression, type: DataType, at: Place, safe = false): Expression {
  if (sameType(input.type, type)) return input
  if (input.kind === 'literal' && input.value === null) {
    return { kind: 'literal', value: null, type: withNullability(type, true) }
  }
  const refusal = castRefusal(input.type, type)
  if (refusal === undefined) return { kind: 'cast', input, type, safe }
  throw new SqlError('SQL_TYPE_MISMATCH', at, {
    message: refusal,
    hint: 'CAST to a type in between, or compute another value',
  })
}

export function sameType(left: DataType, right: DataType): boolean {
  const bare = (type: DataType): string => JSON.stringify(withNullability(type, true))
  return bare(left) === bare(right)
}
