/**
 * FOR SYSTEM_TIME AS OF PROCTIME(): each left row with the right row that is the latest of its key when it comes.
 *
 *   in     left: rows of any kind; right: +I and +U are the latest from then on, -D and -U leave none
 *   out    each left row at once, with its kind
 *   state  the latest right row of each key
 *
 * @see Flink, TemporalProcessTimeJoinOperator
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { schemaOf, type TemporalJoin } from '../../plan/nodes.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { joinChanges } from './join-changes.ts'
import { matcherOf } from './join-matches.ts'
import { isAdded, type KeyedBatch, keyedBatches, listsOf, positionsWhere } from './join-side.ts'
import { uncountedSide } from './join-store.ts'

const TABLE = 'right'

export function latestJoin(plan: TemporalJoin, context: OperatorContext): Operator {
  const { memory } = context
  const { left, right, condition } = plan
  const rows = memoryRowLists(memory, {
    keys: plan.rightKeys.map((key) => key.type),
    row: schemaOf(right).map((field) => field.type),
    extras: 0,
  })
  const other = uncountedSide(() => rows)
  const conditions = condition === undefined ? {} : { condition }
  const matches = matcherOf({ left, right, ...conditions, isLeft: true, other: rows }, context)
  const changes = joinChanges({ memory, type: plan.type, isLeft: true, other, matches })
  const keyedLeft = keyedBatches(left, plan.leftKeys, context)
  const keyedRight = keyedBatches(right, plan.rightKeys, context)
  const probed: Pick<RowLists, 'lists' | 'find'> = {
    lists: (keys, lists) => rows.find(keys, lists),
    find: (keys, lists) => rows.find(keys, lists),
  }
  return {
    name: `temporal-join(${plan.type})`,
    onBatch(batch, emit, input) {
      if (input === 1) {
        replace(memory, rows, keyedRight(batch))
        return
      }
      const keyed = keyedLeft(batch)
      if (keyed.batch.count > 0) changes(keyed.batch, listsOf(memory, keyed, probed), emit)
    },
    onWatermark() {},
    onEnd() {},
    snapshot(writer) {
      writer.table(TABLE, (sink) => rows.writeChanges(sink))
    },
    restore(reader) {
      const source = reader.source(TABLE)
      if (source !== undefined) rows.restore(source)
    },
    dispose() {
      rows.dispose()
    },
  }
}

/** Of each key the last row of the batch takes the place of what is there, if it came. */
function replace(memory: LinearMemory, rows: RowLists, { batch, keys }: KeyedBatch): void {
  if (batch.count === 0) return
  const lists = listsOf(memory, { batch, keys }, rows)
  const { u32 } = memory
  const last = new Map<number, number>()
  for (let position = 0; position < batch.count; position++) {
    const list = u32[lists / 4 + position]!
    if (list !== 0) last.set(list, position)
  }
  for (const list of last.keys()) {
    const held = rows.first(list)
    if (held !== 0) rows.remove(held)
  }
  const stays = (row: number, position: number): boolean =>
    last.get(memory.u32[lists / 4 + position]!) === position && isAdded(memory, batch, row)
  appendSome(memory, rows, batch, lists, stays)
}

function appendSome(
  memory: LinearMemory,
  rows: RowLists,
  batch: Batch,
  lists: number,
  stays: (row: number, position: number) => boolean,
): void {
  const { positions, rows: selection, count } = positionsWhere(memory, batch, stays)
  if (count === 0) return
  const of = memory.arena.allocate(4 * count)
  const entries = memory.arena.allocate(4 * count)
  for (let at = 0; at < count; at++)
    memory.u32[of / 4 + at] = memory.u32[lists / 4 + memory.u32[positions / 4 + at]!]!
  rows.append({ ...batch, selection, count }, of, entries)
}
