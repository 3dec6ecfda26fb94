/**
 * Emits the projection of one layout: a function that turns the records that have it into cells, several rows at a time.
 *
 * A group of rows goes through one loop body, value by value; if any of them does not match, the group is taken again row by row,
 * where cold parts may be called. A row that still does not match is listed as missed, for the generic path. A row counts only if
 * its last byte is where the layout ends, so whatever was read beyond it decides nothing.
 */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes } from '../../data/types.ts'
import type { JsonNode } from '../../kernels/json-tree.ts'
import type { Expression, Label, Local, Statement } from '../../wasm/code.ts'
import {
  block,
  branch,
  branchIf,
  get,
  i32,
  loop,
  returnValue,
  set,
  when,
} from '../../wasm/instructions.ts'
import { defineModule, type FunctionBuilder, instantiate } from '../../wasm/module.ts'
import type { Layout, Segment } from './layout.ts'
import {
  byCall,
  type Cold,
  type Context,
  createContext,
  type Lane,
  type Place,
} from './projection-context.ts'
import { fraction, integer } from './projection-numbers.ts'
import { boolean, literalDiffers, string, time } from './projection-text.ts'

export interface ProjectionOptions {
  readonly memory: LinearMemory
  readonly tables: Pointer
  readonly imports: WebAssembly.ModuleImports
  /** Byte offset of each leaf column's cells in the output area. */
  readonly offsets: ReadonlyMap<JsonNode, number>
  /** Rows taken at once; 1 if the layout has cold values. */
  readonly lanes: 1 | 2 | 3 | 4
  /** Takes only the rows listed in `misses`, and lists anew, in place, those that it misses too. One lane. */
  readonly listed: boolean
}

export interface Projection {
  /**
   * Writes the cells of all rows that match; row numbers of the others go to `misses` (u32), ascending. Returns how many.
   * `values` are cells of bytes, `limit` the end of the last of them. `count` rows, or as many as are listed.
   */
  readonly run: (
    values: Pointer,
    count: number,
    output: Pointer,
    misses: Pointer,
    limit: Pointer,
  ) => number
  /** How far beyond `limit` it may read. */
  readonly overreadBytes: number
}

export function emitProjection(layout: Layout, options: ProjectionOptions): Projection {
  const module = defineModule()
  const cold: Cold = {
    value: module.import('value_x', ['i32', 'i32', 'i32', 'i32'], 'i32'),
    skip: module.import('skip_x', ['i32', 'i32'], 'i32'),
    string: module.import('string_x', ['i32', 'i32'], 'i32'),
    day: module.import('day_x', ['i32'], 'i64'),
  }
  const func = module.func('project', ['i32', 'i32', 'i32', 'i32', 'i32'], 'i32')
  const param = (index: number) => func.param(index, 'i32')
  const isCold = layout.segments.some(({ kind }) => kind === 'cold')
  const row = func.local('i32')
  const frame: Frame = {
    layout,
    context: createContext(func, options.tables, param(4), cold),
    offsets: options.offsets,
    lanes: Array.from({ length: isCold || options.listed ? 1 : options.lanes }, () => laneOf(func)),
    values: param(0),
    count: param(1),
    output: param(2),
    misses: param(3),
    row,
    index: options.listed ? func.local('i32') : row,
    until: func.local('i32'),
    missed: func.local('i32'),
  }
  const main = mainLoop(frame)
  func.body(...frame.context.prologue, main, get(frame.missed))
  const { exports } = instantiate(module.encode(), options.memory.memory, options.imports)
  const literals = [...layout.segments.map(({ literal }) => literal.length), layout.tail.length]
  return {
    run: exports.project as Projection['run'],
    overreadBytes: literals.reduce((sum, bytes) => sum + bytes + 32, 64),
  }
}

/** The locals of one emitted function. */
interface Frame {
  readonly layout: Layout
  readonly context: Context
  readonly offsets: ReadonlyMap<JsonNode, number>
  readonly lanes: readonly Lane[]
  readonly values: Local<'i32'>
  readonly count: Local<'i32'>
  readonly output: Local<'i32'>
  readonly misses: Local<'i32'>
  /** The row of lane 0; of lane n it is n more. */
  readonly row: Local<'i32'>
  /** Counts the rows to take: `row` itself, or a place in the list. */
  readonly index: Local<'i32'>
  /** Exclusive end of the rows that are taken singly now. */
  readonly until: Local<'i32'>
  readonly missed: Local<'i32'>
}

