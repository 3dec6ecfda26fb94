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
import { defineModule, instantiate } from '../../wasm/module.ts'
import type { Layout } from './layout.ts'
import { createEmitter, type Lane, literalDiffers } from './projection-values.ts'

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
  const isCold = layout.segments.some(({ kind }) => kind === 'cold')
  const lanes = isCold || options.listed ? 1 : options.lanes
  const module = defineModule()
  const cold = {
    value: module.import('value_x', ['i32', 'i32', 'i32', 'i32'], 'i32'),
    skip: module.import('skip_x', ['i32', 'i32'], 'i32'),
    string: module.import('string_x', ['i32', 'i32'], 'i32'),
    day: module.import('day_x', ['i32'], 'i64'),
  }
  const func = module.func('project', ['i32', 'i32', 'i32', 'i32', 'i32'], 'i32')
  const [values, count, output, misses, limit] = [0, 1, 2, 3, 4].map((index) =>
    func.param(index, 'i32'),
  ) as [P, P, P, P, P]
  const [row, until, missed] = [func.local('i32'), func.local('i32'), func.local('i32')]
  const index = options.listed ? func.local('i32') : row
  const lane = (): Lane => ({
    at: func.local('i32'),
    count: func.local('i32'),
    mask: func.local('i32'),
    end: func.local('i32'),
    dot: func.local('i32'),
    bytes: func.local('v128'),
    keep: func.local('v128'),
    word: func.local('i64'),
    other: func.local('i64'),
  })
  const all = Array.from({ length: lanes }, lane)
  const emitter = createEmitter(func, options.tables, limit, cold)
  // Of lane n: the address of its cell in an area that begins with row 0's.
  const cellOf = (area: P, lane: number, shift = 3): Expression<'i32'> => {
    const at = lane === 0 ? get(row) : i32.add(get(row), i32.const(lane))
    return i32.add(get(area), i32.shl(at, i32.const(shift)))
  }
  const stopOf = (index: number) =>
    i32.add(i32.load(cellOf(values, index)), i32.load(cellOf(values, index), 4))
  const matches = ({ at }: Lane, literal: Uint8Array, miss: Label): Statement[] => {
    const differs = literalDiffers(at, literal)
    return differs === undefined ? [] : [branchIf(miss, differs)]
  }

  const rows = (taken: number, alone: boolean, miss: Label): Statement[] => {
    const group = all.slice(0, taken)
    const starts = group.map(({ at }, index) => set(at, i32.load(cellOf(values, index))))
    const segments = layout.segments.flatMap((segment) =>
      group.flatMap((each, index) => [
        ...matches(each, segment.literal, miss),
        set(each.at, i32.add(get(each.at), i32.const(segment.literal.length))),
        ...emitter.value(segment, {
          lane: each,
          cell: {
            address: cellOf(output, index, isWide(segment.node) ? 4 : 3),
            offset: segment.node === undefined ? 0 : options.offsets.get(segment.node)!,
          },
          miss,
          alone,
          stop: () => stopOf(index),
        }),
      ]),
    )
    const ends = group.flatMap((each, index) => [
      ...matches(each, layout.tail, miss),
      branchIf(miss, i32.ne(i32.add(get(each.at), i32.const(layout.tail.length)), stopOf(index))),
    ])
    return [...starts, ...segments, ...ends]
  }
  const step = (by: number) => set(index, i32.add(get(index), i32.const(by)))
  const listedRow = i32.load(i32.add(get(misses), i32.shl(get(index), i32.const(2))))

  const groups = (done: Label): Statement[] => [
    block((missedGroup) => [
      loop((again) => [
        set(until, get(count)),
        branchIf(done, i32.gtU(i32.add(get(row), i32.const(lanes)), get(count))),
        ...rows(lanes, false, missedGroup),
        step(lanes),
        branch(again),
      ]),
    ]),
    set(until, i32.add(get(row), i32.const(lanes))),
  ]
  const main = loop((start) => [
    lanes === 1 ? set(until, get(count)) : block((done) => groups(done)),
    loop((next) => [
      when(i32.geU(get(index), get(until)), [
        branchIf(start, i32.ltU(get(until), get(count))),
        returnValue(get(missed)),
      ]),
      ...(options.listed ? [set(row, listedRow)] : []),
      block((miss) => [...rows(1, true, miss), step(1), branch(next)]),
      i32.store(i32.add(get(misses), i32.shl(get(missed), i32.const(2))), get(row)),
      set(missed, i32.add(get(missed), i32.const(1))),
      step(1),
      branch(next),
    ]),
  ])
  func.body(...emitter.prologue, main, get(missed))

  const { exports } = instantiate(module.encode(), options.memory.memory, options.imports)
  const literals = [...layout.segments.map(({ literal }) => literal.length), layout.tail.length]
  return {
    run: exports.project as Projection['run'],
    overreadBytes: literals.reduce((sum, bytes) => sum + bytes + 32, 64),
  }
}

function isWide(node: JsonNode | undefined): boolean {
  return node !== undefined && cellBytes(node.type) === 16
}

type P = Local<'i32'>
