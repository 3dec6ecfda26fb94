/** Code that reads strings, times and truth, and compares the literals between values. */
import type { Expression, Label, Local, Statement } from '../../wasm/code.ts'
import {
  block,
  branchIf,
  get,
  i8x16,
  i32,
  i64,
  loop,
  set,
  tee,
  v128,
  when,
} from '../../wasm/instructions.ts'
import { call } from '../../wasm/module.ts'
import type { Segment } from './layout.ts'
import { advance, type Context, type Place, repeat } from './projection-context.ts'

const HIGH_BITS = 0x8080808080808080n
const NO_DAY = -(1n << 63n)
const US_PER_DAY = 86_400_000_000n

/** Up to a quote, a backslash, a control byte or one that is not ASCII; the next literal checks that it is the quote. */
export function string(
  { constant, limit, cold }: Context,
  segment: Segment,
  { lane, cell, miss, alone, stop }: Place,
): Statement[] {
  const statements: Statement[] = []
  const stored = segment.node !== undefined
  if (stored)
    statements.push(
      i32.store(cell.address, get(lane.at), cell.offset),
      set(lane.count, get(lane.at)),
    )
  statements.push(
    block((found) => [
      loop((again) => [
        set(lane.bytes, v128.load(get(lane.at))),
        branchIf(
          found,
          tee(
            lane.mask,
            i8x16.bitmask(
              v128.or(
                // x ^ 2 is below 33, as a signed byte, for 0..31, 34 and 128..255.
                i8x16.ltS(v128.xor(get(lane.bytes), constant(repeat(2))), constant(repeat(33))),
                i8x16.eq(get(lane.bytes), constant(repeat(92))),
              ),
            ),
          ),
        ),
        set(lane.at, i32.add(get(lane.at), i32.const(16))),
        branchIf(again, i32.ltU(get(lane.at), get(limit))),
      ]),
    ]),
    advance(lane, i32.ctz(get(lane.mask))),
  )
  if (alone)
    statements.push(
      when(i32.ne(i32.load8(get(lane.at)), i32.const(34)), [
        branchIf(miss, i32.eqz(tee(lane.end, call(cold.string, 'i32', get(lane.at), stop())))),
        set(lane.at, get(lane.end)),
      ]),
    )
  if (stored)
    statements.push(
      i32.store(cell.address, i32.sub(get(lane.at), get(lane.count)), cell.offset + 4),
    )
  return statements
}

export function boolean(segment: Segment, { lane, cell, miss }: Place): Statement[] {
  const { at, count, mask } = lane
  const isFalse = i32.and(
    i32.eq(i32.load(get(at)), i32.const(0x736c6166)),
    i32.eq(i32.load8(get(at), 4), i32.const(101)),
  )
  return [
    set(count, i32.eq(i32.load(get(at)), i32.const(0x65757274))),
    set(mask, isFalse),
    branchIf(miss, i32.eqz(i32.or(get(count), get(mask)))),
    ...(segment.node === undefined
      ? []
      : [i64.store(cell.address, i64.extendU(get(count)), cell.offset)]),
    advance(lane, i32.sub(i32.const(5), get(count))),
  ]
}

/** YYYY-MM-DD as last seen, its days cached; HH:MM:SS[.mmm] validated and converted as words. */
export function time(context: Context, segment: Segment, place: Place): Statement[] {
  const { lane, cell, miss, alone } = place
  const { first, second, base } = context.dateCache(segment)
  const { at, word, other, count } = lane
  const differs = i64.ne(
    i64.or(i64.xor(i64.load(get(at)), get(first)), i64.xor(i64.load(get(at), 2), get(second))),
    i64.const(0n),
  )
  const day = call(context.cold.day, 'i64', get(at))
  const statements: Statement[] = [
    alone
      ? when(differs, [
          branchIf(miss, i64.eq(tee(word, day), i64.const(NO_DAY))),
          set(base, i64.mul(get(word), i64.const(US_PER_DAY))),
          set(first, i64.load(get(at))),
          set(second, i64.load(get(at), 2)),
        ])
      : branchIf(miss, differs),
    set(other, i64.xor(i64.load(get(at), 10), i64.const(textWord(`${segment.separator}00:00:0`)))),
    within(miss, other, [0, 2, 9, 0, 5, 9, 0, 9]),
    branchIf(miss, i32.gtU(tee(count, twoDigits(other, 8)), i32.const(23))),
  ]
  const minutes = i32.add(i32.mul(get(count), i32.const(60)), twoDigits(other, 32))
  const minutesUs = i64.mul(i64.extendU(minutes), i64.const(60_000_000n))
  const seconds = segment.fraction === 3 ? secondsWithMillis : secondsAlone
  const { checks, us } = seconds(place, segment.node?.type.kind === 'timestamp_ltz' ? 'Z' : '"')
  return [
    ...statements,
    ...checks,
    i64.store(cell.address, i64.add(get(base), i64.add(minutesUs, us)), cell.offset),
    advance(lane, i32.const(segment.fraction === 3 ? 23 : 19)),
  ]
}

