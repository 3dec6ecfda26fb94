/** Calls of process functions: arguments to their places, columns to what the function is told. */
import type { Field } from '../../data/types.ts'
import type { Expression } from '../../plan/expressions.ts'
import { userFunctionNamed } from '../../plan/functions/registry.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { holds, type ProcessType, userFunctionId } from '../../plan/functions/user.ts'
import { type Process, schemaOf } from '../../plan/nodes.ts'
import { timeDomainOf } from '../../plan/time-attributes.ts'
import { nodeName, updatingNode } from '../../plan/user-calls.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type { Identifier, ProcessArgument, RelationSyntax } from '../syntax.ts'
import { bindExpression, castTo } from './bind-expression.ts'
import { ONE_ROW } from './bind-sets.ts'
import { nameText } from './catalog.ts'
import { type Relation, relationOf, resolveReference } from './scope.ts'

type ProcessSyntax = Extract<RelationSyntax, { kind: 'process' }>
type TableArgument = Extract<ProcessArgument, { kind: 'table' }>
type Given = ReadonlyMap<string, ProcessArgument>

const INPUT = 'input'
const ON_TIME = 'on_time'
const UID = 'uid'

/** `bindTable` binds the table that is its argument. @throws SqlError */
export function bindProcess(
  syntax: ProcessSyntax,
  bindTable: (syntax: RelationSyntax) => Relation,
): Relation {
  const name = nameText(syntax.name)
  const users = userFunctionNamed(name)
  if (users?.process === undefined) throw noProcess(name, syntax.name.at, users !== undefined)
  const { process } = users
  const given = placed(syntax, name, process)
  const table = tableOf(given, syntax, name)
  const relation = bindTable(table.relation)
  requireInserts(relation, name, table.at)
  const partition = partitionOf(table, relation, process, name)
  const time = timeOf(given.get(ON_TIME), relation, process, syntax, name)
  const uid = uidOf(given.get(UID))
  const node: Process = {
    kind: 'process',
    input: relation.node,
    function: userFunctionId(users),
    ...(uid === undefined ? {} : { uid }),
    table: process.table,
    partition: partition.map(({ expression }) => expression),
    values: process.input.map((field) => told(field, relation, table, name)),
    fields: process.input.map((field) => field.name),
    args: process.args.map((field) => constant(field, given.get(field.name), syntax, name)),
    ...(time === undefined ? {} : { time }),
    state: process.state,
    schema: unique([
      ...partition.map(({ field }) => field),
      ...process.output,
      ...(time === undefined
        ? []
        : [{ name: 'rowtime', type: schemaOf(relation.node)[time]!.type }]),
    ]),
  }
  return relationOf(node, name)
}

/** Arguments by the names of their parameters. */
function placed({ args }: ProcessSyntax, name: string, { args: more }: ProcessType): Given {
  const parameters = [INPUT, ...more.map((field) => field.name), ON_TIME, UID]
  const given = new Map<string, ProcessArgument>()
  for (const [index, argument] of args.entries()) {
    const { at, name: written } = argument
    // There is one table, whatever it is called.
    const parameter =
      argument.kind === 'table'
        ? INPUT
        : written === undefined
          ? parameters[index]
          : parameters.find((each) => each.toUpperCase() === written.name.toUpperCase())
    if (parameter === undefined || given.has(parameter))
      throw wrong(written?.at ?? at, {
        message:
          parameter === undefined
            ? `${name} has no argument ${written?.name ?? index + 1}`
            : `${name} is given ${parameter} twice`,
        hint:
          written === undefined
            ? `its arguments are ${parameters.join(', ')}`
            : suggestion(written.name, parameters, 'arguments'),
      })
    if (argument.kind !== 'default') given.set(parameter, argument)
  }
  return given
}

function tableOf(given: Given, { at }: ProcessSyntax, name: string): TableArgument {
  const table = given.get(INPUT)
  if (table?.kind === 'table') return table
  throw wrong(table?.at ?? at, {
    message: `${name} reads a table, and is given none`,
    hint: `write SELECT * FROM ${name}(input => TABLE t PARTITION BY k)`,
  })
}

function requireInserts({ node }: Relation, name: string, at: Place): void {
  const updating = updatingNode(node)
  if (updating === undefined) return
  throw new SqlError('SQL_UNSUPPORTED', at, {
    message: `${name} reads rows that stay, and these may be taken back: by ${nodeName(updating)}`,
    hint: 'process the rows before they are aggregated, joined or ranked',
    facts: { function: name },
  })
}

interface Key {
  readonly expression: Expression
  readonly field: Field
}

function partitionOf(
  { partition, at }: TableArgument,
  relation: Relation,
  process: ProcessType,
  name: string,
): readonly Key[] {
  if (partition === undefined && process.table === 'set' && process.partition === 'required')
    throw wrong(at, {
      message: `${name} keeps state by key, and its table has no PARTITION BY`,
      hint: "write TABLE t PARTITION BY k; a function with partition: 'optional' does without, on one worker",
    })
  if (partition !== undefined && process.table === 'row')
    throw wrong(partition[0]!.at, {
      message: `${name} is told each row by itself: it has no partitions`,
      hint: "leave PARTITION BY out, or declare the function with table: 'set'",
    })
  return (partition ?? []).map((key) => {
    const expression = bindExpression(key, { relation })
    if (expression.kind !== 'column')
      throw wrong(key.at, {
        message: 'PARTITION BY names columns of the table',
        hint: 'compute it before: TABLE (SELECT *, UPPER(k) AS k2 FROM t) PARTITION BY k2',
      })
    const { name: column } = relation.columns[expression.index]!
    return { expression, field: { name: column, type: expression.type } }
  })
}

