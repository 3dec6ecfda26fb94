/**
 * FOR SYSTEM_TIME AS OF PROCTIME(): each left row with the right row that is the latest of its key when it comes.
 *
 *   in     left: rows of any kind; right: +I and +U are the latest from then on, -D and -U leave none. If the right side ends (a table of
 *          files), left rows wait until it has
 *   out    each left row at once, with its kind; one that goes as it was told when it came, whatever is the latest now
 *   state  the latest right row of each key; left rows that wait; where left rows may go, what was told of each
 *
 * @see Flink, TemporalProcessTimeJoinOperator, LookupJoinRunner
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { schemaOf, type TemporalJoin } from '../../plan/nodes.ts'
import { traitsOf } from '../../plan/traits.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { type JoinChanges, joinChanges } from './join-changes.ts'
import { matcherOf } from './join-matches.ts'
import { isAdded, type KeyedBatch, keyedBatches, listsOf, positionsWhere } from './join-side.ts'
import { uncountedSide } from './join-store.ts'
import { toldRows } from './told-rows.ts'
import { waitingRows } from './waiting-rows.ts'

export interface LatestOptions {
  /** The right side ends: left rows wait for that. */
  readonly waits: boolean
  /** Left rows may go again. */
  readonly updates: boolean
}

export function latestJoin(
  plan: TemporalJoin,
  context: OperatorContext,
  { waits, updates }: LatestOptions,
): Operator {
  const { memory } = context
  const { left, right } = plan
  const keyTypes = plan.leftKeys.map((key) => key.type)
  const typesOf = (input: typeof left) => schemaOf(input).map((field) => field.type)
  const rows = memoryRowLists(memory, { keys: keyTypes, row: typesOf(right), extras: 0 })
  const waiting = waits ? waitingRows(memory, keyTypes, typesOf(left)) : undefined
  const keyedLeft = keyedBatches(left, plan.leftKeys, context)
  const keyedRight = keyedBatches(right, plan.rightKeys, context)
  const changes = latestChanges(plan, context, rows)
  const told = updates
    ? toldRows(memory, {
        keys: keyTypes,
        own: typesOf(left),
        by: namingColumns(plan),
        beside: typesOf(right),
        keyed: keyedLeft,
      })
    : undefined
  const probed: Pick<RowLists, 'lists' | 'find'> = {
    lists: (keys, lists) => rows.find(keys, lists),
    find: (keys, lists) => rows.find(keys, lists),
  }
  const probe = (keyed: KeyedBatch, emit: Emit): void => {
    if (keyed.batch.count > 0) changes(keyed.batch, listsOf(memory, keyed, probed), emit)
  }
  const take = (keyed: KeyedBatch, emit: Emit): void => {
    if (told === undefined) probe(keyed, emit)
    else told.take(keyed, probe, emit)
  }
  const tables = { right: rows, waiting: waiting?.rows, told: told?.rows }
  let isWaiting = waits
  return {
    name: `temporal-join(${plan.type})`,
    onBatch(batch, emit, input) {
      if (input === 1) replace(memory, rows, keyedRight(batch))
      else if (isWaiting) waiting!.add(keyedLeft(batch))
      else take(keyedLeft(batch), emit)
    },
    onWatermark() {},
    onInputEnd(input, emit) {
      if (input !== 1 || !isWaiting) return
      isWaiting = false
      waiting!.release((batch) => take(keyedLeft(batch), emit))
    },
    onEnd() {},
    snapshot: (writer) => writeTables(tables, writer),
    restore: (reader) => readTables(tables, reader),
    dispose() {
      for (const table of Object.values(tables)) table?.dispose()
    },
  }
}

/** Columns of the left side that tell a row that goes: its key, or all but the time, which is another then. */
function namingColumns({ left, leftTime }: TemporalJoin): readonly number[] {
  const { upsertKey } = traitsOf(left)
  if (upsertKey !== undefined && upsertKey.length > 0) return upsertKey
  return schemaOf(left).flatMap((_, index) => (index === leftTime ? [] : [index]))
}

function latestChanges(plan: TemporalJoin, context: OperatorContext, rows: RowLists): JoinChanges {
  const { memory } = context
  const { left, right, condition, type } = plan
  const conditions = condition === undefined ? {} : { condition }
  const matches = matcherOf({ left, right, ...conditions, isLeft: true, other: rows }, context)
  return joinChanges({ memory, type, isLeft: true, other: uncountedSide(() => rows), matches })
}

type Tables = Readonly<Record<string, RowLists | undefined>>

function writeTables(tables: Tables, writer: StateWriter): void {
  for (const [name, rows] of Object.entries(tables))
    if (rows !== undefined) writer.table(name, (sink) => rows.writeChanges(sink))
}

function readTables(tables: Tables, reader: StateReader): void {
  for (const [name, rows] of Object.entries(tables)) {
    const source = reader.source(name)
    if (source !== undefined) rows?.restore(source)
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
