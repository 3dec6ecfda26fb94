/** Code that reads numbers: sixteen bytes at a time, right-aligned, so that their length takes no branch. */
import type { JsonNode } from '../../kernels/json-tree.ts'
import type { Expression, Label, Statement } from '../../wasm/code.ts'
import {
  branchIf,
  f64,
  get,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64,
  i64x2,
  select,
  set,
  tee,
  v128,
} from '../../wasm/instructions.ts'
import type { Segment } from './layout.ts'
import {
  advance,
  type Context,
  type Lane,
  type Place,
  repeat,
  withRareForms,
} from './projection-context.ts'

/** Address of the tables: 16 zeros, 16 bytes of 15, then 10^k as f64, then as i64, k = 0..18. */
export const TABLES_BYTES = 32 + 2 * 19 * 8
const TENS_F64 = 32
const TENS_I64 = 32 + 19 * 8

export function fillTables(u8: Uint8Array, at: number): void {
  u8.fill(0, at, at + 16)
  u8.fill(15, at + 16, at + 32)
  const view = new DataView(u8.buffer)
  for (let power = 0; power < 19; power++) {
    view.setFloat64(at + TENS_F64 + 8 * power, Number(`1e${power}`), true)
    view.setBigInt64(at + TENS_I64 + 8 * power, 10n ** BigInt(power), true)
  }
}

const INTEGER_MAX: Readonly<Record<string, bigint>> = {
  tinyint: 127n,
  smallint: 32767n,
  int: 2147483647n,
}
const pairs = (even: number, odd: number) =>
  new Uint8Array(new Int16Array([even, odd, even, odd, even, odd, even, odd]).buffer)

/** [1-9][0-9]{0,14}, and 0 where it is expected: the number loaded right-aligned from its end, whatever its length. */
export function integer(context: Context, segment: Segment, place: Place): readonly Statement[] {
  return withRareForms(context, segment, place, (rare) => {
    const { lane, cell } = place
    const kind = segment.node?.type.kind
    const max = kind === undefined ? undefined : INTEGER_MAX[kind]
    const digits = v128.and(
      v128.load(i32.sub(get(lane.at), i32.const(16))),
      v128.load(get(lane.count), context.tables),
    )
    const value = spelled(context, lane, digits)
    return [
      branchIf(rare, i32.eqz(tee(lane.mask, notDigits(context, lane)))),
      branchIf(rare, segment.zeros ? startsWrong(lane) : startsRarely(lane)),
      set(lane.count, i32.ctz(get(lane.mask))),
      // Moves before it is certain: a rare form must be able to start anew.
      ...(max === undefined
        ? [
            advance(lane, get(lane.count)),
            ...(kind === undefined ? [] : [i64.store(cell.address, value, cell.offset)]),
          ]
        : [
            advance(lane, get(lane.count)),
            set(lane.other, value),
            branchIf(place.miss, i64.gtU(get(lane.other), i64.const(max))),
            i64.store(cell.address, get(lane.other), cell.offset),
          ]),
    ]
  })
}

/** No digit from 1 to 9: a sign, a 0, or no number at all. */
function startsRarely({ at }: Lane): Expression<'i32'> {
  return i32.gtU(i32.sub(i32.load8(get(at)), i32.const(49)), i32.const(8))
}

/** No digit, or a 0 with a digit behind it: bits 0 and 1 of the mask of bytes that are no digits. */
function startsWrong({ at, mask }: Lane): Expression<'i32'> {
  const zero = i32.shl(i32.eq(i32.load8(get(at)), i32.const(48)), i32.const(1))
  return i32.and(i32.xor(get(mask), i32.const(2)), i32.or(zero, i32.const(1)))
}

