/** INSERT INTO: a query's columns to a table's, by place or by the names that are listed, cast as Flink casts. */
import { withNullability } from '../../data/types.ts'
import { changesBecause } from '../../plan/changes-because.ts'
import type { Expression } from '../../plan/expressions.ts'
import { implicitlyCastable } from '../../plan/functions/castable.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { type PlanNode, type SinkNode, schemaOf } from '../../plan/nodes.ts'
import { streamedOrder } from '../../plan/streamed-order.ts'
import type { ColumnDefinition, TableDefinition } from '../../plan/tables.ts'
import { traitsOf } from '../../plan/traits.ts'
import { unsupported } from '../parse/unsupported.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { Insert } from '../statements.ts'
import { suggestion } from '../suggest.ts'
import { bindExpression, castTo, sameType } from './bind-expression.ts'
import { bindQuery } from './bind-query.ts'
import { hinted } from './bind-relation.ts'
import { ONE_ROW } from './bind-sets.ts'
import { type Catalog, tableNamed } from './catalog.ts'
import { sinkChecksOf } from './sink-checks.ts'

/** @throws SqlError */
export function bindInsert(insert: Insert, catalog: Catalog): SinkNode {
  const table = hinted(tableNamed(catalog, insert.table), insert.options, catalog)
  const bound = bindQuery(insert.query, catalog)
  const node = streamedOrder(bound.node)
  if (node === undefined) throw unsupported('ORDER BY of a stream', insert.query.at)
  const written = table.columns.filter(
    (column) => column.kind === 'physical' || (column.kind === 'metadata' && !column.virtual),
  )
  const fixed = fixedColumns(insert, table, written)
  const open = written.filter(({ name }) => !fixed.has(name))
  const targets = targetsOf(insert, table.name, open)
  const given = schemaOf(node)
  if (given.length !== targets.length)
    throw countMismatch(insert, table.name, given.length, targets.length)
  const expressions = written.map((column): Expression => {
    const value = fixed.get(column.name)
    if (value !== undefined) return value
    const index = targets.indexOf(column)
    if (index < 0) return missingColumn(column, insert)
    return assigned({ kind: 'column', index, type: given[index]!.type }, column, insert.query.at)
  })
  const checks = sinkChecksOf(catalog.settings, insert.table.at)
  const input = projected(node, written, expressions)
  refuseChanges(table, input, catalog, insert.table.at)
  return {
    kind: 'sink',
    table,
    input,
    ...(checks === undefined ? {} : { checks }),
    ...(materializes(table, written, input, catalog) ? { materializes: true } : {}),
  }
}

/** A sink that takes only rows that stay. @throws CHANGELOG_REFUSED */
function refuseChanges(
  { name, options, primaryKey = [] }: TableDefinition,
  input: PlanNode,
  { connectors }: Catalog,
  at: Place,
): void {
  const because = changesBecause(input)
  const sink = connectors.find((connector) => connector.name === options.connector)?.sink
  if (because === undefined || sink === undefined) return
  const hasKey = primaryKey.length > 0
  const modes = sink.modes(options, hasKey)
  if (modes.includes('retract') || (hasKey && modes.includes('upsert'))) return
  throw new SqlError('CHANGELOG_REFUSED', at, {
    message: `table \`${name}\` takes rows that stay, and the query updates rows that it gave before, because of ${because}`,
    hint: hasKey
      ? `its connector '${options.connector}' can't update: write to one that can`
      : `declare its PRIMARY KEY (...) NOT ENFORCED if its connector '${options.connector}' can update by key, or write to one that can`,
    facts: { table: name, connector: options.connector, because },
  })
}

/** Changes that are told by other columns than the sink's key: of two rows of one key, one may go while the other stays. */
function materializes(
  { primaryKey = [] }: TableDefinition,
  written: readonly ColumnDefinition[],
  input: PlanNode,
  { settings }: Catalog,
): boolean {
  if (primaryKey.length === 0 || settings.get('table.exec.sink.upsert-materialize') === 'NONE')
    return false
  const { changes, upsertKey } = traitsOf(input)
  if (changes === 'append') return false
  const isOfKey = (index: number): boolean => primaryKey.includes(written[index]!.name)
  return upsertKey === undefined || upsertKey.length === 0 || !upsertKey.every(isOfKey)
}

