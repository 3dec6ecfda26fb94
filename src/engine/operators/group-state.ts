/** The tables that a GROUP BY keeps: groups, and the side tables of its aggregates; how they go into checkpoints and come back. */
import type { AggregateSet, GroupState } from '../../compile/aggregates/aggregate-set.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { DataType } from '../../data/types.ts'
import { keyHasher } from '../../kernels/group.ts'
import { KEY_GROUPS, type KeyedTable, type ValueCell } from '../../state/keyed-table.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { StateReader, StateWriter, TableSource } from '../../state/state-stream.ts'

/** Entries looked at at a time. */
const SCAN_ROWS = 1024
const SIDE = ' / '

/** True for tables whose entries are of another key group than their own key's: their groups'. */
export const isSideTable = (name: string): boolean => name.includes(SIDE)

export interface GroupTables extends GroupState {
  readonly groups: KeyedTable
  readonly sides: readonly KeyedTable[]
}

export interface GroupTablesMaker {
  make(): GroupTables
  /** Writes what changed, under names that begin with `name`. */
  write(writer: StateWriter, name: string, tables: GroupTables): void
  /** Undefined if the checkpoint has none of that name. */
  read(reader: StateReader, name: string): GroupTables | undefined
  /** Removes what the side tables hold of groups that are gone. */
  sweep(tables: GroupTables): void
  dispose(tables: GroupTables): void
}

/**
 * `extra` are value cells behind the aggregates' own; the last `ownKeys` keys are the operator's own (a session's number): they do
 * not count for the key group.
 */
export function groupTables(
  memory: LinearMemory,
  keys: readonly DataType[],
  aggregates: AggregateSet,
  extra: readonly ValueCell[] = [],
  ownKeys = 0,
): GroupTablesMaker {
  const makeGroups = keyedTables(memory, { keys, values: [...aggregates.values, ...extra] })
  const makeSides = aggregates.sides.map((side) =>
    keyedTables(memory, { keys: [...keys, ...side.keys], values: side.values }),
  )
  const make = (): GroupTables => ({
    groups: makeGroups(),
    sides: makeSides.map((makeSide) => makeSide()),
  })
  const owners = keys.slice(0, keys.length - ownKeys)
  const hash = keyHasher(memory, owners)

  /** Entries belong to whom the first of their keys do, whatever the key group of their own, longer, key. */
  function restoreOwned(side: KeyedTable, source: TableSource): void {
    const { groupStart, groupEnd, continues, schema } = source
    const read: TableSource['read'] = (take) => source.read(take)
    const all = { schema, continues, groupStart: 0, groupEnd: KEY_GROUPS, read }
    if (source.slice !== undefined) {
      side.restore({ ...all, slice: { ...source.slice, keys: owners.length } })
      return
    }
    side.restore(all)
    // What goes on from its own files has only its own.
    if (continues) return
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * SCAN_ROWS)
    const hashes = memory.arena.allocate(4 * SCAN_ROWS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = side.scan(cursor, entries, SCAN_ROWS)
      const inner = memory.arena.mark()
      hash(side.keysOf(entries, count).slice(0, owners.length), 0, count, hashes)
      memory.arena.release(inner)
      for (let at = 0; at < count; at++) {
        const group = memory.u32[hashes / 4 + at]! & (KEY_GROUPS - 1)
        if (group < groupStart || group >= groupEnd) side.remove(memory.u32[entries / 4 + at]!)
      }
      cursor = next
    }
    memory.arena.release(mark)
  }

  /** Removes entries of `side` whose group is not in `groups`. */
  function sweepSide(side: KeyedTable, groups: KeyedTable): void {
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * SCAN_ROWS)
    const found = memory.arena.allocate(4 * SCAN_ROWS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = side.scan(cursor, entries, SCAN_ROWS)
      const inner = memory.arena.mark()
      const groupKeys = side.keysOf(entries, count).slice(0, keys.length)
      groups.find({ selection: 0, count, keys: groupKeys }, found)
      memory.arena.release(inner)
      for (let at = 0; at < count; at++) {
        if (memory.u32[found / 4 + at] === 0) side.remove(memory.u32[entries / 4 + at]!)
      }
      cursor = next
    }
    memory.arena.release(mark)
  }

  const sideName = (name: string, side: number): string =>
    `${name}${SIDE}${aggregates.sides[side]!.name}`
  return {
    make,
    write(writer, name, { groups, sides }) {
      writer.table(name, (sink) => groups.writeChanges(sink))
      sides.forEach((side, index) => {
        writer.table(sideName(name, index), (sink) => side.writeChanges(sink))
      })
    },
    read(reader, name) {
      const source = reader.source(name)
      if (source === undefined) return undefined
      const tables = make()
      if (ownKeys === 0) tables.groups.restore(source)
      else restoreOwned(tables.groups, source)
      tables.sides.forEach((side, index) => {
        const sideSource = reader.source(sideName(name, index))
        if (sideSource !== undefined) restoreOwned(side, sideSource)
      })
      return tables
    },
    sweep({ groups, sides }) {
      for (const side of sides) sweepSide(side, groups)
    },
    dispose({ groups, sides }) {
      groups.dispose()
      for (const side of sides) side.dispose()
    },
  }
}
