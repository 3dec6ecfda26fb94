/**
 * + - * / % over columns: kernels for whole numbers, doubles and decimals to 18 digits (their products to 38), bigint for the rest.
 * Overflow wraps as in Java, and is counted; with 'error' the row fails. A division by zero fails the row.
 */
import type { Vector } from '../data/batch.ts'
import type { Pointer } from '../data/memory.ts'
import { type DataType, layoutOf } from '../data/types.ts'
import { type ArithmeticKernel, arithmeticKernel } from '../kernels/arithmetic.ts'
import type { Frame } from './compiled.ts'
import { powerOfTen } from './decimals.ts'
import { forEachRow } from './frame-rows.ts'
import {
  allocateCells,
  allValid,
  type Compiled,
  marksOf,
  type Operand,
  operandOf,
} from './vectors.ts'

export type ArithmeticName = 'PLUS' | 'MINUS' | 'TIMES' | 'DIVIDE' | 'MOD'

const I64 = {
  PLUS: 'addI64',
  MINUS: 'subtractI64',
  TIMES: 'multiplyI64',
  DIVIDE: 'divideI64',
  MOD: 'remainderI64',
} as const
const F64 = {
  PLUS: 'addF64',
  MINUS: 'subtractF64',
  TIMES: 'multiplyF64',
  DIVIDE: 'divideF64',
} as const
const EXACT: Record<ArithmeticName, (a: bigint, b: bigint) => bigint> = {
  PLUS: (a, b) => a + b,
  MINUS: (a, b) => a - b,
  TIMES: (a, b) => a * b,
  DIVIDE: (a, b) => a / b,
  MOD: (a, b) => a % b,
}
/** Bits that a cell has too many for the type. */
const SHIFT: Partial<Record<DataType['kind'], bigint>> = { tinyint: 56n, smallint: 48n, int: 32n }
export const WHOLE: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'int', 'bigint'])

/** A kernel for the call, or undefined if there is none for its types. */
export function compileArithmetic(
  name: ArithmeticName,
  args: readonly Compiled[],
  type: DataType,
): Compiled | undefined {
  const [a, b] = args as readonly [Compiled, Compiled]
  const kinds = [a.type.kind, b.type.kind, type.kind]
  if (kinds.every((kind) => kind === 'double' || kind === 'float')) {
    return name === 'MOD' ? undefined : floating(name, a, b, type)
  }
  if (kinds.every((kind) => WHOLE.has(kind))) return whole(name, a, b, type)
  if (isTimeSum(kinds)) return whole(name, a, b, type)
  if (type.kind === 'decimal') return decimal(name, a, b, type)
  return undefined
}

/** Moments and intervals in µs: cells add as they are. */
function isTimeSum([a, b, result]: readonly string[]): boolean {
  const micros = (kind: string | undefined) =>
    kind === 'timestamp' || kind === 'timestamp_ltz' || kind === 'interval_day_second'
  if (micros(a) && micros(b)) return micros(result)
  if (a === 'interval_year_month' && b === a) return true
  const isInterval = (kind: string | undefined) => kind?.startsWith('interval') === true
  return (isInterval(a) && b === 'bigint') || (a === 'bigint' && isInterval(b))
}

function compiled(
  type: DataType,
  args: readonly Compiled[],
  compute: (frame: Frame, a: Operand, b: Operand, kernel: ArithmeticKernel) => Pointer,
): Compiled {
  const [a, b] = args as readonly [Compiled, Compiled]
  return {
    type,
    ...marksOf(args),
    evaluate(frame): Vector {
      const [left, right] = [operandOf(a, frame), operandOf(b, frame)]
      const cells = compute(frame, left, right, arithmeticKernel(frame.memory))
      return { type, cells, validity: allValid(frame, [left.validity, right.validity]) }
    },
  }
}

function floating(name: keyof typeof F64, a: Compiled, b: Compiled, type: DataType): Compiled {
  return compiled(type, [a, b], (frame, x, y, kernel) => {
    const out = allocateCells(frame, type)
    const { selection, count } = frame
    kernel[F64[name]](x.cells, x.stride, y.cells, y.stride, selection, count, out)
    if (type.kind === 'float') kernel.toSingle(out, selection, count, out)
    return out
  })
}

