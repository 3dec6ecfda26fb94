/** Bound expressions as people read them, with the names of the input's columns: for `explain`, not to be parsed again. */
import { dateText, timestampText, timeText } from '../data/civil.ts'
import { type DataType, type Field, withNullability } from '../data/types.ts'
import type { AggregateCall, Expression, LiteralValue } from './expressions.ts'
import { typeText } from './functions/type-text.ts'
import { isUserFunction, userFunctionName } from './functions/user.ts'

const INFIX: Readonly<Record<string, string>> = {
  AND: 'AND',
  OR: 'OR',
  EQUALS: '=',
  NOT_EQUALS: '<>',
  LESS: '<',
  LESS_OR_EQUAL: '<=',
  GREATER: '>',
  GREATER_OR_EQUAL: '>=',
  PLUS: '+',
  MINUS: '-',
  TIMES: '*',
  DIVIDE: '/',
  MOD: '%',
  CONCAT_OPERATOR: '||',
  LIKE: 'LIKE',
}

const POSTFIX: Readonly<Record<string, string>> = {
  IS_NULL: 'IS NULL',
  IS_NOT_NULL: 'IS NOT NULL',
  IS_TRUE: 'IS TRUE',
  IS_FALSE: 'IS FALSE',
  IS_NOT_TRUE: 'IS NOT TRUE',
  IS_NOT_FALSE: 'IS NOT FALSE',
}

export function expressionText(expression: Expression, columns: readonly Field[]): string {
  const text = (inner: Expression) => expressionText(inner, columns)
  switch (expression.kind) {
    case 'column':
      return columns[expression.index]?.name ?? `$${expression.index}`
    case 'literal':
      return literalText(expression.value, expression.type)
    case 'cast':
      return `${expression.safe ? 'TRY_CAST' : 'CAST'}(${text(expression.input)} AS ${typeText(withNullability(expression.type, true))})`
    case 'field':
      return `${text(expression.input)}.${fieldName(expression.input, expression.index)}`
    case 'case': {
      const branches = expression.branches.map(
        (each) => `WHEN ${text(each.when)} THEN ${text(each.then)}`,
      )
      return `CASE ${branches.join(' ')} ELSE ${text(expression.otherwise)} END`
    }
    case 'call':
      return callText(
        expression.function,
        expression.args.map((arg) => operand(arg, text(arg))),
        expression.args.map(text),
      )
  }
}

function callText(name: string, operands: readonly string[], args: readonly string[]): string {
  const infix = INFIX[name]
  if (infix !== undefined && operands.length > 1) return operands.join(` ${infix} `)
  const postfix = POSTFIX[name]
  if (postfix !== undefined && operands.length === 1) return `${operands[0]} ${postfix}`
  if (name === 'NOT') return `NOT ${operands[0]}`
  return `${name}(${args.join(', ')})`
}

/** In brackets where it is itself of several parts. */
function operand(expression: Expression, text: string): string {
  if (expression.kind !== 'call') return text
  const isInfix = INFIX[expression.function] !== undefined && expression.args.length > 1
  return isInfix ? `(${text})` : text
}

export function aggregateText(call: AggregateCall, columns: readonly Field[]): string {
  const args = call.args.map((arg) => expressionText(arg, columns)).join(', ')
  const inner = call.args.length === 0 ? '*' : `${call.distinct ? 'DISTINCT ' : ''}${args}`
  const filter =
    call.filter === undefined ? '' : ` FILTER (WHERE ${expressionText(call.filter, columns)})`
  const name = isUserFunction(call.function) ? userFunctionName(call.function) : call.function
  return `${name}(${inner})${filter}`
}

function fieldName(input: Expression, index: number): string {
  return input.type.kind === 'row'
    ? (input.type.fields[index]?.name ?? String(index))
    : String(index)
}

function literalText(value: LiteralValue, type: DataType | undefined): string {
  if (value === null) return 'NULL'
  if (Array.isArray(value))
    return `[${value.map((each) => literalText(each, undefined)).join(', ')}]`
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  switch (type?.kind) {
    case 'interval_day_second':
      return `INTERVAL '${intervalText(BigInt(String(value)))}'`
    case 'char':
    case 'varchar':
      return `'${String(value).replaceAll("'", "''")}'`
    case 'date':
      return `DATE '${dateText(Number(value))}'`
    case 'time':
      return `TIME '${timeText(BigInt(String(value)), type.precision)}'`
    case 'timestamp':
    case 'timestamp_ltz':
      return `TIMESTAMP '${timestampText(BigInt(String(value)), type.precision)}'`
    default:
      return String(value)
  }
}

const UNITS = [
  ['day', 86_400_000_000n],
  ['hour', 3_600_000_000n],
  ['minute', 60_000_000n],
  ['second', 1_000_000n],
  ['ms', 1000n],
  ['µs', 1n],
] as const

/** The fewest units that say it exactly: '5 second', '1 minute', '90 second'. */
export function intervalText(us: bigint): string {
  const [name, size] = UNITS.find(([, each]) => us !== 0n && us % each === 0n) ?? [
    'second',
    1_000_000n,
  ]
  return `${us / size} ${name}`
}
