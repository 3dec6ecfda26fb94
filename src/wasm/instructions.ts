/** The instructions that emitted code uses, by value type. Names follow the WebAssembly specification. */
import { invariant } from '../errors.ts'
import {
  type Expression,
  expression,
  type Label,
  type Local,
  type Statement,
  signed,
  statement,
  type Tree,
  unsigned,
  type ValueType,
} from './code.ts'

type I32 = Expression<'i32'>
type I64 = Expression<'i64'>
type F64 = Expression<'f64'>
type V128 = Expression<'v128'>

const SIMD = 0xfd
const simd = (opcode: number): Tree => [SIMD, unsigned(opcode)]
const codes = (parts: readonly (Statement | Expression<ValueType>)[]): Tree[] =>
  parts.map((part) => part.code)

/** `(left, right) -> result` of one opcode. */
function binary<In extends ValueType, Out extends ValueType>(out: Out, opcode: Tree) {
  return (left: Expression<In>, right: Expression<In>): Expression<Out> =>
    expression(out, left.code, right.code, opcode)
}
function unary<In extends ValueType, Out extends ValueType>(out: Out, opcode: Tree) {
  return (value: Expression<In>): Expression<Out> => expression(out, value.code, opcode)
}
/** SIMD shifts take their count as an i32. */
function shift(opcode: number) {
  return (value: V128, count: I32): V128 => expression('v128', value.code, count.code, simd(opcode))
}
// Alignment is a hint only; 0 (one byte) is right for every address.
function load<Out extends ValueType>(out: Out, opcode: Tree) {
  return (address: I32, offset = 0): Expression<Out> =>
    expression(out, address.code, opcode, 0, unsigned(offset))
}
function store<In extends ValueType>(opcode: Tree) {
  return (address: I32, value: Expression<In>, offset = 0): Statement =>
    statement(address.code, value.code, opcode, 0, unsigned(offset))
}

export function get<Type extends ValueType>(local: Local<Type>): Expression<Type> {
  return expression(local.localType, 0x20, unsigned(local.index))
}
export function set<Type extends ValueType>(
  local: Local<Type>,
  value: Expression<Type>,
): Statement {
  return statement(value.code, 0x21, unsigned(local.index))
}
export function tee<Type extends ValueType>(
  local: Local<Type>,
  value: Expression<Type>,
): Expression<Type> {
  return expression(local.localType, value.code, 0x22, unsigned(local.index))
}

export const i32 = {
  const: (value: number): I32 => expression('i32', 0x41, signed(BigInt(value | 0))),
  load: load('i32', 0x28),
  load8: load('i32', 0x2d),
  load16: load('i32', 0x2f),
  store: store<'i32'>(0x36),
  store8: store<'i32'>(0x3a),
  eqz: unary<'i32', 'i32'>('i32', 0x45),
  eq: binary<'i32', 'i32'>('i32', 0x46),
  ne: binary<'i32', 'i32'>('i32', 0x47),
  ltS: binary<'i32', 'i32'>('i32', 0x48),
  ltU: binary<'i32', 'i32'>('i32', 0x49),
  gtS: binary<'i32', 'i32'>('i32', 0x4a),
  gtU: binary<'i32', 'i32'>('i32', 0x4b),
  geU: binary<'i32', 'i32'>('i32', 0x4f),
  ctz: unary<'i32', 'i32'>('i32', 0x68),
  add: binary<'i32', 'i32'>('i32', 0x6a),
  sub: binary<'i32', 'i32'>('i32', 0x6b),
  mul: binary<'i32', 'i32'>('i32', 0x6c),
  and: binary<'i32', 'i32'>('i32', 0x71),
  or: binary<'i32', 'i32'>('i32', 0x72),
  xor: binary<'i32', 'i32'>('i32', 0x73),
  shl: binary<'i32', 'i32'>('i32', 0x74),
  shrU: binary<'i32', 'i32'>('i32', 0x76),
  wrap: unary<'i64', 'i32'>('i32', 0xa7),
} as const

