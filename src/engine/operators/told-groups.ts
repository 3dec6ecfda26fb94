/**
 * The groups of a window with what was told of each, so that it can be told again: -U with the old and +U with the new. A group that is
 * as it was told is not told.
 */
import type { AggregateSet } from '../../compile/aggregates/aggregate-set.ts'
import { compileAggregates } from '../../compile/aggregates/compile-aggregates.ts'
import { compileExpression, compilePredicate, compileProjection } from '../../compile/expression.ts'
import {
  type Batch,
  DELETE,
  INSERT,
  type RowKind,
  UPDATE_AFTER,
  UPDATE_BEFORE,
  type Vector,
} from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { isUserFunction } from '../../plan/functions/user.ts'
import { schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import { rowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit } from '../operator.ts'
import { changedRows, interleaved } from './change-rows.ts'
import { type GroupTables, type GroupTablesMaker, groupTables } from './group-state.ts'
import { windowColumns } from './window-columns.ts'
import { ROW_COUNT, rowsOfWay } from './window-groups.ts'

/** Groups told in one batch. */
const TELL_ROWS = 4096

export interface ToldGroups {
  /** Something may have to be told. */
  readonly hasChanged: boolean
  /** Adds rows, and takes back those that say so. `keys` by row. Gives how many were left out: they have gone to dead. */
  add(rows: Batch, keys: readonly Vector[]): number
  /** Tells what has changed since the last time. */
  tell(emit: Emit): void
  write(writer: StateWriter, name: string): void
  dispose(): void
}

export interface ToldGroupsMaker {
  /** The keys of the batch's rows, by row, and the batch without rows whose keys can't be computed. */
  keysOf(batch: Batch): { readonly keys: readonly Vector[]; readonly good: Batch }
  make(startUs: bigint, endUs: bigint): ToldGroups
  /** What `write` wrote under this name. */
  read(reader: StateReader, name: string, startUs: bigint, endUs: bigint): ToldGroups
}

/** `retracts`: the input takes rows back. */
export function toldGroups(
  plan: WindowAggregate,
  context: OperatorContext,
  retracts: boolean,
): ToldGroupsMaker {
  const { memory } = context
  const evaluation = evaluationOf(context, schemaOf(plan.input))
  const keyExpressions = compileProjection(plan.keys, context)
  const hasUsers = plan.aggregates.some((call) => isUserFunction(call.function))
  const countsRows = retracts || hasUsers
  const calls = countsRows ? [...plan.aggregates, ROW_COUNT] : plan.aggregates
  const hasOneWindow = plan.window.kind === 'tumble' || plan.window.kind === 'attached'
  const aggregates = compileAggregates(calls, {
    memory,
    expression: (expression) => compileExpression(expression, context),
    predicate: (expression) => compilePredicate(expression, context),
    retracts,
    // A row of several windows would be set aside by each of them: there a function that fails stops the pipeline.
    setsAside: hasOneWindow,
  })
  const keys = plan.keys.map(({ type }) => type)
  const tables = groupTables(memory, keys, aggregates)
  const makeTold = rowLists(memory, {
    keys,
    row: plan.aggregates.map(({ type }) => type),
    extras: 0,
  })
  const fields = plan.schema.slice(-3)
  const shared = { memory, evaluation, aggregates, tables, fields, retracts, countsRows }
  return {
    keysOf(batch) {
      const frame = evaluation.frameOf(batch)
      const vectors = keyExpressions.map((key) => key.evaluate(frame))
      return { keys: vectors, good: evaluation.withoutFailed(batch) }
    },
    make: (startUs, endUs) => new Groups(shared, tables.make(), makeTold(), startUs, endUs),
    read(reader, name, startUs, endUs) {
      const told = makeTold()
      const source = reader.source(toldName(name))
      if (source !== undefined) told.restore(source)
      return new Groups(shared, tables.read(reader, name)!, told, startUs, endUs)
    },
  }
}

/** What the windows of one operator share. */
interface Shared {
  readonly memory: LinearMemory
  readonly evaluation: Evaluation
  readonly aggregates: AggregateSet
  readonly tables: GroupTablesMaker
  /** window_start, window_end, window_time. */
  readonly fields: Schema
  readonly retracts: boolean
  /** A group also counts its rows: one without any is gone. */
  readonly countsRows: boolean
}

/** Groups as they were told and as they are, row by row. */
interface Compared {
  readonly keys: readonly Vector[]
  readonly before: readonly Vector[]
  readonly after: readonly Vector[]
  /** u32 entries of what was told; 0: nothing. */
  readonly told: Pointer
  /** By row: the group has rows. */
  isThere(row: number): boolean
}

class Groups implements ToldGroups {
  readonly #shared: Shared
  readonly #groups: GroupTables
  /** A row of results for each group that has been told. */
  readonly #told: RowLists
  readonly #startUs: bigint
  readonly #endUs: bigint
  /** Entries of groups that may not be as they were told; undefined: any. */
  #changed: Set<Pointer> | undefined

  constructor(shared: Shared, groups: GroupTables, told: RowLists, startUs: bigint, endUs: bigint) {
    this.#shared = shared
    this.#groups = groups
    this.#told = told
    this.#startUs = startUs
    this.#endUs = endUs
  }

  get hasChanged(): boolean {
    return this.#changed === undefined || this.#changed.size > 0
  }

  add(rows: Batch, keys: readonly Vector[]): number {
    const { memory, retracts } = this.#shared
    if (!retracts || rows.kinds === 0) return this.#change(rows, keys, 'update')
    return (
      this.#change(rowsOfWay(memory, rows, true), keys, 'update') +
      this.#change(rowsOfWay(memory, rows, false), keys, 'retract')
    )
  }

  tell(emit: Emit): void {
    const { memory } = this.#shared
    const changed = this.#changed
    this.#changed = new Set()
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * TELL_ROWS)
    const tell = (count: number): void => {
      const inner = memory.arena.mark()
      if (count > 0) this.#tellSome(entries, count, emit)
      memory.arena.release(inner)
    }
    if (changed === undefined) {
      for (let cursor = 0; cursor >= 0; ) {
        const { next, count } = this.#groups.groups.scan(cursor, entries, TELL_ROWS)
        tell(count)
        cursor = next
      }
    } else {
      let count = 0
      for (const entry of changed) {
        memory.u32[entries / 4 + count++] = entry
        if (count < TELL_ROWS) continue
        tell(count)
        count = 0
      }
      tell(count)
    }
    memory.arena.release(mark)
  }

  write(writer: StateWriter, name: string): void {
    this.#shared.tables.write(writer, name, this.#groups)
    writer.table(toldName(name), (sink) => this.#told.writeChanges(sink))
  }

  dispose(): void {
    this.#shared.tables.dispose(this.#groups)
    this.#told.dispose()
  }

  #change(rows: Batch, keys: readonly Vector[], way: 'update' | 'retract'): number {
    const { selection, count } = rows
    if (count === 0) return 0
    const { memory, evaluation, aggregates } = this.#shared
    const entries = memory.arena.allocate(4 * count)
    this.#groups.groups.upsert({ selection, count, keys }, entries)
    const left = aggregates[way](this.#groups, evaluation.frameOf(rows), keys, entries)
    if (this.#changed !== undefined) {
      const { u32 } = memory
      for (let at = 0; at < count; at++) this.#changed.add(u32[entries / 4 + at]!)
    }
    if (left === undefined) return 0
    evaluation.withoutFailed(rows)
    return count - left.count
  }

  #compared(entries: Pointer, count: number): Compared {
    const { memory, aggregates, countsRows } = this.#shared
    const keys = this.#groups.groups.keysOf(entries, count)
    const after = [...aggregates.results(this.#groups, entries, count)]
    const rows = countsRows ? after.pop()!.cells / 8 : 0
    const told = memory.arena.allocate(4 * count)
    this.#told.find({ selection: 0, count, keys }, told)
    const { u32 } = memory
    for (let at = 0; at < count; at++) {
      const list = u32[told / 4 + at]!
      if (list !== 0) u32[told / 4 + at] = this.#told.first(list)
    }
    const before = this.#told.columnsOf(told, count)
    const isThere = (row: number): boolean => rows === 0 || memory.i64[rows + row]! > 0n
    return { keys, before, after, told, isThere }
  }

  #tellSome(entries: Pointer, count: number, emit: Emit): void {
    const { memory } = this.#shared
    const { arena } = memory
    const compared = this.#compared(entries, count)
    const { before, after, told, isThere } = compared
    const differs = changedRows(memory, before, after, count)
    const kinds = arena.allocate(2 * count)
    const selection = arena.allocate(8 * count)
    const came = arena.allocate(4 * count)
    const { u8, u32 } = memory
    const left: Pointer[] = []
    let emitted = 0
    let cameCount = 0
    const give = (row: number, kind: RowKind): void => {
      u8[kinds + row] = kind
      u32[selection / 4 + emitted++] = row
    }
    for (let row = 0; row < count; row++) {
      const entry = u32[told / 4 + row]!
      const stays = isThere(row)
      if (entry === 0 ? !stays : stays && u8[differs + row] === 0) continue
      if (entry !== 0) {
        give(2 * row, stays ? UPDATE_BEFORE : DELETE)
        left.push(entry)
      }
      if (!stays) continue
      give(2 * row + 1, entry === 0 ? INSERT : UPDATE_AFTER)
      u32[came / 4 + cameCount++] = row
    }
    if (emitted === 0) return
    const changes = { rowCount: 2 * count, kinds, selection, count: emitted }
    this.#emit({ ...changes, columns: this.#columnsOf(compared, count) }, count, emit)
    for (const entry of left) this.#told.remove(entry)
    this.#remember({ ...compared, rowCount: count, selection: came, count: cameCount })
  }

  /** Row 2i is as it was told, row 2i + 1 as it is. */
  #columnsOf({ keys, before, after }: Compared, count: number): readonly Vector[] {
    const { memory, fields } = this.#shared
    return [
      ...interleaved(memory, [...keys, ...before], [...keys, ...after], count),
      ...windowColumns(memory, fields, this.#startUs, this.#endUs, 2 * count),
    ]
  }

  /** What one group changed goes on as single rows: what reads it must not leave out what lies between. */
  #emit(changes: Batch, groups: number, emit: Emit): void {
    if (groups > 1) {
      emit(changes)
      return
    }
    for (let at = 0; at < changes.count; at++)
      emit({ ...changes, selection: changes.selection + 4 * at, count: 1 })
  }

  #remember({
    keys,
    after,
    ...rows
  }: Compared & Pick<Batch, 'rowCount' | 'selection' | 'count'>): void {
    const { arena } = this.#shared.memory
    const lists = arena.allocate(4 * rows.count)
    this.#told.lists({ ...rows, keys }, lists)
    this.#told.append({ ...rows, columns: after, kinds: 0 }, lists, arena.allocate(4 * rows.count))
  }
}

function toldName(name: string): string {
  return `told ${name}`
}
