/**
 * What conditions and measures of a pattern ask of a match's rows: *references*, columns of their own. A.price is LAST(A.price), but in
 * A's own condition, where it is the row that is tried.
 */
import { withNullability } from '../../data/types.ts'
import type { Expression } from '../../plan/expressions.ts'
import { aggregateNamed } from '../../plan/functions/registry.ts'
import { schemaOf } from '../../plan/nodes.ts'
import type { PatternReference } from '../../plan/patterns.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { CallSyntax, ExpressionSyntax } from '../syntax.ts'
import { aggregateOf } from './bind-aggregate.ts'
import { bindExpression } from './bind-expression.ts'
import { type Relation, resolveReference } from './scope.ts'

/** Where references stand as columns, and whose condition is being bound. */
interface Bound {
  readonly base: number
  readonly tried?: string
}

export interface PatternReferences {
  /** Each once, in the order in which they were met. */
  readonly all: readonly PatternReference[]
  bind(syntax: ExpressionSyntax, bound: Bound): Expression
}

type Override = (each: ExpressionSyntax) => Expression | undefined

/** Over the input's columns; `time` is the one that rows are ordered by. */
export function referencesOver(
  relation: Relation,
  variables: readonly string[],
  time: number,
): PatternReferences {
  const all: PatternReference[] = []

  function columnFor(reference: PatternReference, base: number): Expression {
    const text = JSON.stringify(reference)
    const known = all.findIndex((each) => JSON.stringify(each) === text)
    const index = known >= 0 ? known : all.push(reference) - 1
    const type =
      reference.kind === 'aggregate'
        ? reference.call.type
        : withNullability(reference.expression.type, true)
    return { kind: 'column', index: base + index, type }
  }

  function navigated(call: CallSyntax, at: Place, base: number): Expression {
    const [value, offset] = call.args
    const steps = stepsOf(offset)
    if (value === undefined || call.args.length > 2 || steps === undefined)
      throw new SqlError('SQL_TYPE_MISMATCH', at, {
        message: `${call.name.name.toUpperCase()} takes a value and, if wanted, a number of rows`,
        hint: 'write LAST(A.price, 1)',
      })
    const { result, variable } = ofVariable(relation, variables, at, (override) =>
      bindExpression(value, { relation, override }),
    )
    const kind = call.name.name.toUpperCase() === 'FIRST' ? 'first' : 'last'
    return columnFor({ kind, ...variable, offset: steps, expression: result }, base)
  }

  function aggregated(call: CallSyntax, at: Place, base: number): Expression {
    const { result, variable } = ofVariable(relation, variables, at, (override) =>
      aggregateOf(relation, call, at, override),
    )
    if (!result.distinct) return columnFor({ kind: 'aggregate', ...variable, call: result }, base)
    throw new SqlError('SQL_UNSUPPORTED', at, {
      message: 'DISTINCT aggregates are not supported in MATCH_RECOGNIZE',
      hint: 'aggregate all values, or count the matches afterwards',
    })
  }

  function ofCall(call: CallSyntax, at: Place, base: number): Expression | undefined {
    const name = call.name.name.toUpperCase()
    if (name === 'FIRST' || name === 'LAST') return navigated(call, at, base)
    if (name === 'PREV' || name === 'NEXT') throw noPhysicalOffset(name, at)
    if (name === 'MATCH_ROWTIME') {
      const { type } = schemaOf(relation.node)[time]!
      const expression: Expression = { kind: 'column', index: time, type }
      return columnFor({ kind: 'last', offset: 0, expression }, base)
    }
    return aggregateNamed(name) === undefined ? undefined : aggregated(call, at, base)
  }

  function ofReference(
    parts: Extract<ExpressionSyntax, { kind: 'reference' }>['parts'],
    { base, tried }: Bound,
  ): Expression {
    const [first] = parts
    const isNamed = parts.length > 1 && variables.includes(first!.name)
    const expression = resolveReference(relation, isNamed ? parts.slice(1) : parts)
    if (tried !== undefined && (!isNamed || first!.name === tried)) return expression
    const variable = isNamed ? { variable: first!.name } : {}
    return columnFor({ kind: 'last', ...variable, offset: 0, expression }, base)
  }

  return {
    all,
    bind: (syntax, bound) =>
      bindExpression(syntax, {
        relation,
        override(each) {
          if (each.kind === 'call') return ofCall(each.call, each.at, bound.base)
          return each.kind === 'reference' ? ofReference(each.parts, bound) : undefined
        },
      }),
  }
}

/** Binds what reads the rows of one variable, or of all, and says which. @throws SQL_UNSUPPORTED if it reads several */
function ofVariable<Result>(
  relation: Relation,
  variables: readonly string[],
  at: Place,
  bind: (override: Override) => Result,
): { readonly result: Result; readonly variable: { readonly variable?: string } } {
  const named = new Set<string>()
  let isUnnamed = false
  const result = bind((each) => {
    if (each.kind !== 'reference') return undefined
    const [first] = each.parts
    if (each.parts.length < 2 || !variables.includes(first!.name)) {
      isUnnamed = true
      return undefined
    }
    named.add(first!.name)
    return resolveReference(relation, each.parts.slice(1))
  })
  const [variable] = named
  if (named.size > 1 || (variable !== undefined && isUnnamed))
    throw new SqlError('SQL_UNSUPPORTED', at, {
      message: 'this mixes rows of several variables',
      hint: 'let FIRST, LAST and aggregates read columns of one variable: LAST(A.price) - LAST(B.price)',
    })
  return { result, variable: variable === undefined ? {} : { variable } }
}

/** undefined if it is no whole number. */
function stepsOf(offset: ExpressionSyntax | undefined): number | undefined {
  if (offset === undefined) return 0
  const isNumber = offset.kind === 'literal' && offset.literal.kind === 'exact'
  return isNumber && /^\d+$/.test(offset.literal.text) ? Number(offset.literal.text) : undefined
}

function noPhysicalOffset(name: string, at: Place): SqlError {
  return new SqlError('SQL_UNSUPPORTED', at, {
    message: `${name} is not supported, as in Flink`,
    hint: 'use LAST(A.price, 1): the row before the last that matched A',
  })
}
