/** Selection vectors: which rows of a batch fulfil a condition. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './select.generated.ts'

/**
 * Writes to `out` (u32 each) the rows where a[row] op b[row] and returns how many. `selection` and `count` as in a batch.
 * A stride is that of the cells (8, or 16 for I128), or 0 for a constant. A validity of 0 says that nothing is NULL; NULLs never pass.
 */
export type Compare = (
  a: Pointer,
  aStride: number,
  aValidity: Pointer,
  b: Pointer,
  bStride: number,
  bValidity: Pointer,
  selection: Pointer,
  count: number,
  out: Pointer,
) => number

export interface SelectKernel {
  readonly equalI64: Compare
  readonly notEqualI64: Compare
  readonly lessI64: Compare
  readonly lessOrEqualI64: Compare
  readonly equalF64: Compare
  readonly notEqualF64: Compare
  readonly lessF64: Compare
  readonly lessOrEqualF64: Compare
  readonly equalI128: Compare
  readonly notEqualI128: Compare
  readonly lessI128: Compare
  readonly lessOrEqualI128: Compare
  /** Multiples of odd << shift (`wanted` 1) or the others (0); see select.as.ts for `inverse` and `limit`. */
  divisible(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    inverse: bigint,
    limit: bigint,
    shift: bigint,
    wanted: 0 | 1,
    out: Pointer,
  ): number
  /** Boolean cells that are `wanted`. */
  truth(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    wanted: bigint,
    out: Pointer,
  ): number
  /** Rows that are valid (`wanted` 1) or NULL (0); `validity` is not 0. */
  validRows(
    validity: Pointer,
    selection: Pointer,
    count: number,
    wanted: 0 | 1,
    out: Pointer,
  ): number
  /** Byte strings equal (`wanted` 1) or not (0). */
  bytesEqual(
    a: Pointer,
    aStride: number,
    aValidity: Pointer,
    b: Pointer,
    bStride: number,
    bValidity: Pointer,
    selection: Pointer,
    count: number,
    wanted: 0 | 1,
    out: Pointer,
  ): number
  /** Rows of the selection that are not in `without`, a part of it. */
  complement(
    selection: Pointer,
    count: number,
    without: Pointer,
    withoutCount: number,
    out: Pointer,
  ): number
  /** Two selections without a common row, as one. */
  union(a: Pointer, aCount: number, b: Pointer, bCount: number, out: Pointer): void
  /** Writes 1 to the selected cells. */
  mark(cells: Pointer, selection: Pointer, count: number): void
  /** Copies the selected rows' cells, `bytes` (8 or 16) each. */
  copyCells(from: Pointer, to: Pointer, bytes: number, selection: Pointer, count: number): void
  /** Copies the selected rows' validity; a `from` of 0 makes them valid. */
  copyValidity(from: Pointer, to: Pointer, selection: Pointer, count: number): void
  /** The bitmap of rows that are valid in both. */
  bothValid(a: Pointer, b: Pointer, bytes: number, out: Pointer): void
}

let compiled: WebAssembly.Module | undefined
const made = new WeakMap<LinearMemory, SelectKernel>()

/** The kernel over `memory`'s one linear memory. */
export function selectKernel(memory: LinearMemory): SelectKernel {
  const known = made.get(memory)
  if (known !== undefined) return known
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
  const kernel = instance.exports as WebAssembly.Exports & SelectKernel
  made.set(memory, kernel)
  return kernel
}
