/** What names mean at a place of a query: the columns of its relation, by name and by qualified name. */
import { type DataType, withNullability } from '../../data/types.ts'
import type { Expression } from '../../plan/expressions.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { type PlanNode, schemaOf } from '../../plan/nodes.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type { Identifier } from '../syntax.ts'

export interface Relation {
  readonly node: PlanNode
  /** One a column of the node, in order. */
  readonly columns: readonly ScopeColumn[]
}

export interface ScopeColumn {
  readonly name: string
  /** Alias or name of the table that it is of. */
  readonly qualifier?: string
}

/** The relation of a node under its own column names. */
export function relationOf(node: PlanNode, qualifier?: string): Relation {
  return {
    node,
    columns: schemaOf(node).map(({ name }) =>
      qualifier === undefined ? { name } : { name, qualifier },
    ),
  }
}

/**
 * `a`, `t.a`, `a.field`, `t.a.field`: the longest reading that there is.
 * @throws SQL_COLUMN_UNKNOWN, SQL_COLUMN_AMBIGUOUS
 */
export function resolveReference(relation: Relation, parts: readonly Identifier[]): Expression {
  const [first, second] = parts as [Identifier, Identifier | undefined]
  const schema = schemaOf(relation.node)
  if (second !== undefined) {
    const qualified = indexesOf(
      relation,
      ({ name, qualifier }) => qualifier === first.name && name === second.name,
    )
    if (qualified.length === 1) return fieldsOf(columnAt(schema, qualified[0]!), parts.slice(2))
    if (qualified.length > 1) throw ambiguous(second)
  }
  const found = indexesOf(relation, (column) => column.name === first.name)
  if (found.length === 1) return fieldsOf(columnAt(schema, found[0]!), parts.slice(1))
  if (second !== undefined) {
    if (relation.columns.some(({ qualifier }) => qualifier === first.name)) {
      throw unknownColumn(
        second,
        relation.columns.filter(({ qualifier }) => qualifier === first.name),
      )
    }
  }
  if (found.length > 1) throw ambiguous(first)
  return fieldsOf(fieldNamed(first, relation), parts.slice(1))
}

/** A field of a row that is named without its column, where only one has it. @throws SQL_COLUMN_UNKNOWN, SQL_COLUMN_AMBIGUOUS */
function fieldNamed(name: Identifier, relation: Relation): Expression {
  const columns = schemaOf(relation.node).slice(0, relation.columns.length)
  const holding = columns.flatMap(({ type }, index): Expression[] =>
    type.kind === 'row' && type.fields.some((field) => field.name === name.name)
      ? [{ kind: 'column', index, type }]
      : [],
  )
  if (holding.length > 1) throw ambiguous(name)
  if (holding.length === 0) throw unknownColumn(name, relation.columns)
  return fieldOf(holding[0]!, name)
}

function columnAt(schema: readonly { readonly type: DataType }[], index: number): Expression {
  return { kind: 'column', index, type: schema[index]!.type }
}

function indexesOf({ columns }: Relation, matches: (column: ScopeColumn) => boolean): number[] {
  return columns.flatMap((column, index) => (matches(column) ? [index] : []))
}

function fieldsOf(column: Expression, fields: readonly Identifier[]): Expression {
  return fields.reduce(fieldOf, column)
}

/** @throws SQL_COLUMN_UNKNOWN */
export function fieldOf(input: Expression, { name, at }: Identifier): Expression {
  const { type } = input
  if (type.kind !== 'row') {
    throw new SqlError('SQL_COLUMN_UNKNOWN', at, {
      message: `there is no field \`${name}\` in a ${typeText(withNullability(type, true))}`,
      hint: 'only a ROW has fields',
    })
  }
  const index = type.fields.findIndex((field) => field.name === name)
  if (index < 0) throw unknownColumn({ name, at }, type.fields)
  const inner = type.fields[index]!.type
  const nullable = inner.nullable || type.nullable
  return { kind: 'field', input, index, type: withNullability(inner, nullable) }
}

function unknownColumn(
  { name, at }: Identifier,
  columns: readonly { readonly name: string }[],
): SqlError {
  const names = columns.map((column) => column.name)
  return new SqlError('SQL_COLUMN_UNKNOWN', at, {
    message: `there is no column \`${name}\``,
    hint: suggestion(name, names, 'columns'),
    facts: { column: name },
  })
}

function ambiguous({ name, at }: Identifier): SqlError {
  return new SqlError('SQL_COLUMN_AMBIGUOUS', at, {
    message: `\`${name}\` may be any of several columns`,
    hint: 'give them different names with AS where they are selected',
    facts: { column: name },
  })
}

/** The relation under other column names. @throws SQL_TYPE_MISMATCH if their number is not its */
export function renamed(
  relation: Relation,
  names: readonly Identifier[] | undefined,
  at: Place,
  qualifier?: string,
): Relation {
  const count = relation.columns.length
  if (names !== undefined && names.length !== count) {
    throw new SqlError('SQL_TYPE_MISMATCH', at, {
      message: `${names.length} names for ${count} columns`,
      hint: 'name every column, or none',
    })
  }
  return {
    node: relation.node,
    columns: relation.columns.map((column, index) => ({
      name: names?.[index]?.name ?? column.name,
      ...(qualifier === undefined ? {} : { qualifier }),
    })),
  }
}
