/**
 * One side of a join of all rows: where each row's list is, which rows there are, with two extras where they are asked for: how many rows
 * of the other side a row meets, and when it was last written.
 */
import { compileProjection } from '../../compile/expression.ts'
import { type Batch, INSERT, UPDATE_AFTER, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Expression } from '../../plan/expressions.ts'
import { type PlanNode, schemaOf } from '../../plan/nodes.ts'
import type { RowLists } from '../../state/row-lists.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'

/** Rows of a batch with their keys. */
export interface KeyedBatch {
  /** Without the rows whose keys can't be computed. */
  readonly batch: Batch
  readonly keys: readonly Vector[]
}

export function keyedBatches(
  input: PlanNode,
  keys: readonly Expression[],
  context: OperatorContext,
): (batch: Batch) => KeyedBatch {
  const projection = compileProjection(keys, context)
  const evaluation = evaluationOf(context, schemaOf(input))
  return (batch) => {
    const frame = evaluation.frameOf(batch)
    const vectors = projection.map((key) => key.evaluate(frame))
    return { batch: evaluation.withoutFailed(batch), keys: vectors }
  }
}

export function isAdded(memory: LinearMemory, { kinds }: Batch, row: number): boolean {
  if (kinds === 0) return true
  const kind = memory.u8[kinds + row]!
  return kind === INSERT || kind === UPDATE_AFTER
}

export function rowAt(memory: LinearMemory, { selection }: Batch, position: number): number {
  return selection === 0 ? position : memory.u32[selection / 4 + position]!
}

/**
 * u32 lists by position: made for rows that come, found for rows that go, 0 for rows of which a key is NULL, which meet nothing and
 * are not kept.
 */
export function listsOf(
  memory: LinearMemory,
  { batch, keys }: KeyedBatch,
  rows: Pick<RowLists, 'lists' | 'find'>,
): Pointer {
  const { count, selection } = batch
  const lists = memory.arena.allocate(4 * count)
  const canBeNull = keys.some(({ validity }) => validity !== 0)
  if (batch.kinds === 0 && !canBeNull) {
    rows.lists({ count, selection, keys }, lists)
    return lists
  }
  memory.u32.fill(0, lists / 4, lists / 4 + count)
  const hasKey = (row: number) =>
    keys.every(({ validity }) => validity === 0 || isSet(memory, validity, row))
  for (const adds of [true, false]) {
    const some = positionsWhere(
      memory,
      batch,
      (row) => isAdded(memory, batch, row) === adds && hasKey(row),
    )
    if (some.count === 0) continue
    const found = memory.arena.allocate(4 * some.count)
    const keyed = { count: some.count, selection: some.rows, keys }
    if (adds) rows.lists(keyed, found)
    else rows.find(keyed, found)
    const { u32 } = memory
    for (let at = 0; at < some.count; at++)
      u32[lists / 4 + u32[some.positions / 4 + at]!] = u32[found / 4 + at]!
  }
  return lists
}

export interface SomeRows {
  readonly positions: Pointer
  readonly rows: Pointer
  readonly count: number
}

/** Positions and rows of the batch for which `isIn` is true, in the arena. */
export function positionsWhere(
  memory: LinearMemory,
  batch: Batch,
  isIn: (row: number, position: number) => boolean,
): SomeRows {
  const positions = memory.arena.allocate(4 * batch.count)
  const rows = memory.arena.allocate(4 * batch.count)
  const { u32 } = memory
  let count = 0
  for (let position = 0; position < batch.count; position++) {
    const row = rowAt(memory, batch, position)
    if (!isIn(row, position)) continue
    u32[positions / 4 + count] = position
    u32[rows / 4 + count++] = row
  }
  return { positions, rows, count }
}

function isSet({ u8 }: LinearMemory, validity: Pointer, row: number): boolean {
  return ((u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 1
}
