/**
 * Finding a row in its list: short lists are walked; of a long one the first search notes the entries by a hash of their rows, and what
 * comes later is noted too.
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { layoutOf } from '../../data/types.ts'
import { keyHasher } from '../../kernels/group.ts'
import { KEYS_MAX } from '../../state/keyed-table.ts'
import type { RowLists } from '../../state/row-lists.ts'

/** Lists longer than this are noted. */
const WALKED_ENTRIES = 64
const READ_ENTRIES = 4096

export interface EqualRows {
  /** As RowLists.equal: the first that equals row `row` of `columns`. */
  find(list: Pointer, columns: readonly Vector[], row: number): Pointer
  /** `count` entries have come to their lists. */
  added(entries: Pointer, count: number): void
  /** `entry` is about to go. */
  removed(entry: Pointer): void
}

type Noted = Map<number, Pointer[]>

export function equalRows(memory: LinearMemory, rows: RowLists): EqualRows {
  const noted = new Map<Pointer, Noted>()
  const hash = rowHasher(memory, rows)

  function note(
    into: (entry: Pointer) => Noted | undefined,
    entries: Pointer,
    count: number,
  ): void {
    const mark = memory.arena.mark()
    const hashes = hash(rows.columnsOf(entries, count), 0, count)
    const { u32 } = memory
    for (let at = 0; at < count; at++) {
      const entry = u32[entries / 4 + at]!
      const list = into(entry)
      const same = list?.get(u32[hashes / 4 + at]!)
      if (same === undefined) list?.set(u32[hashes / 4 + at]!, [entry])
      else same.push(entry)
    }
    memory.arena.release(mark)
  }

  function notedOf(list: Pointer): Noted {
    const known = noted.get(list)
    if (known !== undefined) return known
    const made: Noted = new Map()
    noted.set(list, made)
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * READ_ENTRIES)
    let count = 0
    for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry)) {
      memory.u32[entries / 4 + count++] = entry
      if (count < READ_ENTRIES) continue
      note(() => made, entries, count)
      count = 0
    }
    note(() => made, entries, count)
    memory.arena.release(mark)
    return made
  }

  return {
    find(list, columns, row) {
      if (rows.count(list) <= WALKED_ENTRIES) return rows.equal(list, columns, row)
      const known = notedOf(list)
      const mark = memory.arena.mark()
      const selection = memory.arena.allocate(4)
      memory.u32[selection / 4] = row
      const hashed = memory.u32[hash(columns, selection, 1) / 4]!
      memory.arena.release(mark)
      for (const entry of known.get(hashed) ?? [])
        if (rows.equals(entry, columns, row)) return entry
      return 0
    },
    added(entries, count) {
      if (noted.size > 0) note((entry) => noted.get(rows.listOf(entry)), entries, count)
    },
    removed(entry) {
      const list = rows.listOf(entry)
      const known = noted.get(list)
      if (known === undefined) return
      if (rows.count(list) <= WALKED_ENTRIES / 2) {
        noted.delete(list)
        return
      }
      const mark = memory.arena.mark()
      const one = memory.arena.allocate(4)
      memory.u32[one / 4] = entry
      const hashed = memory.u32[hash(rows.columnsOf(one, 1), 0, 1) / 4]!
      memory.arena.release(mark)
      const same = known.get(hashed)!
      if (same.length === 1) known.delete(hashed)
      else same.splice(same.indexOf(entry), 1)
    },
  }
}

/** u32 hashes, by position, of the first columns of rows that have a cell each. */
function rowHasher(
  memory: LinearMemory,
  { layout }: RowLists,
): (columns: readonly Vector[], selection: Pointer, count: number) => Pointer {
  const hashed = layout.row
    .map((type, index) => ({ type, index }))
    .filter(({ type }) => layoutOf(type) !== 'row' && type.kind !== 'null')
    .slice(0, KEYS_MAX)
  const hasher = keyHasher(
    memory,
    hashed.map(({ type }) => type),
  )
  return (columns, selection, count) => {
    const out = memory.arena.allocate(4 * count)
    hasher(
      hashed.map(({ index }) => columns[index]!),
      selection,
      count,
      out,
    )
    return out
  }
}
