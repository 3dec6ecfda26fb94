/** The tables that a GROUP BY keeps: groups, and the side tables of its aggregates; how they go into checkpoints and come back. */
import type { AggregateSet, GroupState } from '../../compile/aggregates/aggregate-set.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { DataType } from '../../data/types.ts'
import type { KeyedTable, ValueCell } from '../../state/keyed-table.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'

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
  dispose(tables: GroupTables): void
}

/** `extra` are value cells behind the aggregates' own. */
export function groupTables(
  memory: LinearMemory,
  keys: readonly DataType[],
  aggregates: AggregateSet,
  extra: readonly ValueCell[] = [],
): GroupTablesMaker {
  const makeGroups = keyedTables(memory, { keys, values: [...aggregates.values, ...extra] })
  const makeSides = aggregates.sides.map((side) =>
    keyedTables(memory, { keys: [...keys, ...side.keys], values: side.values }),
  )
  const make = (): GroupTables => ({
    groups: makeGroups(),
    sides: makeSides.map((makeSide) => makeSide()),
  })
  const sideName = (name: string, side: number): string =>
    `${name} / ${aggregates.sides[side]!.name}`
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
      tables.groups.restore(source)
      tables.sides.forEach((side, index) => {
        const sideSource = reader.source(sideName(name, index))
        if (sideSource !== undefined) side.restore(sideSource)
      })
      return tables
    },
    dispose({ groups, sides }) {
      groups.dispose()
      for (const side of sides) side.dispose()
    },
  }
}