function timeOf(
  argument: ProcessArgument | undefined,
  relation: Relation,
  { onTime }: ProcessType,
  { at }: ProcessSyntax,
  name: string,
): number | undefined {
  if (argument === undefined) {
    if (onTime === 'optional') return undefined
    throw wrong(at, {
      message: `${name} needs the time of its rows`,
      hint: 'tell the column that a watermark follows: on_time => DESCRIPTOR(ts)',
    })
  }
  if (argument.kind !== 'descriptor')
    throw wrong(argument.at, {
      message: 'on_time is a column of the table',
      hint: 'write on_time => DESCRIPTOR(ts)',
    })
  const { column } = argument
  const bound = resolveReference(relation, [column])
  if (bound.kind === 'column' && timeDomainOf(relation.node, bound.index) === 'event')
    return bound.index
  throw new SqlError('SQL_WINDOW_INVALID', column.at, {
    message: `\`${column.name}\` is no event time: no watermark follows it`,
    hint: `declare it in CREATE TABLE: WATERMARK FOR ${column.name} AS ${column.name} - INTERVAL '5' SECOND`,
  })
}

function uidOf(argument: ProcessArgument | undefined): string | undefined {
  if (argument === undefined) return undefined
  const value =
    argument.kind === 'value' ? bindExpression(argument.value, { relation: ONE_ROW }) : undefined
  if (value?.kind === 'literal' && typeof value.value === 'string' && value.value !== '')
    return value.value
  throw wrong(argument.at, { message: 'uid is a text', hint: "write uid => 'carts'" })
}

/** A declared column, of the table's column of its name. */
function told(field: Field, relation: Relation, { at }: TableArgument, name: string): Expression {
  const column: Identifier = { name: field.name, at }
  if (!relation.columns.some((each) => each.name === field.name))
    throw new SqlError('SQL_COLUMN_UNKNOWN', at, {
      message: `${name} reads a column \`${field.name}\`, which the table has not`,
      hint: `give it one: TABLE (SELECT x AS ${field.name}, ... FROM t)`,
      facts: { column: field.name },
    })
  const bound = resolveReference(relation, [column])
  if (holds(field.type, bound.type) && (field.type.nullable || !bound.type.nullable))
    return castTo(bound, field.type, at)
  throw wrong(at, {
    message: `${name} reads \`${field.name}\` as ${typeText(field.type)}, and it is ${typeText(bound.type)}`,
    hint: `cast it: TABLE (SELECT CAST(${field.name} AS ...) AS ${field.name}, ... FROM t), or declare it as it is`,
  })
}

function constant(
  field: Field,
  argument: ProcessArgument | undefined,
  { at }: ProcessSyntax,
  name: string,
): { readonly name: string; readonly value: Expression } {
  if (argument?.kind !== 'value') {
    if (argument === undefined && field.type.nullable)
      return { name: field.name, value: { kind: 'literal', value: null, type: field.type } }
    throw wrong(argument?.at ?? at, {
      message: `${name} is given no ${field.name}`,
      hint: `write ${field.name} => ...`,
    })
  }
  const value = bindExpression(argument.value, { relation: ONE_ROW })
  if (!holds(field.type, value.type) || (!field.type.nullable && value.type.nullable))
    throw wrong(argument.at, {
      message: `${name} takes ${field.name} as ${typeText(field.type)}, not ${typeText(value.type)}`,
      hint: 'give it a constant of that type',
    })
  return { name: field.name, value: castTo(value, field.type, argument.at) }
}

/** Of equal names the later ones get numbers. */
function unique(fields: readonly Field[]): readonly Field[] {
  const taken = new Set<string>()
  return fields.map(({ name, type }) => {
    let free = name
    for (let count = 0; taken.has(free); count++) free = `${name}${count}`
    taken.add(free)
    return { name: free, type }
  })
}

function noProcess(name: string, at: Place, isUsers: boolean): SqlError {
  return new SqlError('SQL_FUNCTION_UNKNOWN', at, {
    message: isUsers
      ? `${name} is no process function: it reads no table`
      : `there is no process function ${name}`,
    hint: isUsers
      ? `write CROSS JOIN LATERAL TABLE(${name}(...)) for a table function, or declare it with processFunction`
      : "declare it: CREATE FUNCTION pings AS './pings.ts#pings' LANGUAGE TYPESCRIPT; windows stand in TABLE(TUMBLE(TABLE t, ...))",
    facts: { function: name },
  })
}

function wrong(at: Place, told: { readonly message: string; readonly hint: string }): SqlError {
  return new SqlError('SQL_TYPE_MISMATCH', at, told)
}