/** [0-9]{1,14}(.[0-9]+)? within 15 bytes; the dot is masked out by a second, shifted load. */
export function fraction(context: Context, segment: Segment, place: Place): readonly Statement[] {
  return withRareForms(context, segment, place, (rare) => {
    const { lane } = place
    const { count, mask, end, dot, at } = lane
    return [
      set(mask, notDigits(context, lane)),
      set(count, i32.ctz(get(mask))),
      branchIf(rare, i32.gtU(i32.sub(get(count), i32.const(1)), i32.const(13))),
      // No leading zero but in 0 itself.
      branchIf(
        rare,
        i32.and(i32.eq(i32.load8(get(at)), i32.const(48)), i32.ne(get(count), i32.const(1))),
      ),
      set(dot, i32.eq(i32.load8(i32.add(get(at), get(count))), i32.const(46))),
      set(
        end,
        select(i32.ctz(i32.and(get(mask), i32.sub(get(mask), i32.const(1)))), get(count), get(dot)),
      ),
      branchIf(rare, i32.gtU(get(end), i32.const(15))),
      branchIf(rare, i32.and(get(dot), i32.eqz(behindDotOf(lane)))),
      ...(segment.node === undefined ? [] : storeFraction(context, segment.node, place, rare)),
      advance(lane, get(end)),
    ]
  })
}

/** Stores the number whose digits have been found; a column's scale may send it to `rare`. */
function storeFraction(
  context: Context,
  node: JsonNode,
  { lane, cell }: Place,
  rare: Label,
): Statement[] {
  const behindDot = behindDotOf(lane)
  const digits = spelled(context, lane, withoutDot(context, lane))
  if (node.type.kind === 'decimal') {
    const { precision, scale } = node.type
    const missing = i32.shl(i32.sub(i32.const(scale), behindDot), i32.const(3))
    const unscaled = i64.mul(digits, i64.load(missing, context.tables + TENS_I64))
    return [
      branchIf(rare, i32.gtU(behindDot, i32.const(scale))),
      branchIf(rare, i32.gtU(get(lane.count), i32.const(precision - scale))),
      i64.store(cell.address, unscaled, cell.offset),
    ]
  }
  // Exact: at most 15 digits are below 2^53, and one division by a power of ten rounds once.
  const power = f64.load(i32.shl(behindDot, i32.const(3)), context.tables + TENS_F64)
  const value = f64.div(f64.convertI64(digits), power)
  const rounded = node.type.kind === 'float' ? f64.roundToSingle(value) : value
  return [f64.store(cell.address, rounded, cell.offset)]
}

const behindDotOf = ({ count, end, dot }: Lane) => i32.sub(i32.sub(get(end), get(count)), get(dot))

/** The digits without their dot, where `count` stand before it and the number ends at `end`; at most 15. */
function withoutDot({ tables }: Context, lane: Lane): Expression<'v128'> {
  const { end, dot, at } = lane
  const after = v128.load(behindDotOf(lane), tables)
  const ending = i32.add(get(at), get(end))
  const low = v128.and(v128.load(i32.sub(ending, i32.const(16))), tee(lane.keep, after))
  const before = v128.load(i32.sub(i32.sub(ending, get(dot)), i32.const(16)))
  const all = v128.load(i32.sub(get(end), get(dot)), tables)
  return v128.or(low, v128.andnot(v128.and(before, all), get(lane.keep)))
}

/** One bit for each of the next 16 bytes that is no digit. */
function notDigits({ constant }: Context, { at }: Lane): Expression<'i32'> {
  const moved = i8x16.add(v128.load(get(at)), constant(repeat(0x50)))
  return i8x16.bitmask(i8x16.gtS(moved, constant(repeat(-119))))
}

/** 16 bytes, each 0..9, as the number they spell: pairs, fours, eights, then two halves. */
function spelled({ constant }: Context, lane: Lane, digits: Expression<'v128'>): Expression<'i64'> {
  const twos = i16x8.shrU(i16x8.mul(digits, constant(pairs(2561, 2561))), i32.const(8))
  const fours = tee(lane.bytes, i32x4.dotI16(twos, constant(pairs(100, 1))))
  const packed = i16x8.narrowFrom32(fours, get(lane.bytes))
  const eights = i32x4.dotI16(packed, constant(pairs(10000, 1)))
  const halves = tee(lane.word, i64x2.extract(eights, 0))
  return i64.add(
    i64.mul(i64.and(halves, i64.const(0xffffffffn)), i64.const(100000000n)),
    i64.shrU(get(lane.word), i64.const(32n)),
  )
}
