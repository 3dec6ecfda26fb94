/** CREATE TABLE to a table's definition: types, computed columns, watermark, key, options. */
import { cellFamily, type DataType, withNullability } from '../../data/types.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import type { ColumnDefinition, TableDefinition, WatermarkDefinition } from '../../plan/tables.ts'
import { SqlError } from '../sql-error.ts'
import type { ColumnSyntax, CreateTable } from '../statements.ts'
import { suggestion } from '../suggest.ts'
import type { ExpressionSyntax, Identifier } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import { type Catalog, nameText, tableNamed } from './catalog.ts'
import { checkedOptions } from './options.ts'
import { type Relation, relationOf } from './scope.ts'

/** @throws SqlError */
export function bindTable(create: CreateTable, catalog: Catalog): TableDefinition {
  const name = nameText(create.name)
  const like = create.like === undefined ? undefined : tableNamed(catalog, create.like)
  const primaryKey = keyOf(create) ?? like?.primaryKey
  const columns = columnsOf(create, like, primaryKey ?? [])
  const options = {
    ...like?.options,
    ...Object.fromEntries(create.options.map(({ key, value }) => [key, value])),
  }
  const watermark = watermarkOf(create, columns) ?? like?.watermark
  const partitionedBy = create.partitionedBy?.map((column) => known(column, columns))
  checkedOptions(options, create.options, catalog.connectors, name, create.name.at)
  checkMetadata(create, options, catalog)
  for (const column of create.primaryKey ?? []) known(column, columns)
  return {
    name,
    columns,
    options,
    ...(primaryKey === undefined ? {} : { primaryKey }),
    ...(partitionedBy === undefined ? {} : { partitionedBy }),
    ...(watermark === undefined ? {} : { watermark }),
  }
}

function keyOf({ primaryKey, columns }: CreateTable): string[] | undefined {
  if (primaryKey !== undefined) return primaryKey.map(({ name }) => name)
  const inline = columns.filter((column) => column.kind === 'physical' && column.primaryKey)
  return inline.length === 0 ? undefined : inline.map(({ name }) => name.name)
}

function columnsOf(
  create: CreateTable,
  like: TableDefinition | undefined,
  primaryKey: readonly string[],
): ColumnDefinition[] {
  const inherited = like?.columns ?? []
  const taken = new Set(inherited.map(({ name }) => name))
  for (const { name } of create.columns) {
    if (taken.has(name.name)) throw nameTaken(name)
    taken.add(name.name)
  }
  const plain = create.columns.filter((column) => column.kind !== 'computed')
  // Computed columns see all others, and no computed ones: as in Flink.
  const scope = relationOf({
    kind: 'values',
    rows: [],
    schema: [
      ...inherited
        .filter(({ kind }) => kind !== 'computed')
        .map(({ name, type }) => ({ name, type })),
      ...plain.map(({ name, type }) => ({ name: name.name, type })),
    ],
  })
  const own = create.columns.map((column) => definitionOf(column, scope, primaryKey))
  const keyed = inherited.map((column) =>
    primaryKey.includes(column.name)
      ? { ...column, type: withNullability(column.type, false) }
      : column,
  )
  return [...keyed, ...own]
}

function definitionOf(
  column: ColumnSyntax,
  scope: Relation,
  primaryKey: readonly string[],
): ColumnDefinition {
  const { name } = column.name
  switch (column.kind) {
    case 'physical': {
      const isKey = primaryKey.includes(name)
      return {
        kind: 'physical',
        name,
        type: isKey ? withNullability(column.type, false) : column.type,
      }
    }
    case 'computed': {
      const expression = bindExpression(column.expression, { relation: scope })
      return { kind: 'computed', name, type: expression.type, expression }
    }
    case 'metadata': {
      const { type, key = name, virtual } = column
      return { kind: 'metadata', name, type, key, virtual }
    }
  }
}

const ROWTIME_PRECISION_MAX = 3