function whole(name: ArithmeticName, a: Compiled, b: Compiled, type: DataType): Compiled {
  const shift = SHIFT[type.kind]
  const divides = name === 'DIVIDE' || name === 'MOD'
  return compiled(type, [a, b], (frame, x, y, kernel) => {
    const out = allocateCells(frame, type)
    const { selection, count } = frame
    const flag = kernel[I64[name]](x.cells, x.stride, y.cells, y.stride, selection, count, out)
    let lost = 0n
    if (shift !== undefined) lost = kernel.narrow(out, shift, selection, count, out)
    if (divides ? flag !== 0n : flag !== 0n || lost !== 0n)
      checkRows(frame, name, x, y, 64n - (shift ?? 0n))
    return out
  })
}

/** The rows that raised a flag, told apart from NULLs and near misses. */
function checkRows(frame: Frame, name: ArithmeticName, a: Operand, b: Operand, bits: bigint): void {
  const { memory, context } = frame
  const validity = allValid(frame, [a.validity, b.validity])
  let overflows = 0
  forEachRow(frame, (row) => {
    if (validity !== 0 && ((memory.u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0) return
    const x = memory.i64[(a.cells + row * a.stride) / 8]!
    const y = memory.i64[(b.cells + row * b.stride) / 8]!
    if (y === 0n && (name === 'DIVIDE' || name === 'MOD')) {
      context.fail(row, 'Division by zero')
      return
    }
    const exact = EXACT[name](x, y)
    if (BigInt.asIntN(Number(bits), exact) === exact) return
    overflows++
    if (context.overflow === 'error') context.fail(row, `${exact} does not fit into ${bits} bits`)
  })
  if (overflows > 0) context.count('overflow', overflows)
}

function scaleOf(type: DataType): number {
  return type.kind === 'decimal' ? type.scale : 0
}

function decimal(
  name: ArithmeticName,
  a: Compiled,
  b: Compiled,
  type: Extract<DataType, { kind: 'decimal' }>,
): Compiled | undefined {
  if (layoutOf(a.type) !== 'i64' || layoutOf(b.type) !== 'i64') return undefined
  if (name === 'TIMES') {
    if (scaleOf(a.type) + scaleOf(b.type) !== type.scale) return undefined
    return layoutOf(type) === 'i64' ? product(a, b, type) : wideProduct(a, b, type)
  }
  if ((name !== 'PLUS' && name !== 'MINUS') || layoutOf(type) !== 'i64') return undefined
  return compiled(type, [a, b], (frame, x, y, kernel) => {
    const out = allocateCells(frame, type)
    const left = scaledUp(frame, x, type.scale - scaleOf(a.type), kernel)
    const right = scaledUp(frame, y, type.scale - scaleOf(b.type), kernel)
    kernel[I64[name]](
      left.cells,
      left.stride,
      right.cells,
      right.stride,
      frame.selection,
      frame.count,
      out,
    )
    return out
  })
}

function product(a: Compiled, b: Compiled, type: DataType): Compiled {
  return compiled(type, [a, b], (frame, x, y, kernel) => {
    const out = allocateCells(frame, type)
    kernel.multiplyI64(x.cells, x.stride, y.cells, y.stride, frame.selection, frame.count, out)
    return out
  })
}

function wideProduct(a: Compiled, b: Compiled, type: DataType): Compiled {
  return compiled(type, [a, b], (frame, x, y, kernel) => {
    const out = allocateCells(frame, type)
    kernel.multiplyWide(x.cells, x.stride, y.cells, y.stride, frame.selection, frame.count, out)
    return out
  })
}

/** Times 10^digits; the precision of the result leaves room for it. */
function scaledUp(
  frame: Frame,
  operand: Operand,
  digits: number,
  kernel: ArithmeticKernel,
): Operand {
  if (digits === 0) return operand
  const { memory, selection, count } = frame
  const factor = memory.arena.allocate(8)
  memory.i64[factor / 8] = powerOfTen(digits)
  const out = memory.arena.allocate(8 * frame.rowCount)
  if (operand.stride === 0) kernel.multiplyI64(operand.cells, 0, factor, 0, 0, 1, out)
  else kernel.multiplyI64(operand.cells, operand.stride, factor, 0, selection, count, out)
  return { ...operand, cells: out }
}
