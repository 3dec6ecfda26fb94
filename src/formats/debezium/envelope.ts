/**
 * Debezium's envelope, as a record's columns: the row before the change and the one after it, what was done, and where it comes from.
 *
 *   before, after   the table's columns, or null
 *   op              c, created; r, read in a snapshot; u, updated; d, deleted
 *   source          of the database's log: ts_ms, db, schema, table, ...
 *   ts_ms           when Debezium took it in
 *
 * @see Debezium documentation, "Change events" of each connector; of the metadata's keys, Flink's Debezium format
 */
import type { Vector } from '../../data/batch.ts'
import { type DataType, type Field, type Schema, types } from '../../data/types.ts'
import { invariant } from '../../errors.ts'

/** What a change tells besides the row, by Flink's keys. */
export const ENVELOPE_METADATA = {
  'ingestion-timestamp': types.timestampLtz(3),
  'source.timestamp': types.timestampLtz(3),
  'source.database': types.string,
  'source.schema': types.string,
  'source.table': types.string,
} as const satisfies Readonly<Record<string, DataType>>

type SourceKey = Exclude<keyof typeof ENVELOPE_METADATA, 'ingestion-timestamp'>

const SOURCE_FIELDS: Readonly<Record<SourceKey, Field>> = {
  'source.timestamp': { name: 'ts_ms', type: types.bigint },
  'source.database': { name: 'db', type: types.string },
  'source.schema': { name: 'schema', type: types.string },
  'source.table': { name: 'table', type: types.string },
}

/** Where a table's column is found: in the rows, or beside them. */
export type EnvelopeColumn =
  | { readonly kind: 'row'; readonly index: number }
  | { readonly kind: 'metadata'; readonly key: string }

export interface Envelope {
  /** What a record is decoded to. */
  readonly schema: Schema
  /** By column of the table. */
  readonly columns: readonly EnvelopeColumn[]
}

/** @param metadataKeys by column of `schema` */
export function envelopeOf(
  schema: Schema,
  metadataKeys: readonly (string | undefined)[] = [],
): Envelope {
  const fields: Field[] = []
  const columns = schema.map((field, column): EnvelopeColumn => {
    const key = metadataKeys[column]
    return key === undefined
      ? { kind: 'row', index: fields.push(field) - 1 }
      : { kind: 'metadata', key }
  })
  const source = Object.entries(SOURCE_FIELDS).flatMap(([key, field]) =>
    metadataKeys.includes(key) ? [field] : [],
  )
  return {
    columns,
    schema: [
      ...rowsOf(fields),
      { name: 'op', type: types.string },
      ...(metadataKeys.includes('ingestion-timestamp')
        ? [{ name: 'ts_ms', type: types.bigint }]
        : []),
      ...(source.length === 0 ? [] : [{ name: 'source', type: rowOf(source) }]),
    ],
  }
}

/** What a sink writes, as Flink does: `before`, `after` and `op`. */
export function writtenEnvelope(schema: Schema): Schema {
  return [...rowsOf(schema), { name: 'op', type: types.string }]
}

function rowsOf(fields: Schema): Schema {
  const type = rowOf(fields)
  return [
    { name: 'before', type },
    { name: 'after', type },
  ]
}

function rowOf(fields: Schema): DataType {
  return { kind: 'row', fields, nullable: true }
}

/** A value beside the rows, and the ROW it lies in. */
export interface BesideRows {
  readonly vector: Vector
  readonly within?: Vector
}

/** @param key of ENVELOPE_METADATA */
export function metadataVector(
  { schema }: Envelope,
  vectors: readonly Vector[],
  key: string,
): BesideRows {
  const at = (name: string): Vector => {
    const vector = vectors[schema.findIndex((field) => field.name === name)]
    invariant(vector !== undefined, `an envelope with metadata ${key} has ${name}`)
    return vector
  }
  if (key === 'ingestion-timestamp') return { vector: at('ts_ms') }
  const source = at('source')
  invariant(source.type.kind === 'row', 'source is a ROW')
  const { name } = SOURCE_FIELDS[key as SourceKey]
  const index = source.type.fields.findIndex((field) => field.name === name)
  return { vector: source.children![index]!, within: source }
}
