/** State that is cut into parts: what a checkpoint has of an operator, or what it had in memory before it was cut. */
import { KEY_GROUPS } from '../../state/keyed-table.ts'
import type { SpillFile, SpillPiece } from '../../state/spill-file.ts'
import { freeTables, type SpilledTables, splitByGroup } from '../../state/spilled-tables.ts'
import type { TableSource } from '../../state/state-stream.ts'
import { isSideTable } from '../operators/group-state.ts'
import type { Inherited } from './part.ts'

export interface Inheritance {
  /** Undefined if there is nothing for the part. */
  of(part: number): Inherited | undefined
}

interface CutTable {
  readonly name: string
  readonly schema: string
  /** By key group; one list for all if entries of one key group don't stand in it together. */
  readonly groups: readonly SpillPiece[][]
  readonly isSide: boolean
}

/** `parts` is a power of two, at least KEY_GROUPS: a part's keys are of one key group. */
export function inherit(
  file: SpillFile,
  sources: readonly { readonly name: string; readonly source: TableSource }[],
  parts: number,
): Inheritance {
  const tables = sources.map(({ name, source }): CutTable => {
    const isSide = isSideTable(name)
    const groups = isSide ? [copied(file, source)] : splitByGroup(file, source)
    return { name, schema: source.schema, groups, isSide }
  })
  const left = new Array<number>(KEY_GROUPS).fill(parts / KEY_GROUPS)
  return {
    of(part) {
      const group = part % KEY_GROUPS
      const hasAny = tables.some(({ groups, isSide }) => !isSide && groups[group]!.length > 0)
      if (!hasAny) return undefined
      const own: SpilledTables = new Map(
        tables.map(({ name, schema, groups, isSide }) => [
          name,
          { schema, pieces: groups[isSide ? 0 : group]! },
        ]),
      )
      return {
        tables: own,
        slice: { mask: parts - 1, value: part },
        taken() {
          if (--left[group]! > 0) return
          // Side tables are read by parts of all groups.
          freeTables(file, new Map([...own].filter(([name]) => !isSideTable(name))))
        },
      }
    },
  }
}

function copied(file: SpillFile, source: TableSource): SpillPiece[] {
  const pieces: SpillPiece[] = []
  source.read((records) => void pieces.push(file.write(records)))
  return pieces
}
