/** CAST and TRY_CAST: kernels between numbers, values a row at a time for the rest. */
import type { Pointer } from '../data/memory.ts'
import { type DataType, layoutOf } from '../data/types.ts'
import { arithmeticKernel } from '../kernels/arithmetic.ts'
import { typeText } from '../plan/functions/type-text.ts'
import type { EvaluationContext, Frame } from './compiled.ts'
import { powerOfTen } from './decimals.ts'
import { forEachRow } from './frame-rows.ts'
import { RowFailure } from './row-failure.ts'
import { compileRowFunction } from './row-function.ts'
import type { Value } from './value.ts'
import { BITS, type Cast, castOf } from './value-cast.ts'
import { allocateCells, type Compiled, filled, marksOf } from './vectors.ts'

const DIGITS: Partial<Record<DataType['kind'], number>> = {
  tinyint: 3,
  smallint: 5,
  int: 10,
  bigint: 19,
}

/** `safe` is TRY_CAST: NULL where the cast fails. */
export function compileCast(input: Compiled, type: DataType, safe: boolean): Compiled {
  if (input.constant === null) return constantOf(type, null)
  if (keepsCells(input.type, type)) return retyped(input, type)
  const folded = foldedCast(input, type)
  if (folded !== undefined) return folded
  const kernel = castKernel(input, type)
  if (kernel !== undefined) return kernel
  const cast = castOf(input.type, type)
  const call = safe ? nullOnFailure(cast) : cast
  return compileRowFunction(
    {
      nulls: 'strict',
      prepare:
        () =>
        ([value], context) =>
          call(value!, context),
    },
    {
      name: `CAST(${input.type.kind} AS ${type.kind})`,
      args: [input.type],
      type,
      constants: [input.constant],
      expressions: [],
      random: () => 0,
    },
    [input],
  )
}

function constantOf(type: DataType, constant: Value): Compiled {
  return {
    type,
    mark: 'kernel',
    jsBecause: [],
    constant,
    evaluate: (frame) => filled(frame, type, constant),
  }
}

/** A literal number is cast when the query is compiled; one that can't be fails with its rows. */
function foldedCast({ constant, type: from }: Compiled, to: DataType): Compiled | undefined {
  const isNumber = typeof constant === 'bigint' || typeof constant === 'number'
  if (!isNumber || !isFoldable(from) || !isFoldable(to)) return undefined
  const result = castOf(from, to)(constant, NO_CONTEXT)
  // One that overflows is counted with its rows.
  return result === null ? undefined : constantOf(to, result)
}

function isFoldable({ kind }: DataType): boolean {
  return kind === 'decimal' || kind === 'float' || kind === 'double' || BITS[kind] !== undefined
}

/** Casts between numbers look at nothing of it. */
const NO_CONTEXT: EvaluationContext = {
  nowUs: () => 0n,
  timeZone: 'UTC',
  overflow: 'wrap',
  fail: () => undefined,
  count: () => undefined,
}

function nullOnFailure(cast: Cast): Cast {
  return (value, context) => {
    try {
      return cast(value, context)
    } catch (error) {
      if (error instanceof RowFailure) return null
      throw error
    }
  }
}

function retyped(input: Compiled, type: DataType): Compiled {
  return { ...input, type, evaluate: (frame) => ({ ...input.evaluate(frame), type }) }
}

/** Whether every value of `from` is, as cells, one of `to`. */
function keepsCells(from: DataType, to: DataType): boolean {
  if (from.kind === 'array' || from.kind === 'map' || from.kind === 'row') {
    return JSON.stringify({ ...from, nullable: true }) === JSON.stringify({ ...to, nullable: true })
  }
  const [fromBits, toBits] = [BITS[from.kind], BITS[to.kind]]
  if (fromBits !== undefined && toBits !== undefined) return fromBits <= toBits
  if (from.kind === 'float' && to.kind === 'double') return true
  if (to.kind === 'varchar' && (from.kind === 'char' || from.kind === 'varchar'))
    return from.length <= to.length
  if (to.kind === 'varbinary' && (from.kind === 'binary' || from.kind === 'varbinary'))
    return from.length <= to.length
  if (from.kind !== to.kind) return false
  switch (from.kind) {
    case 'decimal':
      return (
        to.kind === 'decimal' &&
        layoutOf(from) === layoutOf(to) &&
        from.scale === to.scale &&
        from.precision <= to.precision
      )
    case 'time':
    case 'timestamp':
    case 'timestamp_ltz':
      return 'precision' in to && Math.min(6, from.precision) <= to.precision
    case 'char':
    case 'binary':
      return 'length' in to && from.length === to.length
    default:
      return true
  }
}

