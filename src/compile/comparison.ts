/** = <> < <= > >= over columns: what is true selects rows; a value is made from it. Texts compare bytewise, as in Flink. */
import { cellBytes, type DataType, layoutOf } from '../data/types.ts'
import { invariant } from '../errors.ts'
import { type SelectKernel, selectKernel } from '../kernels/select.ts'
import { WHOLE } from './arithmetic.ts'
import type { Frame, Selected } from './compiled.ts'
import { powerOfTen } from './decimals.ts'
import { selectionFor } from './frame-rows.ts'
import { allValid, type Compiled, filled, marksOf, operandOf, truths } from './vectors.ts'

export type ComparisonName =
  | 'EQUALS'
  | 'NOT_EQUALS'
  | 'LESS'
  | 'LESS_OR_EQUAL'
  | 'GREATER'
  | 'GREATER_OR_EQUAL'

type Bare = 'equal' | 'notEqual' | 'less' | 'lessOrEqual'
const KERNEL: Record<ComparisonName, { readonly name: Bare; readonly swapped: boolean }> = {
  EQUALS: { name: 'equal', swapped: false },
  NOT_EQUALS: { name: 'notEqual', swapped: false },
  LESS: { name: 'less', swapped: false },
  LESS_OR_EQUAL: { name: 'lessOrEqual', swapped: false },
  GREATER: { name: 'less', swapped: true },
  GREATER_OR_EQUAL: { name: 'lessOrEqual', swapped: true },
}

/** A compiled condition: the rows where it is TRUE. */
export type Selector = (frame: Frame) => Selected

/** Undefined if no kernel compares these types. */
export function comparisonSelector(
  name: ComparisonName,
  args: readonly Compiled[],
): Selector | undefined {
  const { name: bare, swapped } = KERNEL[name]
  const [left, right] = args as readonly [Compiled, Compiled]
  const alike = [scaledLike(left, right), scaledLike(right, left)] as const
  const [a, b] = swapped ? [alike[1], alike[0]] : alike
  const modulo = divisibility(name, args)
  if (modulo !== undefined) return modulo
  const layouts = new Set([layoutOf(a.type), layoutOf(b.type)])
  if (layouts.size !== 1) return undefined
  const isScaledAlike = scaleOf(a.type) === scaleOf(b.type)
  if (layouts.has('i64') && isScaledAlike) return cells(a, b, `${bare}I64`)
  if (layouts.has('i128') && isScaledAlike) return cells(a, b, `${bare}I128`)
  if (layouts.has('f64')) return cells(a, b, `${bare}F64`)
  if (layouts.has('bytes') && comparesBytes(a.type) && comparesBytes(b.type)) {
    if (bare === 'equal' || bare === 'notEqual') return bytes(a, b, bare === 'equal' ? 1 : 0)
  }
  return undefined
}

/** The comparison as a BOOLEAN, NULL where an operand is; undefined if no kernel compares these types. */
export function comparisonValue(
  name: ComparisonName,
  args: readonly Compiled[],
  type: DataType,
): Compiled | undefined {
  if (comparisonSelector(name, args) === undefined) return undefined
  return {
    type,
    ...marksOf(args),
    evaluate(frame) {
      const once = args.map((arg) => evaluated(arg, frame))
      const select = comparisonSelector(name, once)
      invariant(select !== undefined, `${name} has a kernel`)
      const validities = once.map(({ constant, evaluate }) =>
        constant === undefined || constant === null ? evaluate(frame).validity : 0,
      )
      return truths(frame, type, select(frame), allValid(frame, validities))
    },
  }
}

/** `value` as it is on `frame`, for what looks at it more than once. */
function evaluated(value: Compiled, frame: Frame): Compiled {
  const { type, constant } = value
  if (constant !== undefined && constant !== null) return value
  const vector = value.evaluate(frame)
  return { type, mark: value.mark, jsBecause: value.jsBecause, evaluate: () => vector }
}

function scaleOf(type: DataType): number {
  return type.kind === 'decimal' ? type.scale : 0
}

