/**
 * What conditions and measures of a pattern ask of a match's rows: *references*, columns of their own. A.price is LAST(A.price), but in
 * A's own condition, where it is the row that is tried. PREV and NEXT go on from such a row to others of the partition.
 */
import type { Expression } from '../../plan/expressions.ts'
import { type PatternReference, referenceType } from '../../plan/patterns.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { CallSyntax, ExpressionSyntax } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import { eachOnce } from './each-once.ts'
import { finalOf, type PatternRows, referenceOf } from './pattern-calls.ts'
import { resolveReference } from './scope.ts'

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

/** Over the input's columns. */
export function referencesOver(rows: PatternRows): PatternReferences {
  const { relation, variables } = rows
  const references = eachOnce<PatternReference>()

  function columnFor(reference: PatternReference, base: number): Expression {
    return {
      kind: 'column',
      index: base + references.numberOf(reference),
      type: referenceType(reference),
    }
  }

  function ofCall(call: CallSyntax, at: Place, { base, tried }: Bound): Expression | undefined {
    const mode = /^(FINAL|RUNNING)$/i.test(call.name.name) ? call.name.name.toUpperCase() : ''
    const inner = mode === '' ? undefined : call.args[0]
    const reference =
      inner?.kind === 'call' ? referenceOf(rows, inner.call, at) : referenceOf(rows, call, at)
    if (tried !== undefined && mode === 'FINAL') throw notInDefine('FINAL', at)
    if (tried !== undefined && reference?.kind === 'match-number')
      throw notInDefine('MATCH_NUMBER()', at)
    if (reference === undefined) return undefined
    return columnFor(mode === 'FINAL' ? finalOf(rows, reference) : reference, base)
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
    all: references.all,
    bind: (syntax, bound) =>
      bindExpression(syntax, {
        relation,
        override(each) {
          if (each.kind === 'call') return ofCall(each.call, each.at, bound)
          return each.kind === 'reference' ? ofReference(each.parts, bound) : undefined
        },
      }),
  }
}

function notInDefine(what: string, at: Place): SqlError {
  return new SqlError('SQL_UNSUPPORTED', at, {
    message: `${what} is not known while rows are tried`,
    hint: 'a condition sees the rows of the match so far: LAST, FIRST, aggregates, PREV and NEXT',
  })
}
