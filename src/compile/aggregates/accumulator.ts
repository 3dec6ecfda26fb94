/**
 * Accumulators: what one or two value cells of an entry gather, and how rows and other entries are added to them.
 *
 * Zeroed cells are the empty accumulator, so a fresh entry needs no initialisation. Extremes are kept as unsigned bits ordered so
 * that zero is the least of all (`flip` turns MIN into MAX); whether there is a value at all the count beside them says.
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type DataType, layoutOf } from '../../data/types.ts'
import { aggregateKernel } from '../../kernels/aggregate.ts'
import type { AggregateCell, GroupTable } from './aggregate-set.ts'

/** Rows for accumulators: `entries[i]` belongs to row `selection[i]`; no NULLs among them. */
export interface AddedRows {
  readonly groups: GroupTable
  readonly selection: Pointer
  readonly entries: Pointer
  readonly count: number
  readonly vectors: readonly Vector[]
}

export interface Accumulator {
  readonly cells: readonly AggregateCell[]
  /** `sign` -1 takes away. `offset` is that of the first cell, `valueIndex` its number. Returns how often an integer wrapped. */
  add(rows: AddedRows, offset: number, valueIndex: number, sign: 1 | -1): number
  /** `from[i]` is added to `into[i]`. */
  merge(
    groups: GroupTable,
    into: Pointer,
    from: Pointer,
    count: number,
    offset: number,
    valueIndex: number,
  ): void
  /** Makes what `count` entries hold that which takes it away where it is merged; absent: nothing can. */
  negate?(entries: Pointer, count: number, offset: number): void
}

const SIGN_BIT = 1n << 63n
export const ALL_ONES = (1n << 64n) - 1n

/** XORed to a value's bits, high half first: unsigned order, and turned around for MIN. */
export function extremeFlip(layout: 'i64' | 'f64' | 'i128', isMax: boolean) {
  const turned = isMax ? 0n : ALL_ONES
  return { high: layout === 'f64' ? turned : SIGN_BIT ^ turned, low: turned }
}

export function counter(memory: LinearMemory): Accumulator {
  const kernel = aggregateKernel(memory)
  return {
    cells: ['i64'],
    add({ entries, count }, offset, _, sign) {
      kernel.addCount(entries, count, offset, BigInt(sign))
      return 0
    },
    merge: (_, into, from, count, offset) => kernel.mergeI64(into, from, count, offset),
    negate: (entries, count, offset) => negateI64(memory, entries, count, offset),
  }
}

/** By halves: no bigint is made. */
function negateI64({ u32 }: LinearMemory, entries: Pointer, count: number, offset: number) {
  for (let at = 0; at < count; at++) {
    const cell = (u32[entries / 4 + at]! + offset) / 4
    const low = u32[cell]!
    u32[cell] = -low
    u32[cell + 1] = low === 0 ? -u32[cell + 1]! : ~u32[cell + 1]!
  }
}

/** Two cells, the low one first: 128 bits. */
function negateWide({ u32 }: LinearMemory, entries: Pointer, count: number, offset: number) {
  for (let at = 0; at < count; at++) {
    const cell = (u32[entries / 4 + at]! + offset) / 4
    let carry = true
    for (let word = cell; word < cell + 4; word++) {
      u32[word] = carry ? -u32[word]! : ~u32[word]!
      carry &&= u32[word] === 0
    }
  }
}

