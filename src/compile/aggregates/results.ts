/** How an aggregate's result is read from its accumulators, with Flink's result types and NULL rules. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, layoutOf } from '../../data/types.ts'
import { aggregateKernel } from '../../kernels/aggregate.ts'
import { absolute, dividedHalfUp, powerOfTen } from '../decimals.ts'
import { extremeFlip } from './accumulator.ts'

/** Offsets in the entry of the cells that a result needs. */
export type ReadResult = (entries: Pointer, count: number, offsets: ResultOffsets) => Vector
export interface ResultOffsets {
  readonly value: number
  readonly count: number
}

const BITS: Partial<Record<DataType['kind'], number>> = { tinyint: 8, smallint: 16, int: 32 }
/** Of an integer type; 64 for all others. */
export const bitsOf = (type: DataType): number => BITS[type.kind] ?? 64
const DIGITS_MAX = 38

export function countResult(memory: LinearMemory, type: DataType): ReadResult {
  const kernel = aggregateKernel(memory)
  return (entries, count, offsets) => {
    const cells = memory.arena.allocate(8 * count)
    kernel.readI64(entries, count, offsets.value, 64, cells)
    return { type, cells, validity: 0 }
  }
}

export function sumResult(memory: LinearMemory, type: DataType): ReadResult {
  const kernel = aggregateKernel(memory)
  return withValidity(memory, type, (entries, count, offsets, cells) => {
    if (type.kind !== 'decimal') {
      kernel.readI64(entries, count, offsets.value, bitsOf(type), cells)
      return NONE
    }
    const wide = memory.arena.allocate(16 * count)
    kernel.readWide(entries, count, offsets.value, 0n, 0n, wide)
    return writeDecimals(memory, type, count, cells, (at) => wideAt(memory, wide + 16 * at))
  })
}

/** `argument`'s scale is that of the sum. */
export function averageResult(
  memory: LinearMemory,
  type: DataType,
  argument: DataType,
): ReadResult {
  const kernel = aggregateKernel(memory)
  return withValidity(memory, type, (entries, count, offsets, cells) => {
    if (layoutOf(type) === 'f64') {
      const single = type.kind === 'float' ? 1 : 0
      kernel.readAverageF64(entries, count, offsets.value, offsets.count, single, cells)
    } else if (type.kind === 'decimal') {
      const scale = argument.kind === 'decimal' ? argument.scale : 0
      return writeDecimals(memory, type, count, cells, (at) => {
        const entry = memory.u32[entries / 4 + at]!
        const rows = memory.i64[(entry + offsets.count) / 8]!
        if (rows === 0n) return 0n
        return averageOf(wideAt(memory, entry + offsets.value), scale, rows, type.scale)
      })
    } else {
      const bits = bitsOf(type)
      kernel.readAverage(entries, count, offsets.value, offsets.count, bits, cells)
    }
    return NONE
  })
}

export function extremeResult(memory: LinearMemory, type: DataType, isMax: boolean): ReadResult {
  const kernel = aggregateKernel(memory)
  const layout = layoutOf(type)
  return withValidity(memory, type, (entries, count, { value }, cells) => {
    if (layout === 'bytes' || layout === 'row') {
      kernel.readI64(entries, count, value, 64, cells)
      return NONE
    }
    const { high, low } = extremeFlip(layout, isMax)
    if (layout === 'i128') kernel.readWide(entries, count, value, low, high, cells)
    else kernel.readExtreme(entries, count, value, high, layout === 'f64' ? 1 : 0, cells)
    return NONE
  })
}

/** NULL where the group's count of values is 0, and at the positions that `write` returns. */
function withValidity(
  memory: LinearMemory,
  type: DataType,
  write: (entries: Pointer, count: number, offsets: ResultOffsets, cells: Pointer) => Overflowed,
): ReadResult {
  const kernel = aggregateKernel(memory)
  return (entries, count, offsets) => {
    const cells = memory.arena.allocate(cellBytes(type) * count)
    const validity = memory.arena.allocateCleared((count + 7) >> 3)
    const valid = kernel.readValidity(entries, count, offsets.count, validity)
    const overflowed = write(entries, count, offsets, cells)
    for (const at of overflowed) memory.u8[validity + (at >> 3)]! &= ~(1 << (at & 7))
    return { type, cells, validity: valid === count && overflowed.length === 0 ? 0 : validity }
  }
}

/** Positions whose decimal has more digits than its type: NULL, as in Flink. */
type Overflowed = readonly number[]
const NONE: Overflowed = []

function writeDecimals(
  memory: LinearMemory,
  type: Extract<DataType, { kind: 'decimal' }>,
  count: number,
  cells: Pointer,
  unscaledAt: (at: number) => bigint,
): readonly number[] {
  const limit = powerOfTen(type.precision)
  const isWide = layoutOf(type) === 'i128'
  const overflowed: number[] = []
  for (let at = 0; at < count; at++) {
    const unscaled = unscaledAt(at)
    if (absolute(unscaled) >= limit) overflowed.push(at)
    const cell = cells / 8 + (isWide ? 2 * at : at)
    memory.i64[cell] = BigInt.asIntN(64, unscaled)
    if (isWide) memory.i64[cell + 1] = BigInt.asIntN(64, unscaled >> 64n)
  }
  return overflowed
}

function wideAt(memory: LinearMemory, at: Pointer): bigint {
  return (memory.i64[at / 8 + 1]! << 64n) | BigInt.asUintN(64, memory.i64[at / 8]!)
}

/** As Flink divides: to 38 significant digits HALF_UP, then to the scale of the result HALF_UP. */
function averageOf(sum: bigint, scale: number, rows: bigint, resultScale: number): bigint {
  const [dividend, divisor] = rows < 0n ? [-sum, -rows] : [sum, rows]
  const whole = absolute(dividend / divisor)
  const digitsBefore = whole === 0n ? 0 : whole.toString().length
  // Digits after the point of the unscaled quotient that 38 significant ones leave.
  const extra = Math.max(DIGITS_MAX - digitsBefore, 0)
  const precise = dividedHalfUp(dividend * powerOfTen(extra), divisor)
  const drop = scale + extra - resultScale
  return drop >= 0 ? dividedHalfUp(precise, powerOfTen(drop)) : precise * powerOfTen(-drop)
}
