/** Functions of numbers. */
import type { DataType } from '../../data/types.ts'
import {
  absolute,
  decimalOfNumber,
  dividedHalfUp,
  fitting,
  powerOfTen,
  rescaled,
} from '../decimals.ts'
import { failRow } from '../row-failure.ts'
import { type CallShape, type RowCall, type RowFunction, shaped, strict } from '../row-function.ts'
import type { Value } from '../value.ts'
import { javaRandom } from './java-random.ts'

const BITS: Partial<Record<DataType['kind'], number>> = {
  tinyint: 8,
  smallint: 16,
  int: 32,
  bigint: 64,
}

export const numberFunctions: Readonly<Record<string, RowFunction>> = {
  ABS: shaped(({ type }) => {
    const bits = BITS[type.kind]
    return ([value]) => {
      if (typeof value === 'number') return Math.abs(value)
      const size = absolute(value as bigint)
      return bits === undefined ? size : BigInt.asIntN(bits, size)
    }
  }),
  SIGN: shaped(({ type }) => {
    const one = powerOfTen(type.kind === 'decimal' ? type.scale : 0)
    return ([value]) => {
      if (typeof value === 'number') return Math.sign(value)
      return (value as bigint) > 0n ? one : (value as bigint) < 0n ? -one : 0n
    }
  }),
  ROUND: shaped((shape) => roundedTo(shape, dividedHalfUp)),
  TRUNCATE: shaped((shape) => roundedTo(shape, (value, divisor) => value / divisor)),
  POWER: real((x, y) => x ** y),
  SQRT: real(Math.sqrt),
  CBRT: real(Math.cbrt),
  EXP: real(Math.exp),
  LN: real(Math.log),
  LOG10: real(Math.log10),
  LOG2: real(Math.log2),
  LOG: strict(([a, b]) =>
    b === undefined ? Math.log(a as number) : Math.log(b as number) / Math.log(a as number),
  ),
  SIN: real(Math.sin),
  COS: real(Math.cos),
  TAN: real(Math.tan),
  COT: real((x) => 1 / Math.tan(x)),
  SINH: real(Math.sinh),
  COSH: real(Math.cosh),
  TANH: real(Math.tanh),
  ASIN: real(Math.asin),
  ACOS: real(Math.acos),
  ATAN: real(Math.atan),
  ATAN2: real(Math.atan2),
  DEGREES: real((x) => x * (180 / Math.PI)),
  RADIANS: real((x) => (x / 180) * Math.PI),
  PI: strict(() => Math.PI),
  E: strict(() => Math.E),
  RAND: shaped(random),
  RAND_INTEGER: shaped(randomInteger),
  BIN: strict(([value]) => BigInt.asUintN(64, value as bigint).toString(2)),
  HEX: strict(([value]) =>
    typeof value === 'string'
      ? Buffer.from(value).toString('hex').toUpperCase()
      : BigInt.asUintN(64, value as bigint)
          .toString(16)
          .toUpperCase(),
  ),
  UNHEX: strict(([text]) => bytesOfHex(text as string)),
  BITAND: strict(([a, b]) => (a as bigint) & (b as bigint)),
  BITOR: strict(([a, b]) => (a as bigint) | (b as bigint)),
  BITXOR: strict(([a, b]) => (a as bigint) ^ (b as bigint)),
  BITNOT: strict(([a]) => ~(a as bigint)),
}

function real(compute: (x: number, y: number) => number): RowFunction {
  return strict(([x, y]) => compute(x as number, y as number))
}

/** `divide` rounds a quotient by a positive divisor to a whole number. */
function roundedTo(
  { args, type }: CallShape,
  divide: (value: bigint, divisor: bigint) => bigint,
): RowCall {
  const scale = args[0]!.kind === 'decimal' ? args[0]!.scale : 0
  const cutTo = (unscaled: bigint, from: number, digits: number): bigint => {
    if (digits >= from) return unscaled
    const divisor = powerOfTen(from - digits)
    return divide(unscaled, divisor) * divisor
  }
  return ([value, told]) => {
    const digits = Math.max(-40, Math.min(40, Number(told ?? 0n)))
    if (typeof value !== 'number') {
      const cut = cutTo(value as bigint, scale, digits)
      if (type.kind !== 'decimal') return cut
      return fitting(rescaled(cut, scale, type.scale), type.precision)
    }
    const exact = decimalOfNumber(value, 340)
    if (exact === undefined) return value
    return scaledNumber(cutTo(exact, 340, digits))
  }
}

function scaledNumber(unscaled: bigint): number {
  const digits = absolute(unscaled).toString()
  const sign = unscaled < 0n ? -1 : 1
  return sign * Number(`${digits}e-340`)
}

function random({ constants, random: draw }: CallShape): RowCall {
  if (constants.length === 0) return () => draw()
  const [seed] = constants
  if (typeof seed === 'bigint') {
    const sequence = javaRandom(seed)
    return () => sequence.nextDouble()
  }
  return ([told]) => javaRandom(told as bigint).nextDouble()
}

function randomInteger({ constants, args, random: draw }: CallShape): RowCall {
  const bounded = (bound: Value | undefined): number =>
    (bound as bigint) > 0n ? Number(bound) : failRow('the bound of RAND_INTEGER must be positive')
  if (args.length === 1) return ([bound]) => BigInt(Math.floor(draw() * bounded(bound)))
  const [seed] = constants
  if (typeof seed === 'bigint') {
    const sequence = javaRandom(seed)
    return ([, bound]) => BigInt(sequence.nextInt(bounded(bound)))
  }
  return ([told, bound]) => BigInt(javaRandom(told as bigint).nextInt(bounded(bound)))
}

function bytesOfHex(text: string): Uint8Array | null {
  if (!/^[0-9a-fA-F]*$/.test(text)) return null
  return new Uint8Array(Buffer.from(text.length % 2 === 1 ? `0${text}` : text, 'hex'))
}
