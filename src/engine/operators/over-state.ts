/**
 * What an OVER in order of time keeps: rows in a list a partition, in their order, and a group a partition for its aggregates.
 *
 * Rows that wait for the watermark stand behind those that have been told and are kept for the frame, a LAG or a FIRST_VALUE.
 */
import type { AggregateSet } from '../../compile/aggregates/aggregate-set.ts'
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type GroupTables, type GroupTablesMaker, groupTables } from './group-state.ts'
import { type OrderedLists, orderedLists } from './ordered-lists.ts'
import type { OverCalls } from './over-calls.ts'
import { type SortOrder, sortOrder } from './sort-order.ts'

/** A group's own cells, by their place behind the aggregates'. */
export const GROUP_CELL = {
  /** Rows in the frame. */
  frame: 0,
  /** Time of the last row that was told, and 1 once there is one. */
  lastUs: 1,
  hasLast: 2,
  number: 3,
  rank: 4,
  denseRank: 5,
  /** While rows are told: rounds so far (u32), and the last row's position from 1 (u32). */
  round: 6,
} as const
const GROUP_CELLS = 7

export interface OverState {
  readonly rows: RowLists
  readonly order: SortOrder
  readonly ordered: OrderedLists
  readonly aggregates: AggregateSet
  readonly tables: GroupTables
  /** Offset of a group's own cell. */
  cell(name: keyof typeof GROUP_CELL): number
  /** u32 groups of rows of the kept columns; made where they are new, or 0. */
  groupsOf(columns: readonly Vector[], rows: Rows, make: boolean): Pointer
  keysOf(columns: readonly Vector[]): readonly Vector[]
  snapshot(writer: StateWriter): void
  /** Then calls `visit` for each list, with its group or 0. */
  restore(reader: StateReader, visit: (list: Pointer, group: Pointer) => void): void
  dispose(): void
}

interface Rows {
  readonly count: number
  readonly selection: Pointer
}

export function overState(memory: LinearMemory, calls: OverCalls, retracts: boolean): OverState {
  const keys = calls.partition.map((column) => calls.kept.types[column]!)
  // The time at which a row came, for those that are ordered by it.
  const rows = memoryRowLists(memory, { keys, row: calls.kept.types, extras: 1 })
  const order = sortOrder(memory, calls.keys, rows)
  const ordered = orderedLists(memory, rows, order)
  const aggregates = calls.aggregates(retracts)
  const own = Array.from({ length: GROUP_CELLS }, () => 'i64' as const)
  const maker: GroupTablesMaker = groupTables(memory, keys, aggregates, own)
  let tables = maker.make()
  const keysOf = (columns: readonly Vector[]) => calls.partition.map((column) => columns[column]!)
  const first = aggregates.values.length

  function groupOf(list: Pointer): Pointer {
    const mark = memory.arena.mark()
    const found = memory.arena.allocate(8)
    memory.u32[found / 4] = list
    tables.groups.find({ count: 1, selection: 0, keys: rows.keysOf(found, 1) }, found + 4)
    const group = memory.u32[found / 4 + 1]!
    memory.arena.release(mark)
    return group
  }

  return {
    rows,
    order,
    ordered,
    aggregates,
    get tables() {
      return tables
    },
    cell: (name) => tables.groups.valueOffset(first + GROUP_CELL[name]),
    groupsOf(columns, { count, selection }, make) {
      const groups = memory.arena.allocate(4 * count)
      const keyed = { count, selection, keys: keysOf(columns) }
      if (make) tables.groups.upsert(keyed, groups)
      else tables.groups.find(keyed, groups)
      return groups
    },
    keysOf,
    snapshot(writer) {
      writer.table('rows', (sink) => rows.writeChanges(sink))
      maker.write(writer, 'groups', tables)
    },
    restore(reader, visit) {
      const restored = maker.read(reader, 'groups')
      if (restored !== undefined) {
        maker.dispose(tables)
        tables = restored
      }
      const source = reader.source('rows')
      if (source === undefined) return
      rows.restore(source)
      ordered.sortAll((list) => visit(list, groupOf(list)))
    },
    dispose() {
      rows.dispose()
      maker.dispose(tables)
    },
  }
}