function castKernel(input: Compiled, type: DataType): Compiled | undefined {
  const from = input.type
  const compute = cellKernel(from, type)
  if (compute === undefined) return undefined
  return {
    type,
    ...marksOf([input]),
    evaluate(frame) {
      const { cells, validity } = input.evaluate(frame)
      const out = allocateCells(frame, type)
      compute(frame, cells, out, validity)
      return { type, cells: out, validity }
    },
  }
}

/** Told the validity, since NULL cells are any bits. */
type CellKernel = (frame: Frame, cells: Pointer, out: Pointer, validity: Pointer) => void

function cellKernel(from: DataType, to: DataType): CellKernel | undefined {
  const [fromBits, toBits] = [BITS[from.kind], BITS[to.kind]]
  if (fromBits !== undefined && toBits !== undefined) return narrowing(toBits, to)
  if (to.kind === 'double' || to.kind === 'float') return toFloating(from, to.kind === 'float')
  if ((from.kind === 'double' || from.kind === 'float') && toBits !== undefined)
    return toWhole(toBits)
  if (to.kind === 'decimal' && fromBits !== undefined) return wholeToDecimal(from, to)
  const isMoment =
    from.kind === 'timestamp' || from.kind === 'timestamp_ltz' || from.kind === 'time'
  if (isMoment && from.kind === to.kind) {
    const size = powerOfTen(6 - to.precision)
    return ({ memory, selection, count }, cells, out) =>
      arithmeticKernel(memory).floorTo(cells, size, 0n, selection, count, out)
  }
  return undefined
}

function narrowing(bits: number, to: DataType): CellKernel {
  return (frame, cells, out, validity) => {
    const { memory, selection, count, context } = frame
    const shift = BigInt(64 - bits)
    if (arithmeticKernel(memory).narrow(cells, shift, selection, count, out) === 0n) return
    let overflows = 0
    forEachRow(frame, (row) => {
      if (validity !== 0 && ((memory.u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0) return
      const value = memory.i64[cells / 8 + row]!
      if (value === memory.i64[out / 8 + row]) return
      overflows++
      if (context.overflow === 'error')
        context.fail(row, `${value} does not fit into ${typeText(to)}`)
    })
    if (overflows > 0) context.count('overflow', overflows)
  }
}

function toFloating(from: DataType, single: boolean): CellKernel | undefined {
  if (from.kind === 'double' && single) {
    return ({ memory, selection, count }, cells, out) =>
      arithmeticKernel(memory).toSingle(cells, selection, count, out)
  }
  const scale = from.kind === 'decimal' ? from.scale : 0
  if (layoutOf(from) !== 'i64' || (from.kind !== 'decimal' && BITS[from.kind] === undefined))
    return undefined
  return ({ memory, selection, count }, cells, out) => {
    const kernel = arithmeticKernel(memory)
    kernel.toF64(cells, 10 ** scale, selection, count, out)
    if (single) kernel.toSingle(out, selection, count, out)
  }
}

/** Java's: through INT for the smaller ones, which then wrap. */
function toWhole(bits: number): CellKernel {
  const [least, most] = bits === 64 ? [-(2 ** 63), 2 ** 63] : [-(2 ** 31), 2 ** 31 - 1]
  return ({ memory, selection, count }, cells, out) => {
    const kernel = arithmeticKernel(memory)
    kernel.toI64(cells, least, most, selection, count, out)
    if (bits < 32) kernel.narrow(out, BigInt(64 - bits), selection, count, out)
  }
}

function wholeToDecimal(
  from: DataType,
  to: Extract<DataType, { kind: 'decimal' }>,
): CellKernel | undefined {
  // Where digits could be too many the row is NULL: not a kernel's matter.
  if (to.precision - to.scale < DIGITS[from.kind]!) return undefined
  const factor = powerOfTen(to.scale)
  if (to.scale > 18) return undefined
  return ({ memory, selection, count }, cells, out) => {
    const kernel = arithmeticKernel(memory)
    const constant = memory.arena.allocate(8)
    memory.i64[constant / 8] = factor
    if (layoutOf(to) === 'i64') kernel.multiplyI64(cells, 8, constant, 0, selection, count, out)
    else kernel.multiplyWide(cells, 8, constant, 0, selection, count, out)
  }
}
