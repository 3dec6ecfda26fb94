/**
 * The aggregates of one GROUP BY, compiled: what cells an entry needs, and closures that update, merge and read them in bulk.
 *
 * Rows that are added (+I, +U) and rows that are taken away (-U, -D) come in two calls; the order between them does not matter.
 * DISTINCT and retractable MIN and MAX keep their values in *side tables* keyed by the group's key and the value.
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DataType } from '../../data/types.ts'
import type { Expression } from '../../plan/expressions.ts'
import type { CompiledExpression, CompiledPredicate, Frame } from '../compiled.ts'

/** The part of state's KeyedTable that aggregates use: `compile` must not know the room of state. */
export interface GroupTable {
  readonly size: number
  readonly keyCount: number
  keyOffset(index: number): number
  valueOffset(index: number): number
  upsert(rows: GroupRows, entries: Pointer): number
  find(rows: GroupRows, entries: Pointer): void
  scan(
    cursor: number,
    entries: Pointer,
    max: number,
  ): { readonly next: number; readonly count: number }
  keysOf(entries: Pointer, count: number): readonly Vector[]
  setBytes(entry: Pointer, valueIndex: number, address: Pointer, bytes: number): void
  remove(entry: Pointer): void
  dispose(): void
}

export interface GroupRows {
  readonly count: number
  readonly selection: Pointer
  readonly keys: readonly Vector[]
}

export type AggregateCell = 'i64' | 'f64' | 'bytes'

/** Keys of a side table: the group's key types, then these. */
export interface SideTableLayout {
  readonly name: string
  readonly keys: readonly DataType[]
  readonly values: readonly AggregateCell[]
}

/** One keyed table of groups (a pane, or a whole GROUP BY) and the side tables that belong to it, in `sides`' order. */
export interface GroupState {
  readonly groups: GroupTable
  readonly sides: readonly GroupTable[]
}

/** Rows with the entries of their groups. */
export interface Taken {
  readonly selection: Pointer
  readonly count: number
  readonly entries: Pointer
}

/** `entries`: `count` u32 addresses. The visitor may remove them. */
export type VisitGroups = (entries: Pointer, count: number) => void

export interface AggregateSet {
  /** 'kernel' only if every update loop is one. */
  readonly mark: 'kernel' | 'js'
  readonly jsBecause: readonly string[]
  /** Value cells of an entry; the caller may add its own cells after them. */
  readonly values: readonly AggregateCell[]
  /** True if `update` may leave rows out: a group may then be there without any. */
  readonly maySetAside: boolean
  /** Side tables to be made with each table of groups; empty in the usual case. */
  readonly sides: readonly SideTableLayout[]
  /** The result types, in the order of the calls. */
  readonly types: readonly DataType[]
  /**
   * Adds the frame's selected rows to their groups: `entries` has the u32 address of each, in the selection's order, as
   * `groups.upsert` gave them; `keys` the group's key vectors (read only if there are side tables). Gives the rows that were added, if
   * a user's function failed for others; the context has been told those.
   */
  update(
    state: GroupState,
    frame: Frame,
    keys: readonly Vector[],
    entries: Pointer,
  ): Taken | undefined
  /** Takes rows away. Only if compiled with `retracts`. */
  retract(
    state: GroupState,
    frame: Frame,
    keys: readonly Vector[],
    entries: Pointer,
  ): Taken | undefined
  /**
   * Adds what `from` holds to `into` (panes of HOP windows); `from` stays as it is. Absent groups are inserted. `visit` is told the
   * groups of `into` that were added to; the entries live no longer than the call.
   */
  merge(into: GroupState, from: GroupState, visit?: VisitGroups): void
  /** True if `unmerge` can be: all is counts and sums. */
  readonly isInvertible: boolean
  /** Takes from `into` what `from`, which was merged before, holds; `from` is of no use afterwards. `visit`: as of `merge`. */
  unmerge(into: GroupState, from: GroupState, visit?: VisitGroups): void
  /** One vector a call, `count` cells each, in the arena; cells of strings point into the state. */
  results(state: GroupState, entries: Pointer, count: number): readonly Vector[]
  /** Before a group's entry is removed: forgets what belongs to it. */
  forget(state: GroupState, entries: Pointer, count: number): void
}

export interface AggregateEnvironment {
  readonly memory: LinearMemory
  readonly expression: (expression: Expression) => CompiledExpression
  readonly predicate: (expression: Expression) => CompiledPredicate
  /** True when -U and -D rows may come. */
  readonly retracts: boolean
  /** True if rows for which a user's function fails may be left out: `update` says which. Else the pipeline stops. */
  readonly setsAside?: boolean
}
