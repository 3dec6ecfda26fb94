/**
 * What GROUP BYs over windows have in common: keys and aggregates over tables of groups, one table or several a window.
 *
 * Where the input takes rows back, or functions of users may leave rows out, a group also counts its rows: one that has none gives no
 * row.
 */
import type { AggregateSet, VisitGroups } from '../../compile/aggregates/aggregate-set.ts'
import { compileAggregates } from '../../compile/aggregates/compile-aggregates.ts'
import { compileExpression, compilePredicate, compileProjection } from '../../compile/expression.ts'
import { type Batch, INSERT, UPDATE_AFTER, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type DataType, types, withNullability } from '../../data/types.ts'
import type { AggregateCall } from '../../plan/expressions.ts'
import { isUserFunction } from '../../plan/functions/user.ts'
import { schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import { type GroupTables, type GroupTablesMaker, groupTables } from './group-state.ts'

/** Groups read out of a table at a time. */
const SCAN_ROWS = 4096

/** Of groups that rows are taken from: one that has none left is gone. */
export const ROW_COUNT: AggregateCall = {
  function: 'COUNT',
  args: [],
  distinct: false,
  type: withNullability(types.bigint, false),
}

/** What becomes of groups that keep their table. */
export interface GroupChanges {
  /** The values of these groups are others than before. */
  changed(state: GroupTables, entries: Pointer, count: number): void
  /** This group has no rows left, and has been removed. */
  gone(entry: Pointer): void
}

export interface WindowGroups
  extends Pick<GroupTablesMaker, 'make' | 'write' | 'read' | 'sweep' | 'dispose'> {
  /** Parts of a group can be added up in any order and be merged: the result is the same to the last bit. */
  readonly isMergeable: boolean
  /** The keys of the batch's rows, by row, and the batch without rows whose keys can't be computed. */
  keysOf(batch: Batch): { readonly keys: readonly Vector[]; readonly good: Batch }
  /**
   * Adds rows to their groups, takes back those that say so. `keys`: as the table has them. Gives how many were left out: they have gone
   * to dead.
   */
  add(tables: GroupTables, batch: Batch, keys: readonly Vector[]): number
  merge: AggregateSet['merge']
  /** Takes from `into` what was merged of `from`, which is of no use afterwards; groups that have no rows left go. `told` hears of it. */
  unmerge(into: GroupTables, from: GroupTables, told?: GroupChanges): void
  /** One aggregate of `count` entries, and how many rows each has, if it may have none. */
  valuesOf(
    tables: GroupTables,
    entries: Pointer,
    count: number,
    aggregate: number,
  ): { readonly values: Vector; readonly rows?: Vector }
  /** Keys, then aggregates, of `count` entries; the batch selects those that have rows. */
  rowsOf(tables: GroupTables, entries: Pointer, count: number): Batch
  /** All groups, some thousand at a time; arena memory is released after each visit. */
  forEachRows(tables: GroupTables, visit: (rows: Batch) => void): void
}

/**
 * `ownKeys` are key columns behind the plan's, of the operator's own: `rowsOf` leaves them out. `unmerges`: groups count their rows, so
 * that `unmerge` can tell which have none left.
 */
export function windowGroups(
  plan: WindowAggregate,
  context: OperatorContext,
  retracts: boolean,
  ownKeys: readonly DataType[] = [],
  unmerges = false,
): WindowGroups {
  const { memory } = context
  const evaluation = evaluationOf(context, schemaOf(plan.input))
  const keyExpressions = compileProjection(plan.keys, context)
  const hasUsers = plan.aggregates.some((call) => isUserFunction(call.function))
  const mayBeEmpty = retracts || hasUsers || unmerges
  const calls = mayBeEmpty ? [...plan.aggregates, ROW_COUNT] : plan.aggregates
  const aggregates: AggregateSet = compileAggregates(calls, {
    memory,
    expression: (expression) => compileExpression(expression, context),
    predicate: (expression) => compilePredicate(expression, context),
    retracts,
    setsAside: true,
  })
  const keyTypes = [...plan.keys.map(({ type }) => type), ...ownKeys]
  const tables = groupTables(memory, keyTypes, aggregates, [], ownKeys.length)
  const countsRows = !retracts && calls.length > 0 && calls.every(isRowCount)

  function change(
    state: GroupTables,
    batch: Batch,
    keys: readonly Vector[],
    way: 'update' | 'retract',
  ): number {
    const { selection, count } = batch
    if (count === 0) return 0
    if (countsRows) {
      state.groups.count({ selection, count, keys }, 0)
      return 0
    }
    const entries = memory.arena.allocate(4 * count)
    state.groups.upsert({ selection, count, keys }, entries)
    const left = aggregates[way](state, evaluation.frameOf(batch), keys, entries)
    if (left === undefined) return 0
    evaluation.withoutFailed(batch)
    return count - left.count
  }

  function rowsOf(state: GroupTables, entries: Pointer, count: number): Batch {
    const columns = [
      ...state.groups.keysOf(entries, count).slice(0, plan.keys.length),
      ...aggregates.results(state, entries, count),
    ]
    const all = { rowCount: count, columns, kinds: 0, selection: 0, count }
    if (!mayBeEmpty) return all
    return withRows(memory, all, columns.pop()!)
  }

  return {
    isMergeable: !retracts && areMergeable(plan.aggregates, aggregates, context),
    make: tables.make,
    write: tables.write,
    read: tables.read,
    sweep: tables.sweep,
    dispose: tables.dispose,
    keysOf(batch) {
      const frame = evaluation.frameOf(batch)
      const keys = keyExpressions.map((key) => key.evaluate(frame))
      return { keys, good: evaluation.withoutFailed(batch) }
    },
    add(state, batch, keys) {
      if (!retracts || batch.kinds === 0) return change(state, batch, keys, 'update')
      return (
        change(state, rowsOfWay(memory, batch, true), keys, 'update') +
        change(state, rowsOfWay(memory, batch, false), keys, 'retract')
      )
    },
    merge: aggregates.merge,
    unmerge: (into, from, told) => unmerge(memory, aggregates, into, from, told),
    valuesOf(state, entries, count, aggregate) {
      const results = aggregates.results(state, entries, count)
      const values = results[aggregate]!
      return mayBeEmpty ? { values, rows: results.at(-1)! } : { values }
    },
    rowsOf,
    forEachRows(state, visit) {
      forEachGroups(memory, state, (entries, count) => {
        const rows = rowsOf(state, entries, count)
        if (rows.count > 0) visit(rows)
      })
    },
  }
}

/** All groups, some thousand at a time; arena memory is released after each visit. */
export function forEachGroups(
  memory: LinearMemory,
  { groups }: GroupTables,
  visit: VisitGroups,
): void {
  for (let cursor = 0; cursor >= 0; ) {
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * SCAN_ROWS)
    const { next, count } = groups.scan(cursor, entries, SCAN_ROWS)
    if (count > 0) visit(entries, count)
    memory.arena.release(mark)
    cursor = next
  }
}

