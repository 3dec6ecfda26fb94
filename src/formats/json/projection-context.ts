/**
 * Code that reads one value of a record at a predicted place, checks every byte of it, and writes its cell.
 *
 * It runs on several rows at once, each in a *lane* of its own locals, interleaved so that one row's latency hides behind the
 * others' work. So there are no calls in it: what needs one leaves for the loop that takes rows singly (`alone`), and from there,
 * if need be, for the generic path. All 16-byte loads may read past a row: only what is in it decides.
 */
import type { Expression, Label, Local, Statement } from '../../wasm/code.ts'
import { block, branch, branchIf, get, i32, set, tee, v128 } from '../../wasm/instructions.ts'
import { call, type FunctionBuilder, type FunctionReference } from '../../wasm/module.ts'
import type { Segment } from './layout.ts'

export interface Lane {
  /** Next byte of the row. */
  readonly at: Local<'i32'>
  readonly count: Local<'i32'>
  readonly mask: Local<'i32'>
  readonly end: Local<'i32'>
  readonly dot: Local<'i32'>
  readonly bytes: Local<'v128'>
  readonly keep: Local<'v128'>
  readonly word: Local<'i64'>
  readonly other: Local<'i64'>
}

export interface Cold {
  readonly value: FunctionReference
  readonly skip: FunctionReference
  readonly string: FunctionReference
  readonly day: FunctionReference
}

/** One segment's place in the code of one lane. */
export interface Place {
  readonly lane: Lane
  /** Address of the value's cell. */
  readonly cell: { readonly address: Expression<'i32'>; readonly offset: number }
  /** Where a row that does not match goes. */
  readonly miss: Label
  /** True in the loop that takes rows singly: calls are allowed. */
  readonly alone: boolean
  /** Exclusive end of the row. */
  readonly stop: () => Expression<'i32'>
}

/** What all values of a projection share. */
export interface Context {
  readonly func: FunctionBuilder
  /** Address of the tables. */
  readonly tables: number
  /** Exclusive end of all rows. */
  readonly limit: Local<'i32'>
  readonly cold: Cold
  /** A 16-byte constant, kept in a local: loaded once a call, not once a row. */
  constant(bytes: Uint8Array): Expression<'v128'>
  /** Statements that set the constants. */
  readonly prologue: readonly Statement[]
  /** The date last seen at a segment: its bytes 0..7 and 2..9, and its midnight in µs. */
  dateCache(segment: Segment): DateCache
}

export interface DateCache {
  readonly first: Local<'i64'>
  readonly second: Local<'i64'>
  readonly base: Local<'i64'>
}

export function createContext(
  func: FunctionBuilder,
  tables: number,
  limit: Local<'i32'>,
  cold: Cold,
): Context {
  const constants = new Map<string, Local<'v128'>>()
  const prologue: Statement[] = []
  const dates = new Map<Segment, DateCache>()
  return {
    func,
    tables,
    limit,
    cold,
    prologue,
    constant(bytes) {
      const key = bytes.join()
      let local = constants.get(key)
      if (local === undefined) {
        local = func.local('v128')
        constants.set(key, local)
        prologue.push(set(local, v128.const(bytes)))
      }
      return get(local)
    },
    dateCache(segment) {
      const held = dates.get(segment)
      if (held !== undefined) return held
      const made = { first: func.local('i64'), second: func.local('i64'), base: func.local('i64') }
      dates.set(segment, made)
      return made
    },
  }
}

export function advance({ at }: Lane, bytes: Expression<'i32'>): Statement {
  return set(at, i32.add(get(at), bytes))
}

/** The value by a call, when alone; else the row is taken out of its group. */
export function byCall(
  { cold }: Context,
  segment: Segment,
  { lane, cell, alone, miss, stop }: Place,
): Statement[] {
  if (!alone) return [branch(miss)]
  const address = i32.add(cell.address, i32.const(cell.offset))
  const behind =
    segment.node === undefined
      ? call(cold.skip, 'i32', get(lane.at), stop())
      : call(cold.value, 'i32', i32.const(segment.node.pointer), get(lane.at), address, stop())
  return [branchIf(miss, i32.eqz(tee(lane.count, behind))), set(lane.at, get(lane.count))]
}

/** `fast` may branch to its label for the rare forms, which take the call. */
export function withRareForms(
  context: Context,
  segment: Segment,
  place: Place,
  fast: (rare: Label) => readonly Statement[],
): readonly Statement[] {
  if (!place.alone) return fast(place.miss)
  return [
    block((done) => [
      block((rare) => [...fast(rare), branch(done)]),
      ...byCall(context, segment, place),
    ]),
  ]
}

export const repeat = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)
