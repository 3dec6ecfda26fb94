/** The query that asks for the rows of many keys at once, and tells of each which key it is of. */
import type { DataType, Field } from '../../data/types.ts'
import type { LookupKey } from '../contract/lookup.ts'
import { quoted } from './options.ts'

export interface KeyQuery {
  readonly text: string
  /** An array of texts for each column of the key. */
  values(keys: readonly LookupKey[]): readonly (readonly string[])[]
}

/** @param kinds of the table's columns, by name: PostgreSQL's names of their types */
export function keyQuery(
  from: string,
  schema: readonly Field[],
  key: readonly string[],
  kinds: ReadonlyMap<string, string>,
): KeyQuery {
  const arrays = key.map((name, at) => `$${at + 1}::${comparedAs(kinds.get(name)!)}[]`)
  const places = key.map((_, at) => `k${at}`)
  const equal = key.map((name, at) => `t.${quoted(name)} = k.k${at}`)
  const columns = schema.map(
    ({ name, type }) => `${toldBy(type, `t.${quoted(name)}`)} AS ${quoted(name)}`,
  )
  return {
    text: `SELECT k.n::int AS n, (SELECT row_to_json(r) FROM (SELECT ${columns.join(', ')}) AS r)::text AS row
      FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS k(${places.join(', ')}, n)
      JOIN ${from} AS t ON ${equal.join(' AND ')}`,
    values: (keys) => key.map((_, at) => keys.map((values) => keyText(values[at]!))),
  }
}

/** Whole numbers are compared as the widest: one too great for the column equals none, and is no error. */
function comparedAs(kind: string): string {
  return kind === 'smallint' || kind === 'integer' ? 'bigint' : kind
}

function keyText(value: LookupKey[number]): string {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return String(value)
}

/** As the format json reads them: times by the SQL standard, bytes in base64. */
function toldBy({ kind }: DataType, column: string): string {
  switch (kind) {
    case 'char':
    case 'varchar':
      return `${column}::text`
    case 'binary':
    case 'varbinary':
      return `translate(encode(${column}, 'base64'), E'\\n', '')`
    case 'timestamp':
      return `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.US')`
    case 'timestamp_ltz':
      return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"Z"')`
    case 'date':
      return `to_char(${column}, 'YYYY-MM-DD')`
    default:
      return column
  }
}
