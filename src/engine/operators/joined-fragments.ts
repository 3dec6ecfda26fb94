/** Groups of several fragments of one session as one: tables that show the fragments under the session's number, to be merged. */
import type { GroupState, GroupTable } from '../../compile/aggregates/aggregate-set.ts'
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { GroupTables } from './group-state.ts'

/** `sessionOf`: fragment to session. The fragment's number is key `numberKey` of groups and sides. */
export function joinedFragments(
  memory: LinearMemory,
  { groups, sides }: GroupTables,
  numberKey: number,
  entries: readonly Pointer[],
  sessionOf: ReadonlyMap<bigint, bigint>,
): GroupState {
  const renumbered = (keys: readonly Vector[], count: number): readonly Vector[] => {
    const cells = memory.arena.allocate(8 * count)
    const given = keys[numberKey]!.cells / 8
    const { i64 } = memory
    for (let at = 0; at < count; at++) {
      const number = i64[given + at]!
      i64[cells / 8 + at] = sessionOf.get(number) ?? number
    }
    return keys.with(numberKey, { ...keys[numberKey]!, cells })
  }
  const shown = (table: GroupTable, scan: GroupTable['scan']): GroupTable => ({
    size: table.size,
    keyCount: table.keyCount,
    keyOffset: (index) => table.keyOffset(index),
    valueOffset: (index) => table.valueOffset(index),
    upsert: (rows, out) => table.upsert(rows, out),
    find: (rows, out) => table.find(rows, out),
    scan,
    keysOf: (out, count) => renumbered(table.keysOf(out, count), count),
    setBytes: (entry, index, address, bytes) => table.setBytes(entry, index, address, bytes),
    remove: (entry) => table.remove(entry),
    dispose: () => table.dispose(),
  })
  return {
    groups: shown(groups, (cursor, out, max) => {
      const listed = entries.slice(cursor, cursor + max)
      memory.u32.set(listed, out / 4)
      const next = cursor + listed.length
      return { next: next < entries.length ? next : -1, count: listed.length }
    }),
    sides: sides.map((side) =>
      shown(side, (cursor, out, max) => {
        const { next, count } = side.scan(cursor, out, max)
        const number = side.keyOffset(numberKey)
        let kept = 0
        for (let at = 0; at < count; at++) {
          const entry = memory.u32[out / 4 + at]!
          if (sessionOf.has(memory.i64[(entry + number) / 8]!)) memory.u32[out / 4 + kept++] = entry
        }
        return { next, count: kept }
      }),
    ),
  }
}