/** PARTITION (day = '2026-01-31'): columns that all rows have alike. */
function fixedColumns(
  { partition = [] }: Insert,
  table: TableDefinition,
  written: readonly ColumnDefinition[],
): ReadonlyMap<string, Expression> {
  const fixed = new Map<string, Expression>()
  for (const { name, value } of partition) {
    if (table.partitionedBy?.includes(name.name) !== true) {
      throw new SqlError('SQL_COLUMN_UNKNOWN', name.at, {
        message: `table \`${table.name}\` is not partitioned by \`${name.name}\``,
        hint: suggestion(name.name, table.partitionedBy ?? [], 'columns that it is partitioned by'),
        facts: { table: table.name, column: name.name },
      })
    }
    const column = written.find((each) => each.name === name.name)!
    if (value === undefined) continue
    fixed.set(name.name, assigned(bindExpression(value, { relation: ONE_ROW }), column, value.at))
  }
  return fixed
}

function targetsOf(
  insert: Insert,
  table: string,
  written: readonly ColumnDefinition[],
): readonly ColumnDefinition[] {
  if (insert.columns === undefined) return written
  const taken = new Set<string>()
  return insert.columns.map(({ name, at }) => {
    if (taken.has(name)) {
      throw new SqlError('SQL_INSERT_MISMATCH', at, {
        message: `column \`${name}\` is listed twice`,
        hint: 'list each column once',
        facts: { table, column: name },
      })
    }
    taken.add(name)
    const column = written.find((each) => each.name === name)
    if (column !== undefined) return column
    throw new SqlError('SQL_COLUMN_UNKNOWN', at, {
      message: `table \`${table}\` has no column \`${name}\` to write`,
      hint: suggestion(
        name,
        written.map((each) => each.name),
        'columns',
      ),
      facts: { table, column: name },
    })
  })
}

function assigned(value: Expression, column: ColumnDefinition, at: Place): Expression {
  if (sameType(value.type, column.type)) return value
  if (value.type.kind === 'null' && !column.type.nullable) {
    throw new SqlError('SQL_INSERT_MISMATCH', at, {
      message: `column \`${column.name}\` is NOT NULL, and the query gives NULL`,
      hint: 'give it a value',
      facts: { column: column.name },
    })
  }
  if (implicitlyCastable(value.type, column.type)) return castTo(value, column.type, at)
  throw new SqlError('SQL_INSERT_MISMATCH', at, {
    message: `column \`${column.name}\` is ${typeText(withNullability(column.type, true))}, and the query gives ${typeText(withNullability(value.type, true))}`,
    hint: `CAST it in the query: CAST(... AS ${typeText(withNullability(column.type, true))})`,
    facts: { column: column.name },
  })
}

function missingColumn(column: ColumnDefinition, { at }: Insert): Expression {
  if (column.type.nullable) return { kind: 'literal', value: null, type: column.type }
  throw new SqlError('SQL_INSERT_MISMATCH', at, {
    message: `column \`${column.name}\` is NOT NULL and nothing is written to it`,
    hint: 'add it to the columns of INSERT INTO',
    facts: { column: column.name },
  })
}

function countMismatch(insert: Insert, table: string, given: number, wanted: number): SqlError {
  return new SqlError('SQL_INSERT_MISMATCH', insert.table.at, {
    message: `table \`${table}\` takes ${wanted} columns, and the query gives ${given}`,
    hint: 'name the columns that are written: INSERT INTO t (a, b) SELECT ...',
    facts: { table, given, wanted },
  })
}

function projected(
  node: PlanNode,
  written: readonly ColumnDefinition[],
  expressions: readonly Expression[],
): PlanNode {
  const schema = schemaOf(node)
  const isAsIs =
    expressions.length === schema.length &&
    expressions.every(
      (expression, index) =>
        expression.kind === 'column' &&
        expression.index === index &&
        schema[index]!.name === written[index]!.name,
    )
  if (isAsIs) return node
  return {
    kind: 'project',
    input: node,
    expressions,
    schema: written.map(({ name }, index) => ({ name, type: expressions[index]!.type })),
  }
}