/** Groups that have no rows left are removed: the last result is how many there are. */
function unmerge(
  memory: LinearMemory,
  aggregates: AggregateSet,
  state: GroupTables,
  from: GroupTables,
  told: GroupChanges | undefined,
): void {
  const withoutEmpty: VisitGroups = (entries, count) => {
    const rows = aggregates.results(state, entries, count).at(-1)!
    let left = 0
    for (let at = 0; at < count; at++) {
      const entry = memory.u32[entries / 4 + at]!
      if (memory.i64[rows.cells / 8 + at] !== 0n) {
        memory.u32[entries / 4 + left++] = entry
        continue
      }
      state.groups.remove(entry)
      told?.gone(entry)
    }
    told?.changed(state, entries, left)
  }
  aggregates.unmerge(state, from, withoutEmpty)
}

/** The groups that have rows. */
function withRows(memory: LinearMemory, groups: Batch, rows: Vector): Batch {
  const selection = memory.arena.allocate(4 * groups.count)
  let count = 0
  for (let at = 0; at < groups.count; at++) {
    if (memory.i64[rows.cells / 8 + at]! > 0n) memory.u32[selection / 4 + count++] = at
  }
  return { ...groups, selection, count }
}

/** COUNT(*): all such calls share one cell. */
function isRowCount({ function: name, args, distinct, filter }: AggregateCall): boolean {
  return name === 'COUNT' && args.length === 0 && !distinct && filter === undefined
}

function areMergeable(
  calls: readonly AggregateCall[],
  { sides }: AggregateSet,
  { settings }: OperatorContext,
): boolean {
  return sides.length === 0 && settings.overflow === 'wrap' && calls.every(isOrderless)
}

/** Counts and sums, from which a pane that was merged can be taken again: what is left is the same to the last bit. */
export function isSliding(
  { window, aggregates }: WindowAggregate,
  { settings }: OperatorContext,
  retracts: boolean,
): boolean {
  return (
    window.kind === 'hop' &&
    !retracts &&
    settings.overflow === 'wrap' &&
    aggregates.length > 0 &&
    aggregates.every((call) => !call.distinct && isOrderless(call) && !/^M/.test(call.function))
  )
}

/** Sums of FLOAT and DOUBLE depend on the order of their rows, and so do functions that are not named here. */
function isOrderless({ function: name, args }: AggregateCall): boolean {
  if (name === 'COUNT' || name === 'MIN' || name === 'MAX') return true
  if (name !== 'SUM' && name !== 'AVG') return false
  return args.every(({ type: { kind } }) => kind !== 'float' && kind !== 'double')
}

/** The rows that are added only, or those that are taken back. */
export function rowsOfWay(memory: LinearMemory, batch: Batch, isAdded: boolean): Batch {
  const selection = memory.arena.allocate(4 * batch.count)
  let count = 0
  for (let at = 0; at < batch.count; at++) {
    const row = batch.selection === 0 ? at : memory.u32[batch.selection / 4 + at]!
    const kind = memory.u8[batch.kinds + row]!
    if ((kind === INSERT || kind === UPDATE_AFTER) !== isAdded) continue
    memory.u32[selection / 4 + count++] = row
  }
  return { ...batch, selection, count }
}
