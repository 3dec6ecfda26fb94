/** The columns that an expression reads, and expressions moved to other columns. */
import type { AggregateCall, Expression } from './expressions.ts'

/** Adds the indexes of all columns that `expression` reads to `into`. */
export function collectColumns(expression: Expression, into: Set<number>): void {
  mapColumns(expression, (column) => {
    into.add(column.index)
    return column
  })
}

export type ColumnExpression = Extract<Expression, { kind: 'column' }>

/** `expression` with each column replaced by what `replace` gives for it. */
export function mapColumns(
  expression: Expression,
  replace: (column: ColumnExpression) => Expression,
): Expression {
  switch (expression.kind) {
    case 'column':
      return replace(expression)
    case 'literal':
      return expression
    case 'call':
      return { ...expression, args: expression.args.map((arg) => mapColumns(arg, replace)) }
    case 'cast':
    case 'field':
      return { ...expression, input: mapColumns(expression.input, replace) }
    case 'case':
      return {
        ...expression,
        branches: expression.branches.map((branch) => ({
          when: mapColumns(branch.when, replace),
          // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
          then: mapColumns(branch.then, replace),
        })),
        otherwise: mapColumns(expression.otherwise, replace),
      }
  }
}

export function mapAggregate(
  call: AggregateCall,
  replace: (column: ColumnExpression) => Expression,
): AggregateCall {
  const args = call.args.map((arg) => mapColumns(arg, replace))
  if (call.filter === undefined) return { ...call, args }
  return { ...call, args, filter: mapColumns(call.filter, replace) }
}

export function aggregateColumns(call: AggregateCall, into: Set<number>): void {
  for (const arg of call.args) collectColumns(arg, into)
  if (call.filter !== undefined) collectColumns(call.filter, into)
}

/** Tells `visit` each call in `expression`, the outer ones first. */
export function visitCalls(
  expression: Expression,
  visit: (call: Extract<Expression, { kind: 'call' }>) => void,
): void {
  switch (expression.kind) {
    case 'column':
    case 'literal':
      return
    case 'call':
      visit(expression)
      for (const arg of expression.args) visitCalls(arg, visit)
      return
    case 'cast':
    case 'field':
      visitCalls(expression.input, visit)
      return
    case 'case':
      for (const branch of expression.branches) {
        visitCalls(branch.when, visit)
        visitCalls(branch.then, visit)
      }
      visitCalls(expression.otherwise, visit)
  }
}