/** A whole or DECIMAL literal with the digits and in the layout of what it is compared with, where it has room there; else as it is. */
function scaledLike(value: Compiled, other: Compiled): Compiled {
  const { constant } = value
  if (other.type.kind !== 'decimal' || typeof constant !== 'bigint') return value
  if (value.type.kind !== 'decimal' && !WHOLE.has(value.type.kind)) return value
  const more = scaleOf(other.type) - scaleOf(value.type)
  if (more < 0) return value
  const scaled = constant * powerOfTen(more)
  if (BigInt.asIntN(8 * cellBytes(other.type), scaled) !== scaled) return value
  const type = { ...other.type, nullable: value.type.nullable }
  return { ...value, type, constant: scaled, evaluate: (frame) => filled(frame, type, scaled) }
}

/** CHAR is padded in no place here, so that equal text is equal bytes. */
function comparesBytes({ kind }: DataType): boolean {
  return kind === 'char' || kind === 'varchar' || kind === 'binary' || kind === 'varbinary'
}

function cells(a: Compiled, b: Compiled, name: `${Bare}${'I64' | 'F64' | 'I128'}`): Selector {
  return (frame) => {
    const [x, y] = [operandOf(a, frame), operandOf(b, frame)]
    const out = selectionFor(frame)
    const kernel: SelectKernel = selectKernel(frame.memory)
    const { selection, count } = frame
    const compare = kernel[name]
    const passed = compare(
      x.cells,
      x.stride,
      x.validity,
      y.cells,
      y.stride,
      y.validity,
      selection,
      count,
      out,
    )
    return { selection: out, count: passed }
  }
}

function bytes(a: Compiled, b: Compiled, wanted: 0 | 1): Selector {
  return (frame) => {
    const [x, y] = [operandOf(a, frame), operandOf(b, frame)]
    const out = selectionFor(frame)
    const { selection, count } = frame
    const passed = selectKernel(frame.memory).bytesEqual(
      x.cells,
      x.stride,
      x.validity,
      y.cells,
      y.stride,
      y.validity,
      selection,
      count,
      wanted,
      out,
    )
    return { selection: out, count: passed }
  }
}

/** MOD(x, constant) = 0 needs no division. */
function divisibility(name: ComparisonName, args: readonly Compiled[]): Selector | undefined {
  if (name !== 'EQUALS' && name !== 'NOT_EQUALS') return undefined
  const [a, b] = args as readonly [Compiled, Compiled]
  const { modulo } = a
  if (modulo === undefined || b.constant !== 0n) return undefined
  const { inverse, limit, shift } = multiplesOf(modulo.divisor)
  const wanted = name === 'EQUALS' ? 1 : 0
  return (frame) => {
    const { cells, validity } = modulo.dividend.evaluate(frame)
    const out = selectionFor(frame)
    const passed = selectKernel(frame.memory).divisible(
      cells,
      validity,
      frame.selection,
      frame.count,
      inverse,
      limit,
      shift,
      wanted,
      out,
    )
    return { selection: out, count: passed }
  }
}

/** `divisor` > 0 as odd * 2^shift, with the inverse of `odd` modulo 2^64 (Newton's iteration). */
function multiplesOf(divisor: bigint): {
  readonly inverse: bigint
  readonly limit: bigint
  readonly shift: bigint
} {
  let [odd, shift] = [divisor, 0n]
  while (odd % 2n === 0n) {
    odd /= 2n
    shift++
  }
  if (odd === 1n) {
    // Its low bits, shifted to the top, are 0; the least integer, which has no opposite, among them.
    return { inverse: BigInt.asIntN(64, 1n << (64n - shift)), limit: 0n, shift: 0n }
  }
  let inverse = odd
  for (let step = 0; step < 6; step++) inverse = BigInt.asUintN(64, inverse * (2n - odd * inverse))
  const most = ((1n << 63n) - 1n) / odd
  return { inverse: BigInt.asIntN(64, inverse), limit: (most >> shift) << shift, shift }
}
