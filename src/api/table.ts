/** Tables of the typed API: columns, event time, and where the rows are. */
import { typeText } from '../plan/functions/type-text.ts'
import type { Columns } from './columns.ts'
import type { Connector } from './connectors.ts'
import { named, quoted } from './constants.ts'
import { type Duration, intervalText } from './duration.ts'
import type { NamesOf, ShapeOf } from './shape.ts'
import { type Stream, streamOf } from './stream.ts'

/** Names of columns that can be event time. */
export type TimeName<Declared extends Columns> = NamesOf<
  ShapeOf<Declared>,
  'timestamp' | 'timestamp_ltz'
>

export interface TableOptions<Declared extends Columns> {
  readonly columns: Declared
  /** The column whose times the watermark follows. */
  readonly eventTime?: TimeName<Declared>
  /** How much later than others a row may come and still be in time; '0s' unless told. */
  readonly delay?: Duration
  readonly primaryKey?: readonly (keyof Declared & string)[]
  readonly partitionedBy?: readonly (keyof Declared & string)[]
  readonly from: Connector
}

/** A table to read. */
export interface Table<Declared extends Columns> extends Stream<ShapeOf<Declared>> {
  readonly name: string
}

export function table<const Declared extends Columns>(
  name: string,
  options: TableOptions<Declared>,
): Table<Declared> {
  const { columns, eventTime } = options
  const stream = streamOf<ShapeOf<Declared>>({
    sql: `SELECT * FROM ${named(name)}`,
    table: name,
    kinds: new Map(Object.entries(columns).map(([column, { type }]) => [column, type.kind])),
    tables: new Map([[name, definitionOf(name, options)]]),
    ...(eventTime === undefined ? {} : { eventTime }),
  })
  return { ...stream, name }
}

function definitionOf<Declared extends Columns>(
  name: string,
  options: TableOptions<Declared>,
): string {
  const { columns, eventTime, delay = '0s' } = options
  const fields = Object.entries(columns).map(
    ([column, { type }]) => `${named(column)} ${typeText(type)}`,
  )
  const watermark =
    eventTime === undefined
      ? []
      : [`WATERMARK FOR ${named(eventTime)} AS ${named(eventTime)} - ${intervalText(delay)}`]
  return tableText(name, [...fields, ...watermark], options, options.from)
}

/** CREATE TABLE. `lines` are columns and the watermark. */
export function tableText(
  name: string,
  lines: readonly string[],
  keys: { readonly primaryKey?: readonly string[]; readonly partitionedBy?: readonly string[] },
  { options }: Connector,
): string {
  const { primaryKey, partitionedBy } = keys
  const all = [...lines]
  if (primaryKey !== undefined)
    all.push(`PRIMARY KEY (${primaryKey.map(named).join(', ')}) NOT ENFORCED`)
  const partitions =
    partitionedBy === undefined ? '' : ` PARTITIONED BY (${partitionedBy.map(named).join(', ')})`
  const settings = Object.entries(options)
    .map(([key, value]) => `${quoted(key)} = ${quoted(value)}`)
    .join(', ')
  return `CREATE TABLE ${named(name)} (\n  ${all.join(',\n  ')}\n)${partitions} WITH (${settings})`
}
