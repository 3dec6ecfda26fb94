/** Rows picked from several sets of columns of one schema, side by side: what a changelog is made of when rows are kept. */
import { type Batch, INSERT, type RowKind, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes } from '../../data/types.ts'
import type { Emit } from '../operator.ts'

export interface RowPicks {
  readonly count: number
  /** Row `row` of `sources[source]` comes next. */
  add(source: number, row: number, kind: RowKind): void
  /**
   * What was picked, as a batch in the arena; texts stay where they are. `sources` have equal types; they may be made after the
   * picking.
   */
  batch(sources: readonly (readonly Vector[])[]): Batch
}

/** At most `max` rows. */
export function rowPicks(memory: LinearMemory, max: number): RowPicks {
  const picked = memory.arena.allocate(4 * max)
  const from = memory.arena.allocate(max)
  const kinds = memory.arena.allocate(max)
  let count = 0
  let isChanging = false
  return {
    get count() {
      return count
    },
    add(source, row, kind) {
      memory.u32[picked / 4 + count] = row
      memory.u8[from + count] = source
      memory.u8[kinds + count] = kind
      isChanging ||= kind !== INSERT
      count++
    },
    batch(sources) {
      const width = sources[0]!.length
      const columns = Array.from({ length: width }, (_, index) => {
        const vectors = sources.map((each) => each[index]!)
        return pickedVector(memory, vectors, { picked, from, count })
      })
      return { rowCount: count, columns, kinds: isChanging ? kinds : 0, selection: 0, count }
    },
  }
}

interface Picked {
  readonly picked: Pointer
  readonly from: Pointer
  readonly count: number
}

function pickedVector(memory: LinearMemory, vectors: readonly Vector[], rows: Picked): Vector {
  const { type } = vectors[0]!
  const validity = pickedValidity(memory, vectors, rows)
  const children = vectors[0]!.children
  if (children === undefined) return { type, cells: pickedCells(memory, vectors, rows), validity }
  return {
    type,
    cells: 0,
    validity,
    children: children.map((_, index) =>
      pickedVector(
        memory,
        vectors.map((each) => each.children![index]!),
        rows,
      ),
    ),
  }
}

function pickedCells(
  memory: LinearMemory,
  vectors: readonly Vector[],
  { picked, from, count }: Picked,
): Pointer {
  const words = cellBytes(vectors[0]!.type) / 8
  const out = memory.arena.allocate(8 * words * count)
  const bases = vectors.map(({ cells }) => cells / 8)
  const { i64, u32, u8 } = memory
  if (words === 1) {
    for (let at = 0; at < count; at++)
      i64[out / 8 + at] = i64[bases[u8[from + at]!]! + u32[picked / 4 + at]!]!
    return out
  }
  for (let at = 0; at < count; at++) {
    const cell = bases[u8[from + at]!]! + 2 * u32[picked / 4 + at]!
    i64[out / 8 + 2 * at] = i64[cell]!
    i64[out / 8 + 2 * at + 1] = i64[cell + 1]!
  }
  return out
}

function pickedValidity(
  memory: LinearMemory,
  vectors: readonly Vector[],
  { picked, from, count }: Picked,
): Pointer {
  if (vectors.every(({ validity }) => validity === 0)) return 0
  const out = memory.arena.allocateCleared((count + 7) >> 3)
  const { u32, u8 } = memory
  for (let at = 0; at < count; at++) {
    const { validity } = vectors[u8[from + at]!]!
    const row = u32[picked / 4 + at]!
    if (validity === 0 || ((u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 1)
      u8[out + (at >> 3)]! |= 1 << (at & 7)
  }
  return out
}

/**
 * What one row changed goes on as single rows: what aggregates above must not leave out what lies between. What many rows changed
 * goes on whole.
 */
export function emitChanges(
  memory: LinearMemory,
  batch: Batch,
  isOfOneRow: boolean,
  emit: Emit,
): void {
  if (batch.count === 0) return
  if (!isOfOneRow || batch.count === 1) {
    emit(batch)
    return
  }
  const selection = memory.arena.allocate(4 * batch.count)
  for (let at = 0; at < batch.count; at++) {
    memory.u32[selection / 4 + at] =
      batch.selection === 0 ? at : memory.u32[batch.selection / 4 + at]!
  }
  for (let at = 0; at < batch.count; at++)
    emit({ ...batch, selection: selection + 4 * at, count: 1 })
}