export const i64 = {
  const: (value: bigint): I64 => expression('i64', 0x42, signed(BigInt.asIntN(64, value))),
  load: load('i64', 0x29),
  store: store<'i64'>(0x37),
  eqz: unary<'i64', 'i32'>('i32', 0x50),
  eq: binary<'i64', 'i32'>('i32', 0x51),
  ne: binary<'i64', 'i32'>('i32', 0x52),
  gtU: binary<'i64', 'i32'>('i32', 0x56),
  ctz: unary<'i64', 'i64'>('i64', 0x7a),
  add: binary<'i64', 'i64'>('i64', 0x7c),
  sub: binary<'i64', 'i64'>('i64', 0x7d),
  mul: binary<'i64', 'i64'>('i64', 0x7e),
  and: binary<'i64', 'i64'>('i64', 0x83),
  or: binary<'i64', 'i64'>('i64', 0x84),
  xor: binary<'i64', 'i64'>('i64', 0x85),
  shl: binary<'i64', 'i64'>('i64', 0x86),
  shrU: binary<'i64', 'i64'>('i64', 0x88),
  extendU: unary<'i32', 'i64'>('i64', 0xad),
} as const

export const f64 = {
  load: load('f64', 0x2b),
  store: store<'f64'>(0x39),
  div: binary<'f64', 'f64'>('f64', 0xa3),
  mul: binary<'f64', 'f64'>('f64', 0xa2),
  convertI64: unary<'i64', 'f64'>('f64', 0xb9),
  /** Rounded to single, widened again. */
  roundToSingle: (value: F64): F64 => expression('f64', value.code, 0xb6, 0xbb),
} as const

export const v128 = {
  const: (bytes: ArrayLike<number>): V128 => {
    invariant(bytes.length === 16, 'a v128 has 16 bytes')
    return expression('v128', simd(12), Array.from(bytes))
  },
  load: load('v128', simd(0)),
  store: store<'v128'>(simd(11)),
  and: binary<'v128', 'v128'>('v128', simd(78)),
  andnot: binary<'v128', 'v128'>('v128', simd(79)),
  or: binary<'v128', 'v128'>('v128', simd(80)),
  xor: binary<'v128', 'v128'>('v128', simd(81)),
  anyTrue: unary<'v128', 'i32'>('i32', simd(83)),
} as const

export const i8x16 = {
  eq: binary<'v128', 'v128'>('v128', simd(35)),
  ltS: binary<'v128', 'v128'>('v128', simd(37)),
  gtS: binary<'v128', 'v128'>('v128', simd(39)),
  gtU: binary<'v128', 'v128'>('v128', simd(40)),
  bitmask: unary<'v128', 'i32'>('i32', simd(100)),
  add: binary<'v128', 'v128'>('v128', simd(110)),
} as const

export const i16x8 = {
  mul: binary<'v128', 'v128'>('v128', simd(149)),
  shrU: shift(141),
  /** Saturating, signed: two vectors of i32 to one of i16. */
  narrowFrom32: binary<'v128', 'v128'>('v128', simd(133)),
} as const

export const i32x4 = {
  dotI16: binary<'v128', 'v128'>('v128', simd(186)),
} as const

export const i64x2 = {
  extract: (value: V128, lane: 0 | 1): I64 => expression('i64', value.code, simd(29), lane),
} as const

/** `condition ? yes : no`, both evaluated. */
export function select<Type extends ValueType>(
  yes: Expression<Type>,
  no: Expression<Type>,
  condition: I32,
): Expression<Type> {
  return expression(yes.type, yes.code, no.code, condition.code, 0x1b)
}

/** A branch to the label it is built with leaves the block. */
export function block(build: (end: Label) => readonly Statement[]): Statement {
  const label: Label = { name: 'block' }
  return statement({ label, opcode: 0x02, body: codes(build(label)) })
}
/** A branch to the label starts the next round; falling off the end leaves the loop. */
export function loop(build: (start: Label) => readonly Statement[]): Statement {
  const label: Label = { name: 'loop' }
  return statement({ label, opcode: 0x03, body: codes(build(label)) })
}
export function when(
  condition: I32,
  body: readonly Statement[],
  otherwise?: readonly Statement[],
): Statement {
  const nest = { label: { name: 'if' }, opcode: 0x04, body: codes(body) }
  return statement(
    condition.code,
    otherwise === undefined ? nest : { ...nest, otherwise: codes(otherwise) },
  )
}
export function branch(to: Label): Statement {
  return statement({ opcode: 0x0c, to })
}
export function branchIf(to: Label, condition: I32): Statement {
  return statement(condition.code, { opcode: 0x0d, to })
}
export function returnValue(value: Expression<ValueType>): Statement {
  return statement(value.code, 0x0f)
}
export function memoryFill(address: I32, value: I32, bytes: I32): Statement {
  return statement(address.code, value.code, bytes.code, 0xfc, 11, 0)
}
export function memoryCopy(to: I32, from: I32, bytes: I32): Statement {
  return statement(to.code, from.code, bytes.code, 0xfc, 10, 0, 0)
}
