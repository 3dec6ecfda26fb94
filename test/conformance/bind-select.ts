/** `SELECT <expressions>` over one row's columns f0, f1, ...: syntax to bound expressions, for the conformance of functions alone. */
import { type DataType, types, withNullability } from '../../src/data/types.ts'
import type { Expression, LiteralValue } from '../../src/plan/expressions.ts'
import { castRefusal } from '../../src/plan/functions/castable.ts'
import { commonTypeOf } from '../../src/plan/functions/coercion.ts'
import { functionNamed } from '../../src/plan/functions/registry.ts'
import { parseScript } from '../../src/sql/parse/parse-script.ts'
import type { ExpressionSyntax, LiteralSyntax } from '../../src/sql/syntax.ts'

/** undefined for a type that Millrace has not. */
type Columns = readonly (DataType | undefined)[]

/** What the text says can't be: refused when planning. */
export class Refused extends Error {}

/** One bound expression a SELECT item; columns are named f0, f1, ... @throws Refused */
export function bindSelect(expressions: string, columns: Columns): readonly Expression[] {
  const { statements, errors } = parseScript(`SELECT ${expressions}`)
  const [error] = errors
  if (error !== undefined) throw new Refused(error.message)
  const [statement] = statements
  const body = statement?.kind === 'query' ? statement.query.body : undefined
  if (body?.kind !== 'select') throw new Refused('no SELECT')
  return body.items.map((item) => {
    if (item.kind === 'star') throw new Refused('no expression')
    return bind(item.expression, columns)
  })
}

function bind(syntax: ExpressionSyntax, columns: Columns): Expression {
  const all = (list: readonly ExpressionSyntax[]) => list.map((each) => bind(each, columns))
  switch (syntax.kind) {
    case 'literal':
      return literal(syntax.literal)
    case 'reference':
      return reference(
        syntax.parts.map(({ name }) => name),
        columns,
      )
    case 'call':
      return call(syntax.call.name.name, all(syntax.call.args))
    case 'operator':
      return operator(syntax.function, all(syntax.args))
    case 'constructor':
      return call(syntax.of, all(syntax.items))
    case 'cast': {
      const input = bind(syntax.input, columns)
      const nullable = input.type.nullable || syntax.safe
      return cast(input, withNullability(syntax.type, nullable), syntax.safe)
    }
    case 'field':
      return field(bind(syntax.input, columns), syntax.field.name)
    case 'case':
      return caseOf(syntax, columns)
    case 'in': {
      const input = bind(syntax.input, columns)
      const tests = all(syntax.list).map((each) => call('EQUALS', [input, each]))
      const any = tests.length === 1 ? tests[0]! : call('OR', tests)
      return syntax.negated ? call('NOT', [any]) : any
    }
    case 'between': {
      const [input, low, high] = all([syntax.input, syntax.low, syntax.high])
      const within = call('AND', [
        call('GREATER_OR_EQUAL', [input!, low!]),
        call('LESS_OR_EQUAL', [input!, high!]),
      ])
      return syntax.negated ? call('NOT', [within]) : within
    }
  }
}

function caseOf(syntax: Extract<ExpressionSyntax, { kind: 'case' }>, columns: Columns): Expression {
  const operand = syntax.operand && bind(syntax.operand, columns)
  const whens = syntax.branches.map(({ when }) => {
    const condition = bind(when, columns)
    return operand === undefined ? condition : call('EQUALS', [operand, condition])
  })
  const values = syntax.branches.map((branch) => bind(branch.then, columns))
  const otherwise =
    syntax.otherwise === undefined ? constant(null, types.null) : bind(syntax.otherwise, columns)
  const type = commonTypeOf([...values, otherwise].map((each) => each.type))
  if (type === undefined) throw new Refused('the branches of CASE have no type in common')
  return {
    kind: 'case',
    // biome-ignore lint/suspicious/noThenProperty: a plan's CASE says then
    branches: whens.map((when, index) => ({ when, then: cast(values[index]!, type, false) })),
    otherwise: cast(otherwise, type, false),
    type,
  }
}

function reference(parts: readonly string[], columns: Columns): Expression {
  const index = columns.findIndex((_, at) => `f${at}` === parts[0])
  if (index < 0) throw new Refused(`no column ${parts[0]}`)
  const type = columns[index]
  if (type === undefined) throw new Refused(`the type of ${parts[0]} is not supported`)
  const column: Expression = { kind: 'column', index, type }
  return parts.slice(1).reduce(field, column)
}