function laneOf(func: FunctionBuilder): Lane {
  return {
    at: func.local('i32'),
    count: func.local('i32'),
    mask: func.local('i32'),
    end: func.local('i32'),
    dot: func.local('i32'),
    bytes: func.local('v128'),
    keep: func.local('v128'),
    word: func.local('i64'),
    other: func.local('i64'),
  }
}

function mainLoop(frame: Frame): Statement {
  const { lanes, row, index, until, count, misses, missed } = frame
  const step = (by: number) => set(index, i32.add(get(index), i32.const(by)))
  const wordOf = (at: Local<'i32'>) => i32.add(get(misses), i32.shl(get(at), i32.const(2)))
  const groups = block((done) => [
    block((missedGroup) => [
      loop((again) => [
        set(until, get(count)),
        branchIf(done, i32.gtU(i32.add(get(row), i32.const(lanes.length)), get(count))),
        ...rows(frame, lanes.length, false, missedGroup),
        step(lanes.length),
        branch(again),
      ]),
    ]),
    set(until, i32.add(get(row), i32.const(lanes.length))),
  ])
  return loop((start) => [
    lanes.length === 1 ? set(until, get(count)) : groups,
    loop((next) => [
      when(i32.geU(get(index), get(until)), [
        branchIf(start, i32.ltU(get(until), get(count))),
        returnValue(get(missed)),
      ]),
      ...(index === row ? [] : [set(row, i32.load(wordOf(index)))]),
      block((miss) => [...rows(frame, 1, true, miss), step(1), branch(next)]),
      i32.store(wordOf(missed), get(row)),
      set(missed, i32.add(get(missed), i32.const(1))),
      step(1),
      branch(next),
    ]),
  ])
}

/** `taken` rows from the current one on, value by value; any mismatch goes to `miss`. */
function rows(frame: Frame, taken: number, alone: boolean, miss: Label): Statement[] {
  const { layout, context, values, output, offsets } = frame
  // Of lane n: the address of its cell in an area that begins with row 0's.
  const cellOf = (area: Local<'i32'>, lane: number, shift = 3): Expression<'i32'> => {
    const at = lane === 0 ? get(frame.row) : i32.add(get(frame.row), i32.const(lane))
    return i32.add(get(area), i32.shl(at, i32.const(shift)))
  }
  const stopOf = (lane: number) =>
    i32.add(i32.load(cellOf(values, lane)), i32.load(cellOf(values, lane), 4))
  const matches = ({ at }: Lane, literal: Uint8Array): Statement[] => {
    const differs = literalDiffers(at, literal)
    return differs === undefined ? [] : [branchIf(miss, differs)]
  }
  const group = frame.lanes.slice(0, taken)
  const starts = group.map(({ at }, lane) => set(at, i32.load(cellOf(values, lane))))
  const segments = layout.segments.flatMap((segment) =>
    group.flatMap((lane, index) => [
      ...matches(lane, segment.literal),
      set(lane.at, i32.add(get(lane.at), i32.const(segment.literal.length))),
      ...valueCode(context, segment, {
        lane,
        cell: {
          address: cellOf(output, index, isWide(segment.node) ? 4 : 3),
          offset: segment.node === undefined ? 0 : offsets.get(segment.node)!,
        },
        miss,
        alone,
        stop: () => stopOf(index),
      }),
    ]),
  )
  const ends = group.flatMap((lane, index) => [
    ...matches(lane, layout.tail),
    branchIf(miss, i32.ne(i32.add(get(lane.at), i32.const(layout.tail.length)), stopOf(index))),
  ])
  return [...starts, ...segments, ...ends]
}

function valueCode(context: Context, segment: Segment, place: Place): readonly Statement[] {
  switch (segment.kind) {
    case 'integer':
      return integer(context, segment, place)
    case 'number':
    case 'double':
    case 'decimal':
      return fraction(context, segment, place)
    case 'string':
      return string(context, segment, place)
    case 'boolean':
      return boolean(segment, place)
    case 'time':
      return time(context, segment, place)
    case 'cold':
      return byCall(context, segment, place)
  }
}

function isWide(node: JsonNode | undefined): boolean {
  return node !== undefined && cellBytes(node.type) === 16
}
