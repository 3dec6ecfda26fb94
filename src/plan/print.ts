/** Plans as text for people: one node a line, inputs indented. */

import type { Schema } from '../data/types.ts'
import { unreachable } from '../errors.ts'
import type { AggregateCall, Expression } from './expressions.ts'
import { typeText } from './functions/type-text.ts'
import {
  inputsOf,
  type Pipeline,
  type PlanNode,
  type SinkNode,
  schemaOf,
  type Window,
} from './nodes.ts'

export function planLines(plan: Pipeline | PlanNode | SinkNode): string[] {
  if (!('kind' in plan))
    return [`pipeline ${plan.name}`, ...plan.sinks.flatMap((sink) => linesOf(sink, 1))]
  return linesOf(plan, 0)
}

function linesOf(node: PlanNode | SinkNode, depth: number): string[] {
  return [
    `${'  '.repeat(depth)}${nodeText(node)}`,
    ...inputsOf(node).flatMap((input) => linesOf(input, depth + 1)),
  ]
}

/** One node without its inputs: 'filter amount > 10'. */
export function nodeText(node: PlanNode | SinkNode): string {
  switch (node.kind) {
    case 'sink':
      return `sink ${node.table.name} (${names(schemaOf(node.input))})`
    case 'scan':
      return `scan ${node.table.name} (${names(node.schema)})`
    case 'values':
      return `values ${node.rows.length} rows (${names(node.schema)})`
    case 'watermark-assigner': {
      const fields = schemaOf(node.input)
      return `watermark ${fields[node.rowtime]!.name} as ${expressionText(node.watermark, fields)}`
    }
    case 'filter':
      return `filter ${expressionText(node.condition, schemaOf(node.input))}`
    case 'project':
      return `project ${node.expressions.map((expression, index) => named(expressionText(expression, schemaOf(node.input)), node.schema[index]!.name)).join(', ')}`
    case 'window-table':
      return `window-table ${windowText(node.window)} of ${schemaOf(node.input)[node.time]!.name}`
    case 'window-aggregate': {
      const fields = schemaOf(node.input)
      return `window-aggregate ${windowText(node.window)} of ${fields[node.time]!.name} ${grouping(node.keys, node.aggregates, fields)}`
    }
    case 'group-aggregate':
      return `group-aggregate ${grouping(node.keys, node.aggregates, schemaOf(node.input))}`
    case 'union-all':
      return `union-all (${names(node.schema)})`
    case 'sort':
      return `sort ${sortText(node)}`
    default:
      return unreachable(node)
  }
}

function names(schema: Schema): string {
  return schema.map(({ name }) => name).join(', ')
}

function named(text: string, name: string): string {
  return text === name ? text : `${text} as ${name}`
}

function windowText(window: Window): string {
  const offset = window.offsetUs === 0 ? '' : ` offset ${durationText(window.offsetUs)}`
  if (window.kind === 'tumble') return `tumble ${durationText(window.sizeUs)}${offset}`
  return `hop ${durationText(window.sizeUs)} every ${durationText(window.slideUs)}${offset}`
}

const UNITS = [
  ['d', 86_400_000_000],
  ['h', 3_600_000_000],
  ['min', 60_000_000],
  ['s', 1_000_000],
  ['ms', 1000],
] as const

/** µs as '5 min', in the largest unit that divides them. */
export function durationText(micros: number): string {
  const unit = UNITS.find(([, size]) => micros % size === 0)
  return unit === undefined || micros === 0 ? `${micros} µs` : `${micros / unit[1]} ${unit[0]}`
}

function grouping(
  keys: readonly Expression[],
  aggregates: readonly AggregateCall[],
  fields: Schema,
): string {
  const by =
    keys.length === 0 ? '' : `by ${keys.map((key) => expressionText(key, fields)).join(', ')}: `
  return `${by}${aggregates.map((call) => aggregateText(call, fields)).join(', ')}`.trimEnd()
}

function aggregateText(call: AggregateCall, fields: Schema): string {
  const args =
    call.args.length === 0 ? '*' : call.args.map((arg) => expressionText(arg, fields)).join(', ')
  const filter = call.filter === undefined ? '' : ` filter ${expressionText(call.filter, fields)}`
  return `${call.function}(${call.distinct ? 'DISTINCT ' : ''}${args})${filter}`
}

function sortText(node: Extract<PlanNode, { kind: 'sort' }>): string {
  const fields = schemaOf(node.input)
  const keys = node.keys.map(
    (key) => `${expressionText(key.expression, fields)}${key.descending ? ' desc' : ''}`,
  )
  const parts = keys.length === 0 ? [] : [`by ${keys.join(', ')}`]
  if (node.limit !== undefined) parts.push(`limit ${node.limit}`)
  if (node.offset !== undefined) parts.push(`offset ${node.offset}`)
  return parts.join(' ')
}

const SYMBOLS: Readonly<Record<string, string>> = {
  PLUS: '+',
  MINUS: '-',
  TIMES: '*',
  DIVIDE: '/',
  MOD: '%',
  EQUALS: '=',
  NOT_EQUALS: '<>',
  LESS: '<',
  LESS_OR_EQUAL: '<=',
  GREATER: '>',
  GREATER_OR_EQUAL: '>=',
  AND: 'AND',
  OR: 'OR',
  LIKE: 'LIKE',
}

/** As SQL, near enough to be read; columns by their names in `fields`. */
export function expressionText(expression: Expression, fields: Schema): string {
  const text = (inner: Expression): string => expressionText(inner, fields)
  switch (expression.kind) {
    case 'column':
      return fields[expression.index]?.name ?? `$${expression.index}`
    case 'literal':
      return literalText(expression)
    case 'call': {
      const symbol = Object.hasOwn(SYMBOLS, expression.function)
        ? SYMBOLS[expression.function]
        : undefined
      const args = expression.args.map(text)
      if (symbol !== undefined && args.length === 2) return `(${args[0]} ${symbol} ${args[1]})`
      return `${expression.function}(${args.join(', ')})`
    }
    case 'cast':
      return `${expression.safe ? 'TRY_CAST' : 'CAST'}(${text(expression.input)} AS ${typeText({ ...expression.type, nullable: true } as typeof expression.type)})`
    case 'case':
      return `CASE ${expression.branches.map((branch) => `WHEN ${text(branch.when)} THEN ${text(branch.then)}`).join(' ')} ELSE ${text(expression.otherwise)} END`
    case 'field': {
      const { type } = expression.input
      return `${text(expression.input)}.${type.kind === 'row' ? type.fields[expression.index]!.name : expression.index}`
    }
  }
}

function literalText({ value, type }: Extract<Expression, { kind: 'literal' }>): string {
  if (value === null) return 'NULL'
  if (type.kind === 'interval_day_second') return durationText(Number(value))
  if (type.kind === 'char' || type.kind === 'varchar') return `'${value}'`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
