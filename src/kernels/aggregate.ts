/** Accumulators in the value cells of entries: see aggregate.as.ts for what each does. Booleans are 0 or 1. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './aggregate.generated.ts'

/** `entries` is u32 by position, `selection` u32 rows or 0; `offset` that of the cell in the entry. */
export interface AggregateKernel {
  /** Keeps the positions whose row is valid; how many. */
  dense(
    selection: Pointer,
    entries: Pointer,
    validity: Pointer,
    count: number,
    outSelection: Pointer,
    outEntries: Pointer,
  ): number
  /** Entries of the rows of `subset`, which are rows of `selection`, both ascending. */
  narrow(
    selection: Pointer,
    entries: Pointer,
    subset: Pointer,
    subsetCount: number,
    out: Pointer,
  ): void
  /** Rows and entries at `positions`. */
  pick(
    selection: Pointer,
    entries: Pointer,
    positions: Pointer,
    count: number,
    outSelection: Pointer,
    outEntries: Pointer,
  ): void
  addCount(entries: Pointer, count: number, offset: number, delta: bigint): void
  /** Wraps at 64 bits; returns how often a sum of `bits` bits would have wrapped. `sign` is 1 or -1. */
  addI64(
    entries: Pointer,
    cells: Pointer,
    selection: Pointer,
    count: number,
    offset: number,
    sign: bigint,
    bits: number,
  ): number
  addF64(
    entries: Pointer,
    cells: Pointer,
    selection: Pointer,
    count: number,
    offset: number,
    sign: number,
    single: number,
  ): void
  /** Into two cells, from i64 cells or i128 ones. */
  addWide(
    entries: Pointer,
    cells: Pointer,
    selection: Pointer,
    count: number,
    offset: number,
    wide: number,
    negative: number,
  ): void
  /** i64 cells with `flip`; f64 cells with `double`, where flip is 0 for MAX and all ones for MIN. */
  extreme(
    entries: Pointer,
    cells: Pointer,
    selection: Pointer,
    count: number,
    offset: number,
    flip: bigint,
    double: number,
  ): void
  extremeWide(
    entries: Pointer,
    cells: Pointer,
    selection: Pointer,
    count: number,
    offset: number,
    flipLow: bigint,
    flipHigh: bigint,
  ): void
  /** Less than 0, 0 or more: unsigned bytes, the shorter first where one begins the other. */
  compareBytes(left: Pointer, leftLength: number, right: Pointer, rightLength: number): number
  /** The first position from `from` on whose bytes are beyond those in the cell (or the cell has none); `count` if none is. `sign` 1: MAX, -1: MIN. */
  nextBeyond(
    entries: Pointer,
    cells: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    offset: number,
    sign: number,
  ): number
  /** Adds `delta` to the counts; writes the positions where a value came (0 to 1) or, with -1, went (1 to 0); how many. */
  countValues(
    entries: Pointer,
    count: number,
    offset: number,
    delta: bigint,
    positions: Pointer,
  ): number
  /** Adds the counts of `from` to those of `into`; positions that were 0 before; how many. */
  mergeValues(
    into: Pointer,
    from: Pointer,
    count: number,
    offset: number,
    positions: Pointer,
  ): number
  mergeI64(into: Pointer, from: Pointer, count: number, offset: number): void
  mergeF64(into: Pointer, from: Pointer, count: number, offset: number, single: number): void
  mergeWide(into: Pointer, from: Pointer, count: number, offset: number): void
  mergeExtreme(into: Pointer, from: Pointer, count: number, offset: number, wide: number): void
  /** Integers of `bits` bits, wrapped. */
  readI64(entries: Pointer, count: number, offset: number, bits: number, out: Pointer): void
  readWide(
    entries: Pointer,
    count: number,
    offset: number,
    flipLow: bigint,
    flipHigh: bigint,
    out: Pointer,
  ): void
  readExtreme(
    entries: Pointer,
    count: number,
    offset: number,
    flip: bigint,
    double: number,
    out: Pointer,
  ): void
  /** sum / count, toward zero, wrapped to `bits`; where count is 0 anything. */
  readAverage(
    entries: Pointer,
    count: number,
    sumOffset: number,
    countOffset: number,
    bits: number,
    out: Pointer,
  ): void
  readAverageF64(
    entries: Pointer,
    count: number,
    sumOffset: number,
    countOffset: number,
    single: number,
    out: Pointer,
  ): void
  /** Sets the bits of the cleared bitmap where the count is not 0; how many are. */
  readValidity(entries: Pointer, count: number, countOffset: number, out: Pointer): number
}

const module = new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
const kernels = new WeakMap<LinearMemory, AggregateKernel>()

/** The one instance over `memory`. */
export function aggregateKernel(memory: LinearMemory): AggregateKernel {
  let kernel = kernels.get(memory)
  if (kernel === undefined) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.memory } })
    kernel = exports as object as AggregateKernel
    kernels.set(memory, kernel)
  }
  return kernel
}
