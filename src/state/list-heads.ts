/**
 * Heads of row lists: a keyed table that checkpoints never see, which stores of rows share if their keys are one another's. A head that
 * has lost all its entries stays until it is swept: at the next call of `lists`, if it is empty still.
 */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { DataType } from '../data/types.ts'
import { invariant } from '../errors.ts'
import { flatKeys } from '../kernels/flat-keys.ts'
import { LAYOUT_BYTES_MIN, writeLayout } from '../kernels/group.ts'
import { KEYS_MAX, type KeyedRows, type KeyedTable, type ValueCell } from './keyed-table.ts'
import { keyedTables } from './memory-table.ts'

/** Value cells of each store in a head. */
const CELLS = 3
// Of a store's own cells, in u32s.
const COUNT = 2
const TOMBSTONES = 3
const WAITS = 4
const GONE = 2

export interface HeadsLayout {
  readonly layoutBlock: Pointer
  /** Offset of the first store's cells. */
  readonly cellsStart: number
  readonly make: () => ListHeads
}

/** For `sides` stores that share heads. @throws INVARIANT_BROKEN for more than KEYS_MAX - 1 keys, the fields of a ROW counted */
export function headsLayout(
  memory: LinearMemory,
  keys: readonly DataType[],
  sides: number,
): HeadsLayout {
  const flat = flatKeys(memory, keys)
  invariant(flat.types.length < KEYS_MAX, `a list has at most ${KEYS_MAX - 1} key columns`)
  const values: ValueCell[] = Array.from({ length: CELLS * sides }, () => 'i64')
  const layoutBlock = memory.allocate(LAYOUT_BYTES_MIN + 4 * values.length)
  const { valueStart: cellsStart } = writeLayout(memory, layoutBlock, flat.types, values)
  const table = keyedTables(memory, { keys, values })
  return {
    layoutBlock,
    cellsStart,
    make: () => new ListHeads(memory, table(), cellsStart, sides),
  }
}

export function cellsOffset(cellsStart: number, side: number): number {
  return cellsStart + 8 * CELLS * side
}

export class ListHeads {
  readonly table: KeyedTable
  readonly #memory: LinearMemory
  readonly #cellsStart: number
  readonly #sides: number
  #empty: Pointer[] = []
  #disposed = 0

  constructor(memory: LinearMemory, table: KeyedTable, cellsStart: number, sides: number) {
    this.#memory = memory
    this.table = table
    this.#cellsStart = cellsStart
    this.#sides = sides
  }

  lists(rows: KeyedRows, lists: Pointer): void {
    if (this.#empty.length > 0) this.#sweep()
    this.table.upsert(rows, lists)
  }

  /** A store's list of `head` has become empty, and its mark says that it waits. */
  waits(head: Pointer): void {
    this.#empty.push(head)
  }

  /** The stores go one by one. */
  dispose(): void {
    if (++this.#disposed === this.#sides) this.table.dispose()
  }

  #sweep(): void {
    for (const head of this.#empty) this.#mark(head, 0)
    for (const head of this.#empty) {
      if (!this.#isEmpty(head)) continue
      this.#mark(head, GONE)
      this.table.remove(head)
    }
    this.#empty = []
  }

  #mark(head: Pointer, mark: number): void {
    const { u32 } = this.#memory
    for (let side = 0; side < this.#sides; side++)
      u32[(head + cellsOffset(this.#cellsStart, side)) / 4 + WAITS] = mark
  }

  #isEmpty(head: Pointer): boolean {
    const { u32 } = this.#memory
    for (let side = 0; side < this.#sides; side++) {
      const cells = (head + cellsOffset(this.#cellsStart, side)) / 4
      if (u32[cells + COUNT] !== 0 || u32[cells + TOMBSTONES] !== 0) return false
      if (u32[cells + WAITS] === GONE) return false
    }
    return true
  }
}
