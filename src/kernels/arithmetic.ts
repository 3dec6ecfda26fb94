/** Arithmetic over columns of cells, row by row. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './arithmetic.generated.ts'

/** out[row] = a[row] op b[row] for the selected rows. A stride is 8, or 0 for a constant. Pointers are to 8-byte cells. */
export type Binary<Result> = (
  a: Pointer,
  aStride: number,
  b: Pointer,
  bStride: number,
  selection: Pointer,
  count: number,
  out: Pointer,
) => Result

export interface ArithmeticKernel {
  /** Wraps to 64 bits; 0n if no row overflowed, else 1n (perhaps by a NULL row). */
  readonly addI64: Binary<bigint>
  readonly subtractI64: Binary<bigint>
  /** As addI64, but 1n may also be told of products within 1024 of the limits. */
  readonly multiplyI64: Binary<bigint>
  /** 1n if a divisor was 0 (perhaps of a NULL row). */
  readonly divideI64: Binary<bigint>
  readonly remainderI64: Binary<bigint>
  readonly addF64: Binary<void>
  readonly subtractF64: Binary<void>
  readonly multiplyF64: Binary<void>
  readonly divideF64: Binary<void>
  /** Exact products; `out` has 16 bytes a row. */
  readonly multiplyWide: Binary<void>
  /** 8-byte cells to 16-byte ones. */
  widen(cells: Pointer, selection: Pointer, count: number, out: Pointer): void
  /** Keeps 64 - `shift` bits and their sign; 1n if some row lost others. */
  narrow(cells: Pointer, shift: bigint, selection: Pointer, count: number, out: Pointer): bigint
  /** Integers divided by `divisor`, as double. */
  toF64(cells: Pointer, divisor: number, selection: Pointer, count: number, out: Pointer): void
  /** Doubles toward zero, held in [least, most]; NaN is 0. */
  toI64(
    cells: Pointer,
    least: number,
    most: number,
    selection: Pointer,
    count: number,
    out: Pointer,
  ): void
  /** Doubles rounded to single precision. */
  toSingle(cells: Pointer, selection: Pointer, count: number, out: Pointer): void
  fill(out: Pointer, value: bigint, count: number): void
  /** The multiple of `size`, counted from `offset`, at or before each cell. */
  floorTo(
    cells: Pointer,
    size: bigint,
    offset: bigint,
    selection: Pointer,
    count: number,
    out: Pointer,
  ): void
  /** Whole `part`s since the last multiple of `size`. */
  partOf(
    cells: Pointer,
    size: bigint,
    part: bigint,
    selection: Pointer,
    count: number,
    out: Pointer,
  ): void
}

let compiled: WebAssembly.Module | undefined
const made = new WeakMap<LinearMemory, ArithmeticKernel>()

/** The kernel over `memory`'s one linear memory. */
export function arithmeticKernel(memory: LinearMemory): ArithmeticKernel {
  const known = made.get(memory)
  if (known !== undefined) return known
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
  const kernel = instance.exports as WebAssembly.Exports & ArithmeticKernel
  made.set(memory, kernel)
  return kernel
}
