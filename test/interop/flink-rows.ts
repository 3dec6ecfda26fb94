/** Rows of Flink and of Millrace, so that they can be compared. */
import type { FlinkRow } from '../../scripts/engines/flink-sql.ts'

/** The table that a changelog leaves. With an upsert key (columns), a row replaces the one of its key: Flink leaves out what was before. */
export function folded(rows: readonly FlinkRow[], upsertKey?: readonly number[]): unknown[][] {
  const table = new Map<string, unknown[][]>()
  for (const { kind, fields } of rows) {
    const key = JSON.stringify(upsertKey?.map((column) => fields[column]) ?? fields)
    const same = upsertKey === undefined ? (table.get(key) ?? []) : []
    if (kind === 'INSERT' || kind === 'UPDATE_AFTER') same.push([...fields])
    else same.pop()
    table.set(key, same)
  }
  return [...table.values()].flat()
}

/** One text for what both engines tell in their own ways. */
export function told(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d[T ]/.test(value)) {
    return value
      .replace('T', ' ')
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '')
  }
  if (typeof value === 'string' && /^-?\d+\.\d+$/.test(value)) return String(Number(value))
  return String(value)
}