/** `isDouble`: an average of FLOATs is summed in double precision. Integers are counted that go beyond `bits`, as the result has them. */
export function summer(
  memory: LinearMemory,
  type: DataType,
  isDouble: boolean,
  bits: number,
): Accumulator {
  const kernel = aggregateKernel(memory)
  const single = type.kind === 'float' && !isDouble ? 1 : 0
  if (type.kind === 'decimal') {
    const wide = layoutOf(type) === 'i128' ? 1 : 0
    return {
      cells: ['i64', 'i64'],
      add({ entries, vectors, selection, count }, offset, _, sign) {
        const negative = sign < 0 ? 1 : 0
        kernel.addWide(entries, vectors[0]!.cells, selection, count, offset, wide, negative)
        return 0
      },
      merge: (_, into, from, count, offset) => kernel.mergeWide(into, from, count, offset),
      negate: (entries, count, offset) => negateWide(memory, entries, count, offset),
    }
  }
  if (layoutOf(type) === 'f64') {
    return {
      cells: ['f64'],
      add({ entries, vectors, selection, count }, offset, _, sign) {
        kernel.addF64(entries, vectors[0]!.cells, selection, count, offset, sign, single)
        return 0
      },
      merge: (_, into, from, count, offset) => kernel.mergeF64(into, from, count, offset, single),
    }
  }
  return {
    cells: ['i64'],
    add: ({ entries, vectors, selection, count }, offset, _, sign) =>
      kernel.addI64(entries, vectors[0]!.cells, selection, count, offset, BigInt(sign), bits),
    merge: (_, into, from, count, offset) => kernel.mergeI64(into, from, count, offset),
    negate: (entries, count, offset) => negateI64(memory, entries, count, offset),
  }
}

/** MIN or MAX where nothing is taken away. */
export function extremist(memory: LinearMemory, type: DataType, isMax: boolean): Accumulator {
  const kernel = aggregateKernel(memory)
  const layout = layoutOf(type)
  if (layout === 'bytes' || layout === 'row') return textExtremist(memory, isMax)
  const { high, low } = extremeFlip(layout, isMax)
  if (layout === 'i128') {
    return {
      cells: ['i64', 'i64'],
      add({ entries, vectors, selection, count }, offset) {
        kernel.extremeWide(entries, vectors[0]!.cells, selection, count, offset, low, high)
        return 0
      },
      merge: (_, into, from, count, offset) => kernel.mergeExtreme(into, from, count, offset, 1),
    }
  }
  const double = layout === 'f64' ? 1 : 0
  return {
    cells: ['i64'],
    add({ entries, vectors, selection, count }, offset) {
      kernel.extreme(entries, vectors[0]!.cells, selection, count, offset, high, double)
      return 0
    },
    merge: (_, into, from, count, offset) => kernel.mergeExtreme(into, from, count, offset, 0),
  }
}

/** The best bytes so far are copied into the table's slab; rows that are no better never leave the kernel. */
function textExtremist(memory: LinearMemory, isMax: boolean): Accumulator {
  const kernel = aggregateKernel(memory)
  const direction = isMax ? 1 : -1
  return {
    cells: ['bytes'],
    add({ groups, entries, vectors, selection, count }, offset, valueIndex) {
      const { cells } = vectors[0]!
      let at = 0
      while (true) {
        at = kernel.nextBeyond(entries, cells, selection, at, count, offset, direction)
        if (at >= count) return 0
        const row = selection === 0 ? at : memory.u32[selection / 4 + at]!
        copyBytes(memory, groups, memory.u32[entries / 4 + at]!, valueIndex, cells + 8 * row)
        at++
      }
    },
    merge(groups, into, from, count, offset, valueIndex) {
      for (let at = 0; at < count; at++) {
        const held = memory.u32[from / 4 + at]! + offset
        if (memory.u32[held / 4] === 0) continue
        const entry = memory.u32[into / 4 + at]!
        const isBeyond = kernel.nextBeyond(into + 4 * at, held, 0, 0, 1, offset, direction) === 0
        if (isBeyond) copyBytes(memory, groups, entry, valueIndex, held)
      }
    },
  }
}

function copyBytes(
  { u32 }: LinearMemory,
  groups: GroupTable,
  entry: Pointer,
  valueIndex: number,
  cell: Pointer,
): void {
  groups.setBytes(entry, valueIndex, u32[cell / 4]!, u32[cell / 4 + 1]!)
}
