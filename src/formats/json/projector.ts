/**
 * Keeps the projections of a stream of records: which layouts it has been found to have, the most frequent one first.
 *
 * The first layout runs over all rows, several at a time; each further one over what the ones before it missed (the nested events
 * of Nexmark have three). When too many rows match none, a missed record that turned out sound gives a new layout. What is
 * learned is forgotten slowly: the rows to wait double each time, so a stream without any layout costs next to nothing.
 */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, layoutOf } from '../../data/types.ts'
import type { JsonKernel } from '../../kernels/json.ts'
import type { JsonNode, JsonTree } from '../../kernels/json-tree.ts'
import { type Layout, predictLayout } from './layout.ts'
import { emitProjection, type Projection } from './projection.ts'
import { fillTables, TABLES_BYTES } from './projection-values.ts'

export interface ProjectorOptions {
  readonly memory: LinearMemory
  readonly kernel: JsonKernel
  readonly tree: JsonTree
  readonly separator: ' ' | 'T'
  readonly lanes: 1 | 2 | 3 | 4
  /** Rows read the generic way before the first layout is worth its code. */
  readonly rowsBefore: number
}

export interface Projector {
  /**
   * Places all columns in new arena blocks and writes the rows that match a layout. The row numbers of the others are at `misses`.
   * Validity bits of matched rows are right; those of missed ones are the generic path's to write.
   */
  project(values: Pointer, count: number): { readonly misses: Pointer; readonly count: number }
  /** A missed record of the last batch that is sound, to learn from; how many were missed. */
  learn(sample: Uint8Array | undefined, missed: number, count: number): void
  dispose(): void
}

interface Known {
  readonly layout: Layout
  readonly projection: Projection
  hits: number
}

const CAPACITY_MIN = 8192
const LAYOUTS_MAX = 4
/** Above this share of missed rows a further layout is looked for. */
const MISSES_TOLERATED = 0.01
const ROWS_BETWEEN_MAX = 1 << 26

export function createProjector(options: ProjectorOptions): Projector {
  const { memory, kernel, tree } = options
  const tables = memory.allocate(TABLES_BYTES)
  fillTables(memory.u8, tables)
  let capacity = CAPACITY_MIN
  let area = areaOf(tree.columns, capacity)
  let known: Known[] = []
  let rowsSeen = 0
  let rowsMissed = 0
  let rowsToWait = options.rowsBefore

  const emit = (layout: Layout, listed: boolean): Known => ({
    layout,
    projection: emitProjection(layout, {
      memory,
      tables,
      imports: kernel.imports,
      offsets: area.offsets,
      lanes: options.lanes,
      listed,
    }),
    hits: 0,
  })
  const emitAll = (layouts: readonly Layout[]) => {
    known = layouts.map((layout, index) => emit(layout, index > 0))
  }

  return {
    project(values, count) {
      if (count > capacity) {
        while (capacity < count) capacity *= 2
        area = areaOf(tree.columns, capacity)
        emitAll(known.map(({ layout }) => layout))
      }
      const output = memory.arena.allocate(area.bytes)
      for (const node of tree.columns) place(memory, tree, node, count, output, area.offsets)
      const misses = memory.arena.allocate(4 * count)
      const limit = kernel.valuesEnd(values, count)
      const usable = known.every(
        ({ projection }) => limit + projection.overreadBytes <= memory.memory.buffer.byteLength,
      )
      if (known.length === 0 || !usable) {
        for (let row = 0; row < count; row++) memory.u32[(misses >> 2) + row] = row
        return { misses, count }
      }
      for (const node of known[0]!.layout.absent) fillAbsent(memory, tree, node, count)
      let left = known[0]!.projection.run(values, count, output, misses, limit)
      known[0]!.hits += count - left
      for (let index = 1; index < known.length && left > 0; index++) {
        const before = memory.u32.slice(misses >> 2, (misses >> 2) + left)
        const after = known[index]!.projection.run(values, left, output, misses, limit)
        known[index]!.hits += left - after
        correctValidity(memory, tree, before, misses, after, known[0]!.layout, known[index]!.layout)
        left = after
      }
      return { misses, count: left }
    },
    learn(sample, missed, count) {
      rowsSeen += count
      rowsMissed += missed
      if (rowsSeen < rowsToWait) return
      const missedShare = rowsMissed / rowsSeen
      rowsSeen = 0
      rowsMissed = 0
      reorder()
      if (missedShare <= MISSES_TOLERATED || sample === undefined) return
      rowsToWait = Math.min(Math.max(2 * rowsToWait, CAPACITY_MIN), ROWS_BETWEEN_MAX)
      const layout = predictLayout(sample, tree.columns, options.separator)
      if (layout === undefined) return
      if (known.length === LAYOUTS_MAX) known.pop()
      // One that matched next to nothing since is out of date.
      const useful = known.filter(({ hits }) => hits > 0)
      for (const each of known) each.hits = 0
      if (useful.length === 0) emitAll([layout])
      else
        known = [
          ...(useful.length === known.length ? known : reEmitted(useful)),
          emit(layout, true),
        ]
    },
    dispose() {
      memory.free(tables, TABLES_BYTES)
    },
  }

  function reEmitted(useful: readonly Known[]): Known[] {
    return useful.map((each, index) =>
      known[index] === each ? each : emit(each.layout, index > 0),
    )
  }

  /** The layout with most hits goes first: it alone runs over all rows. */
  function reorder(): void {
    const best = known.reduce<Known | undefined>(
      (most, each) => (most === undefined || each.hits > most.hits ? each : most),
      undefined,
    )
    if (best === undefined || best === known[0]) return
    emitAll([best.layout, ...known.filter((each) => each !== best).map(({ layout }) => layout)])
  }
}

