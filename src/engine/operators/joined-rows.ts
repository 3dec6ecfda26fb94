/** Rows of a joined batch: of each some row of an input batch, or NULLs, beside some entry of the other side, or NULLs. */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, type Schema } from '../../data/types.ts'
import { rowsKernel } from '../../kernels/rows.ts'
import type { RowLists } from '../../state/row-lists.ts'

/** In place of a row number: a row of NULLs. In place of an entry that is 0. */
export const NO_ROW = 0xffffffff

/** Columns of `count` rows, u32 numbers at `rows`, in the arena; texts stay where they are. */
export function rowsAt(
  memory: LinearMemory,
  columns: readonly Vector[],
  rows: Pointer,
  count: number,
): readonly Vector[] {
  return columns.map((vector) => vectorAt(memory, vector, rows, count))
}

export function vectorAt(
  memory: LinearMemory,
  { type, cells, validity, children }: Vector,
  rows: Pointer,
  count: number,
): Vector {
  const words = cellBytes(type) / 8
  const out = words === 0 ? 0 : memory.arena.allocate(8 * words * count)
  const bitmap = memory.arena.allocateCleared((count + 7) >> 3)
  const nulls = rowsKernel(memory).gatherRows(cells, validity, rows, count, words, out, bitmap)
  const valid = nulls === 0 ? 0 : bitmap
  if (children === undefined) return { type, cells: out, validity: valid }
  const fields = children.map((child) => vectorAt(memory, child, rows, count))
  return { type, cells: out, validity: valid, children: fields }
}

/** Pairs of row and entry with their kinds, in the arena: what a join puts out, in order. */
export interface JoinedRows {
  readonly rows: Pointer
  readonly entries: Pointer
  readonly kinds: Pointer
  count: number
}

export function joinedRows(memory: LinearMemory, max: number): JoinedRows {
  const { arena } = memory
  return {
    rows: arena.allocate(4 * max),
    entries: arena.allocate(4 * max),
    kinds: arena.allocate(max),
    count: 0,
  }
}

/**
 * The batch that they are: left's columns, then right's. `input` is the batch that the rows are of, `other` what holds the entries;
 * `isLeft`: the input is the left side.
 */
export function joinedBatch(
  memory: LinearMemory,
  joined: JoinedRows,
  input: Batch,
  other: RowLists,
  isLeft: boolean,
): Batch {
  const { rows, entries, kinds, count } = joined
  const ofInput = rowsAt(memory, input.columns, rows, count)
  const ofOther = other.columnsOf(entries, count)
  const columns = isLeft ? [...ofInput, ...ofOther] : [...ofOther, ...ofInput]
  return { rowCount: count, columns, kinds, selection: 0, count }
}

/** Columns of `count` rows of NULLs. */
export function nullVectors(
  memory: LinearMemory,
  schema: Schema,
  count: number,
): readonly Vector[] {
  const none = memory.arena.allocateCleared((count + 7) >> 3)
  const zeros = memory.arena.allocateCleared(16 * count)
  const vectorOf = (type: DataType): Vector =>
    type.kind === 'row'
      ? {
          type,
          cells: 0,
          validity: none,
          children: type.fields.map((field) => vectorOf(field.type)),
        }
      : { type, cells: zeros, validity: none }
  return schema.map(({ type }) => vectorOf(type))
}