function field(input: Expression, name: string): Expression {
  const { type } = input
  const index = type.kind === 'row' ? type.fields.findIndex((each) => each.name === name) : -1
  if (type.kind !== 'row' || index < 0) throw new Refused(`no field ${name}`)
  const inner = type.fields[index]!.type
  const nullable = inner.nullable || type.nullable
  return { kind: 'field', input, index, type: withNullability(inner, nullable) }
}

function operator(name: string, args: readonly Expression[]): Expression {
  const [first, second] = args
  if (name === 'ITEM' && first?.type.kind === 'row' && second?.kind === 'literal')
    return field(first, String(second.value))
  if (name === 'NEGATE' && first?.kind === 'literal' && !first.type.kind.startsWith('interval')) {
    const { value } = first
    return { ...first, value: typeof value === 'number' ? -value : `-${value}` }
  }
  return call(name, args)
}

function call(name: string, args: readonly Expression[]): Expression {
  const signature = functionNamed(name)
  if (signature === undefined) throw new Refused(`no function ${name}`)
  const resolved = signature.resolve(
    args.map(({ type }) => type),
    args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined)),
  )
  if (typeof resolved === 'string') throw new Refused(resolved)
  return {
    kind: 'call',
    function: signature.name,
    args: args.map((arg, index) => cast(arg, resolved.args[index]!, false)),
    type: resolved.type,
  }
}

function cast(input: Expression, type: DataType, safe: boolean): Expression {
  const bare = (of: DataType) => JSON.stringify(withNullability(of, true))
  if (bare(input.type) === bare(type)) return input
  if (input.kind === 'literal' && input.value === null) return constant(null, type)
  const refusal = castRefusal(input.type, type)
  if (refusal !== undefined) throw new Refused(refusal)
  return { kind: 'cast', input, type, safe }
}

function constant(value: LiteralValue, type: DataType): Expression {
  return { kind: 'literal', value, type }
}

const UNIT_US: Readonly<Record<string, number>> = {
  WEEK: 604_800_000_000,
  DAY: 86_400_000_000,
  HOUR: 3_600_000_000,
  MINUTE: 60_000_000,
  SECOND: 1_000_000,
}

function literal(syntax: LiteralSyntax): Expression {
  const nullable = false
  switch (syntax.kind) {
    case 'exact':
      return exact(syntax.text)
    case 'approximate':
      return constant(Number(syntax.text), { kind: 'double', nullable })
    case 'string':
      return constant(syntax.value, { kind: 'char', length: [...syntax.value].length, nullable })
    case 'binary': {
      const bytes = Buffer.from(syntax.digits, 'hex')
      return constant(bytes.toString('base64'), { kind: 'binary', length: bytes.length, nullable })
    }
    case 'boolean':
      return constant(syntax.value, { kind: 'boolean', nullable })
    case 'null':
      return constant(null, types.null)
    case 'interval': {
      const size = UNIT_US[syntax.from]
      if (syntax.to !== undefined) throw new Refused('an interval of several units')
      const sign = syntax.negative ? -1 : 1
      if (size === undefined) {
        const months = Number(syntax.text) * (syntax.from === 'YEAR' ? 12 : 1) * sign
        return constant(String(months), { kind: 'interval_year_month', nullable })
      }
      const micros = Math.round(Number(syntax.text) * size) * sign
      return constant(String(micros), { kind: 'interval_day_second', nullable })
    }
    default:
      return moment(syntax.kind, syntax.text)
  }
}

function exact(text: string): Expression {
  const [whole, fraction] = text.split('.') as [string, string | undefined]
  const nullable = false
  if (fraction === undefined) {
    const kind = BigInt(text) > 2147483647n ? 'bigint' : 'int'
    return constant(text, { kind, nullable })
  }
  const digits = (whole + fraction).replace(/^0+/, '').length
  const precision = Math.max(digits, fraction.length)
  return constant(text, { kind: 'decimal', precision, scale: fraction.length, nullable })
}

/** Through a cast of the text: the engine's own reading. */
function moment(kind: 'date' | 'time' | 'timestamp' | 'timestamp_ltz', text: string): Expression {
  const precision = text.split('.')[1]?.length ?? 0
  const type: DataType =
    kind === 'date' ? { kind, nullable: false } : { kind, precision, nullable: false }
  return cast(constant(text, { ...types.string, nullable: false }), type, false)
}