interface Area {
  readonly offsets: ReadonlyMap<JsonNode, number>
  readonly bytes: number
}

function areaOf(columns: readonly JsonNode[], capacity: number): Area {
  const offsets = new Map<JsonNode, number>()
  let bytes = 0
  const add = (node: JsonNode): void => {
    if (layoutOf(node.type) === 'row') {
      for (const child of node.children) add(child)
      return
    }
    offsets.set(node, bytes)
    bytes += cellBytes(node.type) * capacity
  }
  for (const column of columns) add(column)
  return { offsets, bytes }
}

function place(
  memory: LinearMemory,
  tree: JsonTree,
  node: JsonNode,
  count: number,
  output: Pointer,
  offsets: ReadonlyMap<JsonNode, number>,
): void {
  const validityBytes = (count + 7) >> 3
  const validity = memory.arena.allocate(validityBytes)
  memory.u8.fill(255, validity, validity + validityBytes)
  tree.place(node, output + (offsets.get(node) ?? 0), validity)
  if (layoutOf(node.type) === 'row')
    for (const child of node.children) place(memory, tree, child, count, output, offsets)
}

function fillAbsent(memory: LinearMemory, tree: JsonTree, node: JsonNode, count: number): void {
  const validity = tree.validityOf(node)
  memory.u8.fill(0, validity, validity + ((count + 7) >> 3))
  tree.noteNull(node)
}

/** Rows that matched `found` were given the validity of `first`. */
function correctValidity(
  memory: LinearMemory,
  tree: JsonTree,
  before: Uint32Array,
  misses: Pointer,
  missCount: number,
  first: Layout,
  found: Layout,
): void {
  const matched: number[] = []
  let next = 0
  for (const row of before) {
    if (next < missCount && memory.u32[(misses >> 2) + next] === row) next++
    else matched.push(row)
  }
  if (matched.length === 0) return
  for (const node of found.absent) {
    tree.noteNull(node)
    const validity = tree.validityOf(node)
    for (const row of matched) memory.u8[validity + (row >> 3)]! &= ~(1 << (row & 7))
  }
  for (const node of first.absent) {
    if (found.absent.includes(node)) continue
    const validity = tree.validityOf(node)
    for (const row of matched) memory.u8[validity + (row >> 3)]! |= 1 << (row & 7)
  }
}
