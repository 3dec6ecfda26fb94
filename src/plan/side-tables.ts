/** The tables that every sink has beside it: rows that came too late for a window, rows that could not be used. Names are `<sink>$late`, `<sink>$dead`. */
import { type Schema, types } from '../data/types.ts'
import type { TableDefinition } from './tables.ts'

export type SideKind = 'late' | 'dead'

export const SIDE_SCHEMAS: Readonly<Record<SideKind, Schema>> = {
  late: [
    { name: 'node', type: types.string },
    { name: 'window_start', type: types.timestamp(3) },
    { name: 'window_end', type: types.timestamp(3) },
    { name: 'event_time', type: types.timestamp(6) },
    { name: 'watermark', type: types.timestamp(6) },
    { name: 'lateness_ms', type: types.bigint },
    { name: 'row', type: types.string },
  ],
  dead: [
    { name: 'origin', type: types.string },
    { name: 'split', type: types.string },
    { name: 'position', type: types.string },
    { name: 'reason', type: types.string },
    { name: 'bytes', type: types.bytes },
  ],
}

/** The log topic `<sink>.late` or `<sink>.dead` as a table. */
export function sideTable(sink: string, kind: SideKind): TableDefinition {
  return {
    name: `${sink}$${kind}`,
    columns: SIDE_SCHEMAS[kind].map((field) => ({ kind: 'physical', ...field })),
    options: { connector: 'log', topic: `${sink}.${kind}`, format: 'json' },
  }
}
