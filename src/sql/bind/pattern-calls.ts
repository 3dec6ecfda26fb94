/** The calls that a pattern's conditions and measures make of a match's rows. */
import type { Expression } from '../../plan/expressions.ts'
import { aggregateNamed } from '../../plan/functions/registry.ts'
import { schemaOf } from '../../plan/nodes.ts'
import type { PatternReference } from '../../plan/patterns.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type { CallSyntax, ExpressionSyntax, Identifier } from '../syntax.ts'
import { aggregateOf } from './bind-aggregate.ts'
import { bindExpression } from './bind-expression.ts'
import { type Relation, resolveReference } from './scope.ts'

/** Whose rows they are. */
export interface PatternRows {
  readonly relation: Relation
  readonly variables: readonly string[]
  /** The column that rows are ordered by. */
  readonly time: number
  /** ALL ROWS PER MATCH: FINAL is something else than RUNNING. */
  readonly isEachRowTold: boolean
}

type Navigation = Extract<PatternReference, { readonly kind: 'first' | 'last' }>

type Override = (each: ExpressionSyntax) => Expression | undefined

/** What a call asks of a match's rows; undefined if nothing: it is a function of its arguments. @throws SqlError */
export function referenceOf(
  rows: PatternRows,
  call: CallSyntax,
  at: Place,
): PatternReference | undefined {
  const name = call.name.name.toUpperCase()
  switch (name) {
    case 'LAST':
      if (isClassifier(call.args[0]) && call.args.length === 1) return { kind: 'classifier' }
      return logical(rows, call, at)
    case 'FIRST':
      return logical(rows, call, at)
    case 'PREV':
    case 'NEXT':
      return physical(rows, call, at)
    case 'CLASSIFIER':
    case 'MATCH_NUMBER':
      requireNoArguments(call, at)
      return { kind: name === 'CLASSIFIER' ? 'classifier' : 'match-number' }
    case 'MATCH_ROWTIME': {
      const { type } = schemaOf(rows.relation.node)[rows.time]!
      return finalOf(rows, {
        kind: 'last',
        offset: 0,
        expression: { kind: 'column', index: rows.time, type },
      })
    }
    default:
      return aggregateNamed(name) === undefined ? undefined : aggregated(rows, call, at)
  }
}

/** As at the match's end: something else only where each row is told. */
export function finalOf(
  { isEachRowTold }: PatternRows,
  reference: PatternReference,
): PatternReference {
  return isEachRowTold && reference.kind !== 'match-number'
    ? { ...reference, final: true }
    : reference
}

/** FIRST and LAST. */
function logical(rows: PatternRows, call: CallSyntax, at: Place): Navigation {
  const { value, steps } = navigationArguments(call, at, 0)
  const kind = call.name.name.toUpperCase() === 'FIRST' ? 'first' : 'last'
  return { ...rowOf(rows, value, at), kind, offset: steps }
}

/** PREV and NEXT: from the last row, or from the one that FIRST or LAST finds. */
function physical(rows: PatternRows, call: CallSyntax, at: Place): Navigation {
  const { value, steps } = navigationArguments(call, at, 1)
  const inner = value.kind === 'call' ? value.call : undefined
  const from =
    inner !== undefined && /^(FIRST|LAST)$/i.test(inner.name.name)
      ? logical(rows, inner, value.at)
      : rowOf(rows, value, at)
  const shift = call.name.name.toUpperCase() === 'PREV' ? -steps : steps
  return shift === 0 ? from : { ...from, shift }
}

function rowOf(rows: PatternRows, value: ExpressionSyntax, at: Place): Navigation {
  const { result, variable } = ofVariable(rows, at, (override) =>
    bindExpression(value, { relation: rows.relation, override }),
  )
  return { kind: 'last', ...variable, offset: 0, expression: result }
}

function aggregated(rows: PatternRows, call: CallSyntax, at: Place): PatternReference {
  const counted = call.star ? call.args[0] : undefined
  const { result, variable } =
    counted?.kind === 'reference'
      ? {
          result: aggregateOf(rows.relation, { ...call, args: [] }, at),
          variable: { variable: variableNamed(counted.parts[0]!, rows.variables) },
        }
      : ofVariable(rows, at, (override) => aggregateOf(rows.relation, call, at, override))
  if (!result.distinct) return { kind: 'aggregate', ...variable, call: result }
  throw new SqlError('SQL_UNSUPPORTED', at, {
    message: 'DISTINCT aggregates are not supported in MATCH_RECOGNIZE',
    hint: 'aggregate all values, or count the matches afterwards',
  })
}

/** Binds what reads the rows of one variable, or of all, and says which. @throws SQL_UNSUPPORTED if it reads several */
function ofVariable<Result>(
  { relation, variables }: PatternRows,
  at: Place,
  bind: (override: Override) => Result,
): { readonly result: Result; readonly variable: { readonly variable?: string } } {
  const named = new Set<string>()
  let isUnnamed = false
  const result = bind((each) => {
    if (isClassifier(each)) throw classifierWithin(each.at)
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

function isClassifier(syntax: ExpressionSyntax | undefined): boolean {
  return syntax?.kind === 'call' && syntax.call.name.name.toUpperCase() === 'CLASSIFIER'
}

function classifierWithin(at: Place): SqlError {
  return new SqlError('SQL_UNSUPPORTED', at, {
    message: 'CLASSIFIER() within another call of the pattern is not supported',
    hint: 'it stands by itself, or in LAST(CLASSIFIER()) and FINAL LAST(CLASSIFIER())',
  })
}

function navigationArguments(
  call: CallSyntax,
  at: Place,
  byDefault: number,
): { readonly value: ExpressionSyntax; readonly steps: number } {
  const [value, offset] = call.args
  const steps = offset === undefined ? byDefault : wholeNumber(offset)
  if (value !== undefined && call.args.length <= 2 && steps !== undefined) return { value, steps }
  const name = call.name.name.toUpperCase()
  throw new SqlError('SQL_TYPE_MISMATCH', at, {
    message: `${name} takes a value and, if wanted, a number of rows`,
    hint: `write ${name}(A.price, 1)`,
  })
}

function wholeNumber(syntax: ExpressionSyntax): number | undefined {
  const isNumber = syntax.kind === 'literal' && syntax.literal.kind === 'exact'
  return isNumber && /^\d{1,9}$/.test(syntax.literal.text) ? Number(syntax.literal.text) : undefined
}

function requireNoArguments({ name, args }: CallSyntax, at: Place): void {
  if (args.length === 0) return
  throw new SqlError('SQL_UNSUPPORTED', at, {
    message: `${name.name.toUpperCase()}() takes no arguments here`,
    hint: `leave them out: it is that of the last row, or with FINAL of the match's last`,
  })
}

/** @throws SQL_COLUMN_UNKNOWN */
export function variableNamed({ name, at }: Identifier, variables: readonly string[]): string {
  if (variables.includes(name)) return name
  throw new SqlError('SQL_COLUMN_UNKNOWN', at, {
    message: `there is no variable \`${name}\` in the pattern`,
    hint: suggestion(name, variables, 'variables'),
  })
}
