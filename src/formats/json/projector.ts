/**
 * Decodes records by the layouts they are known to have, and says which rows have none of them.
 *
 * The first layout runs over all rows; each further one over what the ones before it missed (the nested events of Nexmark have
 * three). A row's validity is the layout's: which columns are NULL is part of what is predicted.
 */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, layoutOf } from '../../data/types.ts'
import type { JsonKernel } from '../../kernels/json.ts'
import type { JsonNode, JsonTree } from '../../kernels/json-tree.ts'
import { createKnownLayouts, type KnownLayout } from './known-layouts.ts'
import { type Layout, predictLayout } from './layout.ts'
import { emitProjection } from './projection.ts'
import { fillTables, TABLES_BYTES } from './projection-numbers.ts'

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

const CAPACITY_MIN = 8192
/** Columns a power of two apart would share the lines of one cache set. */
const COLUMN_GAP_BYTES = 320

export function createProjector(options: ProjectorOptions): Projector {
  const { memory, kernel, tree, lanes } = options
  const tables = memory.allocate(TABLES_BYTES)
  fillTables(memory.u8, tables)
  let capacity = CAPACITY_MIN
  let area = areaOf(tree.columns, capacity)
  const known = createKnownLayouts({
    rowsBefore: options.rowsBefore,
    predict: (sample) => predictLayout(sample, tree.columns, options.separator),
    emit(layout, listed) {
      const { imports } = kernel
      return emitProjection(layout, {
        memory,
        tables,
        imports,
        offsets: area.offsets,
        lanes,
        listed,
      })
    },
  })
  const placeAll = (count: number): Pointer => {
    if (count > capacity) {
      while (capacity < count) capacity *= 2
      area = areaOf(tree.columns, capacity)
      known.emitAgain()
    }
    const output = memory.arena.allocate(area.bytes)
    for (const node of tree.columns) place(memory, tree, node, count, output, area.offsets)
    return output
  }

  return {
    project(values, count) {
      const output = placeAll(count)
      const misses = memory.arena.allocate(4 * count)
      const limit = kernel.valuesEnd(values, count)
      const first = known.list[0]
      if (first === undefined || !isReadable(memory, limit, known.list)) {
        for (let row = 0; row < count; row++) memory.u32[(misses >> 2) + row] = row
        return { misses, count }
      }
      for (const node of first.layout.absent) fillAbsent(memory, tree, node, count)
      let left = first.projection.run(values, count, output, misses, limit)
      first.hits += count - left
      for (const next of known.list.slice(1)) {
        if (left === 0) break
        const before = memory.u32.slice(misses >> 2, (misses >> 2) + left)
        const after = next.projection.run(values, left, output, misses, limit)
        next.hits += left - after
        const matched = matchedOf(memory, before, misses, after)
        correctValidity(memory, tree, matched, first.layout, next.layout)
        left = after
      }
      return { misses, count: left }
    },
    learn: known.learn,
    dispose() {
      memory.free(tables, TABLES_BYTES)
    },
  }
}

/** A projection may read beyond the last row: never beyond the memory. */
function isReadable(memory: LinearMemory, limit: Pointer, list: readonly KnownLayout[]): boolean {
  const { byteLength } = memory.memory.buffer
  return list.every(({ projection }) => limit + projection.overreadBytes <= byteLength)
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
    bytes += cellBytes(node.type) * capacity + COLUMN_GAP_BYTES
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

/** The rows of `before` that are no longer among the misses. */
function matchedOf(
  memory: LinearMemory,
  before: Uint32Array,
  misses: Pointer,
  missCount: number,
): number[] {
  const matched: number[] = []
  let next = 0
  for (const row of before) {
    if (next < missCount && memory.u32[(misses >> 2) + next] === row) next++
    else matched.push(row)
  }
  return matched
}

/** Rows that matched `found` were given the validity of `first`. */
function correctValidity(
  memory: LinearMemory,
  tree: JsonTree,
  matched: readonly number[],
  first: Layout,
  found: Layout,
): void {
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