interface Seconds {
  readonly checks: readonly Statement[]
  readonly us: Expression<'i64'>
}

/** ":SS.mmm" and what ends it, one word; pairs of digits by one multiplication, their sum by another. */
function secondsWithMillis({ lane: { at, word }, miss }: Place, terminator: string): Seconds {
  const tens = i64.shrU(
    i64.mul(i64.shrU(get(word), i64.const(8n)), i64.const(2561n)),
    i64.const(8n),
  )
  const fields = i64.and(tens, i64.const(0x00ff00ff00ff00ffn))
  const weights = 1n + (100n << 16n) + (1000n << 32n)
  const sum = i64.shrU(i64.mul(fields, i64.const(weights)), i64.const(32n))
  return {
    checks: [
      set(word, i64.xor(i64.load(get(at), 16), i64.const(textWord(`:00.000${terminator}`)))),
      within(miss, word, [0, 5, 9, 0, 9, 9, 9, 0]),
    ],
    us: i64.mul(i64.and(sum, i64.const(0xffffn)), i64.const(1000n)),
  }
}

/** ":SS" and what ends it, in the low half of a word. */
function secondsAlone({ lane: { at, word }, miss }: Place, terminator: string): Seconds {
  const four = i64.and(i64.load(get(at), 16), i64.const(0xffffffffn))
  return {
    checks: [
      set(word, i64.xor(four, i64.const(textWord(`:00${terminator}`)))),
      within(miss, word, [0, 5, 9, 0, 0, 0, 0, 0]),
    ],
    us: i64.mul(i64.extendU(twoDigits(word, 8)), i64.const(1_000_000n)),
  }
}

/** A spelled pair of digits, each 0..9, as a byte of `word` from `bit` on. */
function twoDigits(word: Local<'i64'>, bit: number): Expression<'i32'> {
  return i32.and(
    i32.shrU(
      i32.mul(
        i32.and(i32.wrap(i64.shrU(get(word), i64.const(BigInt(bit)))), i32.const(0xffff)),
        i32.const(2561),
      ),
      i32.const(8),
    ),
    i32.const(255),
  )
}

/** Missing unless each byte of `word`, text XOR the least text, is at most `most`: adding 127 - most sets its high bit if not. */
function within(miss: Label, word: Local<'i64'>, most: readonly number[]): Statement {
  return branchIf(
    miss,
    i64.ne(
      i64.and(
        i64.or(
          i64.add(get(word), i64.const(littleEndian(most.map((digit) => 127 - digit)))),
          get(word),
        ),
        i64.const(HIGH_BITS),
      ),
      i64.const(0n),
    ),
  )
}

/** Missing unless the next bytes are the literal: whole words, the last one overlapping. */
export function literalDiffers(
  at: Local<'i32'>,
  literal: Uint8Array,
): Expression<'i32'> | undefined {
  const { length } = literal
  const offsets = (size: number) =>
    Array.from({ length: Math.ceil(length / size) }, (_, index) =>
      Math.min(index * size, length - size),
    )
  if (length === 0) return undefined
  if (length >= 8) {
    const words = offsets(8).map((offset) =>
      i64.xor(
        i64.load(get(at), offset),
        i64.const(littleEndian([...literal.subarray(offset, offset + 8)])),
      ),
    )
    return i64.ne(words.reduce(i64.or), i64.const(0n))
  }
  const size = length >= 4 ? 4 : length >= 2 ? 2 : 1
  const load = { 4: i32.load, 2: i32.load16, 1: i32.load8 }[size]
  return offsets(size)
    .map((offset) => {
      const word = Number(littleEndian([...literal.subarray(offset, offset + size)]))
      return i32.xor(load(get(at), offset), i32.const(word))
    })
    .reduce(i32.or)
}

function littleEndian(bytes: readonly number[]): bigint {
  return bytes.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n)
}
function textWord(text: string): bigint {
  return littleEndian([...new TextEncoder().encode(text)])
}