function watermarkOf(
  { watermark }: CreateTable,
  columns: readonly ColumnDefinition[],
): WatermarkDefinition | undefined {
  if (watermark === undefined) return undefined
  const column = watermark.column.parts.at(-1)!
  if (watermark.column.parts.length > 1) {
    throw new SqlError('SQL_WATERMARK_INVALID', watermark.column.at, {
      message: 'event time is a column, not a field in one',
      hint: `compute a column: ts AS ${watermark.column.parts.map(({ name }) => name).join('.')}`,
    })
  }
  const name = known(column, columns)
  const { type } = columns.find((each) => each.name === name)!
  const isTime = type.kind === 'timestamp' || type.kind === 'timestamp_ltz'
  if (!isTime || type.precision > ROWTIME_PRECISION_MAX) {
    throw new SqlError('SQL_WATERMARK_INVALID', column.at, {
      message: `event time is TIMESTAMP(3) or TIMESTAMP_LTZ(3), and \`${name}\` is ${typeText(withNullability(type, true))}`,
      hint: 'declare it so, or compute a column: ts AS TO_TIMESTAMP_LTZ(ms, 3)',
      facts: { column: name },
    })
  }
  const scope = relationOf({
    kind: 'values',
    rows: [],
    schema: columns.map((each) => ({ name: each.name, type: each.type })),
  })
  const bound = bindExpression(watermark.expression, {
    relation: scope,
    override: refuseSourceWatermark,
  })
  if (bound.type.kind !== type.kind) {
    throw new SqlError('SQL_WATERMARK_INVALID', watermark.expression.at, {
      message: `a watermark is of its column's type, ${typeText(withNullability(type, true))}, and this is ${typeText(withNullability(bound.type, true))}`,
      hint: `write ${name} - INTERVAL '5' SECOND`,
    })
  }
  return { column: name, expression: bound }
}

function refuseSourceWatermark(syntax: ExpressionSyntax): undefined {
  if (syntax.kind !== 'call' || syntax.call.name.name.toUpperCase() !== 'SOURCE_WATERMARK') return
  throw new SqlError('SQL_UNSUPPORTED', syntax.at, {
    message: 'SOURCE_WATERMARK() is not supported: no source here tells a watermark of its own',
    hint: "say how late rows may be: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND",
  })
}

/** @throws SQL_COLUMN_UNKNOWN */
function known({ name, at }: Identifier, columns: readonly ColumnDefinition[]): string {
  if (columns.some((column) => column.name === name)) return name
  throw new SqlError('SQL_COLUMN_UNKNOWN', at, {
    message: `there is no column \`${name}\``,
    hint: suggestion(
      name,
      columns.map((column) => column.name),
      'columns',
    ),
    facts: { column: name },
  })
}

function checkMetadata(
  create: CreateTable,
  options: TableDefinition['options'],
  { connectors }: Catalog,
): void {
  const connector = connectors.find(({ name }) => name === options.connector)
  if (connector === undefined) return
  const metadata = { ...connector.metadata, ...connector.metadataOf?.(options) }
  for (const column of create.columns) {
    if (column.kind !== 'metadata') continue
    const key = column.key ?? column.name.name
    const offered = metadata[key]
    if (offered === undefined) {
      throw new SqlError('SQL_COLUMN_UNKNOWN', column.at, {
        message: `the connector '${connector.name}' has no metadata '${key}'`,
        hint: suggestion(key, Object.keys(metadata), 'metadata'),
        facts: { connector: connector.name, key },
      })
    }
    if (familyOf(offered.type) === familyOf(column.type)) continue
    const [is, declared] = [offered.type, column.type].map((type) =>
      typeText(withNullability(type, true)),
    )
    throw new SqlError('SQL_TYPE_MISMATCH', column.at, {
      message: `metadata '${key}' is ${is}, and \`${column.name.name}\` is declared ${declared}`,
      hint: `declare it ${is}, and CAST it in a computed column`,
      facts: { connector: connector.name, key },
    })
  }
}

/** Metadata is delivered as it is: its cells are those of each type of one family. */
function familyOf(type: DataType): string {
  const family = cellFamily(type)
  if (family !== undefined) return family
  switch (type.kind) {
    case 'timestamp':
    case 'timestamp_ltz':
      return 'time'
    case 'map':
      return `map of ${familyOf(type.key)} to ${familyOf(type.value)}`
    default:
      return type.kind
  }
}

function nameTaken({ name, at }: Identifier): SqlError {
  return new SqlError('SQL_NAME_TAKEN', at, {
    message: `there is a column \`${name}\` already`,
    hint: 'columns of a table have different names',
    facts: { column: name },
  })
}
