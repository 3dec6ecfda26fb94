/**
 * Code that reads one value of a record at a predicted place, checks every byte of it, and writes its cell.
 *
 * It runs on several rows at once, each in a *lane* of its own locals, interleaved so that one row's latency hides behind the
 * others' work. So there are no calls in it: what needs one leaves for the loop that takes rows singly (`alone`), and from there,
 * if need be, for the generic path. All 16-byte loads may read past a row: only what is in it decides.
 */
import type { Expression, Label, Local, Statement } from '../../wasm/code.ts'
import {
  block,
  branch,
  branchIf,
  f64,
  get,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64,
  i64x2,
  loop,
  select,
  set,
  tee,
  v128,
  when,
} from '../../wasm/instructions.ts'
import { call, type FunctionBuilder, type FunctionReference } from '../../wasm/module.ts'
import type { Segment } from './layout.ts'

export interface Lane {
  /** Next byte of the row. */
  readonly at: Local<'i32'>
  readonly count: Local<'i32'>
  readonly mask: Local<'i32'>
  readonly end: Local<'i32'>
  readonly dot: Local<'i32'>
  readonly bytes: Local<'v128'>
  readonly keep: Local<'v128'>
  readonly word: Local<'i64'>
  readonly other: Local<'i64'>
}

export interface Cold {
  readonly value: FunctionReference
  readonly skip: FunctionReference
  readonly string: FunctionReference
  readonly day: FunctionReference
}

/** One segment's place in the code of one lane. */
export interface Place {
  readonly lane: Lane
  /** Address of the value's cell. */
  readonly cell: { readonly address: Expression<'i32'>; readonly offset: number }
  /** Where a row that does not match goes. */
  readonly miss: Label
  /** True in the loop that takes rows singly: calls are allowed. */
  readonly alone: boolean
  /** Exclusive end of the row. */
  readonly stop: () => Expression<'i32'>
}

export interface Emitter {
  value(segment: Segment, place: Place): readonly Statement[]
  /** Statements that set the constants, once a call. */
  readonly prologue: readonly Statement[]
}

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
const HIGH_BITS = 0x8080808080808080n
const NO_DAY = -(1n << 63n)
const US_PER_DAY = 86_400_000_000n

const repeat = (byte: number) => new Uint8Array(16).fill(byte)
const pairs = (even: number, odd: number) =>
  new Uint8Array(new Int16Array([even, odd, even, odd, even, odd, even, odd]).buffer)

export function createEmitter(
  func: FunctionBuilder,
  tables: number,
  limit: Local<'i32'>,
  cold: Cold,
): Emitter {
  const constants = new Map<string, Local<'v128'>>()
  const prologue: Statement[] = []
  const times = new Map<
    Segment,
    { first: Local<'i64'>; second: Local<'i64'>; base: Local<'i64'> }
  >()
  /** A 16-byte constant, kept in a local: loaded once a call, not once a row. */
  const constant = (bytes: Uint8Array): Expression<'v128'> => {
    const key = bytes.join()
    let local = constants.get(key)
    if (local === undefined) {
      local = func.local('v128')
      constants.set(key, local)
      prologue.push(set(local, v128.const(bytes)))
    }
    return get(local)
  }

  const advance = ({ at }: Lane, bytes: Expression<'i32'>) => set(at, i32.add(get(at), bytes))
  /** One bit for each of the next 16 bytes that is no digit. */
  const notDigits = ({ at }: Lane) =>
    i8x16.bitmask(
      i8x16.gtS(i8x16.add(v128.load(get(at)), constant(repeat(0x50))), constant(repeat(-119))),
    )
  /** 16 bytes, each 0..9, as the number they spell: pairs, fours, eights, then two halves. */
  const spelled = (lane: Lane, digits: Expression<'v128'>): Expression<'i64'> => {
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

  /** The value by a call, when alone; else the row is taken out of its group. */
  const byCall = (segment: Segment, { lane, cell, alone, miss, stop }: Place): Statement[] => {
    if (!alone) return [branch(miss)]
    const address = i32.add(cell.address, i32.const(cell.offset))
    const behind =
      segment.node === undefined
        ? call(cold.skip, 'i32', get(lane.at), stop())
        : call(cold.value, 'i32', i32.const(segment.node.pointer), get(lane.at), address, stop())
    return [branchIf(miss, i32.eqz(tee(lane.count, behind))), set(lane.at, get(lane.count))]
  }
  /** `fast` may branch to its label for the rare forms, which take the call. */
  const withRareForms = (
    segment: Segment,
    place: Place,
    fast: (rare: Label) => readonly Statement[],
  ) =>
    place.alone
      ? [
          block((done) => [
            block((rare) => [...fast(rare), branch(done)]),
            ...byCall(segment, place),
          ]),
        ]
      : fast(place.miss)

  /** [1-9][0-9]{0,14}, the number loaded right-aligned from its end, whatever its length. */
  const integer = (segment: Segment, place: Place) =>
    withRareForms(segment, place, (rare) => {
      const { lane, cell } = place
      const kind = segment.node?.type.kind
      const max = kind === undefined ? undefined : INTEGER_MAX[kind]
      const digits = v128.and(
        v128.load(i32.sub(get(lane.at), i32.const(16))),
        v128.load(get(lane.count), tables),
      )
      const value = spelled(lane, digits)
      return [
        branchIf(rare, i32.gtU(i32.sub(i32.load8(get(lane.at)), i32.const(49)), i32.const(8))),
        branchIf(rare, i32.eqz(tee(lane.mask, notDigits(lane)))),
        set(lane.count, i32.ctz(get(lane.mask))),
        // Moves before it is certain: a rare form must be able to start anew.
        ...(max === undefined
          ? [
              advance(lane, get(lane.count)),
              ...(kind === undefined ? [] : [i64.store(cell.address, value, cell.offset)]),
            ]
          : [
              branchIf(rare, i32.gtU(get(lane.count), i32.const(10))),
              advance(lane, get(lane.count)),
              set(lane.other, value),
              branchIf(place.miss, i64.gtU(get(lane.other), i64.const(max))),
              i64.store(cell.address, get(lane.other), cell.offset),
            ]),
      ]
    })

  /** [0-9]{1,14}(.[0-9]+)? within 15 bytes; the dot is masked out by a second, shifted load. */
  const fraction = (segment: Segment, place: Place) =>
    withRareForms(segment, place, (rare) => {
      const { lane, cell } = place
      const { count, mask, end, dot, at } = lane
      const behindDot = i32.sub(i32.sub(get(end), get(count)), get(dot))
      const after = v128.load(behindDot, tables)
      const ending = i32.add(get(at), get(end))
      const low = v128.and(v128.load(i32.sub(ending, i32.const(16))), tee(lane.keep, after))
      const before = v128.load(i32.sub(i32.sub(ending, get(dot)), i32.const(16)))
      const all = v128.load(i32.sub(get(end), get(dot)), tables)
      const mantissa = v128.or(low, v128.andnot(v128.and(before, all), get(lane.keep)))
      const node = segment.node
      const body: Statement[] = []
      if (node?.type.kind === 'decimal') {
        const { precision, scale } = node.type
        body.push(
          branchIf(rare, i32.gtU(behindDot, i32.const(scale))),
          branchIf(rare, i32.gtU(get(count), i32.const(precision - scale))),
          i64.store(
            cell.address,
            i64.mul(
              spelled(lane, mantissa),
              i64.load(
                i32.shl(i32.sub(i32.const(scale), behindDot), i32.const(3)),
                tables + TENS_I64,
              ),
            ),
            cell.offset,
          ),
        )
      } else if (node !== undefined) {
        const value = f64.div(
          f64.convertI64(spelled(lane, mantissa)),
          f64.load(i32.shl(behindDot, i32.const(3)), tables + TENS_F64),
        )
        const rounded = node.type.kind === 'float' ? f64.roundToSingle(value) : value
        body.push(f64.store(cell.address, rounded, cell.offset))
      }
      return [
        set(mask, notDigits(lane)),
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
          select(
            i32.ctz(i32.and(get(mask), i32.sub(get(mask), i32.const(1)))),
            get(count),
            get(dot),
          ),
        ),
        branchIf(rare, i32.gtU(get(end), i32.const(15))),
        branchIf(rare, i32.and(get(dot), i32.eqz(behindDot))),
        // An exponent is rare; anything else behind it fails the next literal.
        branchIf(
          rare,
          i32.eq(i32.or(i32.load8(i32.add(get(at), get(end))), i32.const(32)), i32.const(101)),
        ),
        ...body,
        advance(lane, get(end)),
      ]
    })

  /** Up to a quote, a backslash, a control byte or one that is not ASCII; the next literal checks that it is the quote. */
  const string = (segment: Segment, { lane, cell, miss, alone, stop }: Place): Statement[] => {
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

  const boolean = (segment: Segment, { lane, cell, miss }: Place): Statement[] => {
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

  /** A spelled pair of digits, each 0..9, as a byte of `word` from `bit` on. */
  const twoDigits = (word: Local<'i64'>, bit: number) =>
    i32.and(
      i32.shrU(
        i32.mul(
          i32.and(i32.wrap(i64.shrU(get(word), i64.const(BigInt(bit)))), i32.const(0xffff)),
          i32.const(2561),
        ),
        i32.const(8),
      ),
      i32.const(255),
    )
  /** Missing unless each byte of `word`, text XOR the least text, is at most `most`: adding 127 - most sets its high bit if not. */
  const within = (miss: Label, word: Local<'i64'>, most: readonly number[]) =>
    branchIf(
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

  /** YYYY-MM-DD as last seen, its days cached; HH:MM:SS[.mmm] validated and converted as words. */
  const time = (segment: Segment, { lane, cell, miss, alone }: Place): Statement[] => {
    let cache = times.get(segment)
    if (cache === undefined) {
      cache = { first: func.local('i64'), second: func.local('i64'), base: func.local('i64') }
      times.set(segment, cache)
    }
    const { first, second, base } = cache
    const { at, word, other, count } = lane
    const differs = i64.ne(
      i64.or(i64.xor(i64.load(get(at)), get(first)), i64.xor(i64.load(get(at), 2), get(second))),
      i64.const(0n),
    )
    const day = call(cold.day, 'i64', get(at))
    const statements: Statement[] = [
      alone
        ? when(differs, [
            branchIf(miss, i64.eq(tee(word, day), i64.const(NO_DAY))),
            set(base, i64.mul(get(word), i64.const(US_PER_DAY))),
            set(first, i64.load(get(at))),
            set(second, i64.load(get(at), 2)),
          ])
        : branchIf(miss, differs),
      set(
        other,
        i64.xor(i64.load(get(at), 10), i64.const(textWord(`${segment.separator}00:00:0`))),
      ),
      within(miss, other, [0, 2, 9, 0, 5, 9, 0, 9]),
      branchIf(miss, i32.gtU(tee(count, twoDigits(other, 8)), i32.const(23))),
    ]
    const minutes = i32.add(i32.mul(get(count), i32.const(60)), twoDigits(other, 32))
    const minutesUs = i64.mul(i64.extendU(minutes), i64.const(60_000_000n))
    let restUs: Expression<'i64'>
    const terminator = segment.node!.type.kind === 'timestamp_ltz' ? 'Z' : '"'
    if (segment.fraction === 3) {
      statements.push(
        set(word, i64.xor(i64.load(get(at), 16), i64.const(textWord(`:00.000${terminator}`)))),
        within(miss, word, [0, 5, 9, 0, 9, 9, 9, 0]),
      )
      const tens = i64.shrU(
        i64.mul(i64.shrU(get(word), i64.const(8n)), i64.const(2561n)),
        i64.const(8n),
      )
      const fields = i64.and(tens, i64.const(0x00ff00ff00ff00ffn))
      const weights = 1n + (100n << 16n) + (1000n << 32n)
      const millis = i64.and(
        i64.shrU(i64.mul(fields, i64.const(weights)), i64.const(32n)),
        i64.const(0xffffn),
      )
      restUs = i64.mul(millis, i64.const(1000n))
    } else {
      // ":SS" and what ends it, in the low half of a word.
      const four = i64.and(i64.load(get(at), 16), i64.const(0xffffffffn))
      statements.push(
        set(word, i64.xor(four, i64.const(textWord(`:00${terminator}`)))),
        within(miss, word, [0, 5, 9, 0, 0, 0, 0, 0]),
      )
      restUs = i64.mul(i64.extendU(twoDigits(word, 8)), i64.const(1_000_000n))
    }
    statements.push(
      i64.store(cell.address, i64.add(get(base), i64.add(minutesUs, restUs)), cell.offset),
      advance(lane, i32.const(segment.fraction === 3 ? 23 : 19)),
    )
    return statements
  }

  return {
    prologue,
    value(segment, place) {
      switch (segment.kind) {
        case 'integer':
          return integer(segment, place)
        case 'number':
        case 'double':
        case 'decimal':
          return fraction(segment, place)
        case 'string':
          return string(segment, place)
        case 'boolean':
          return boolean(segment, place)
        case 'time':
          return time(segment, place)
        case 'cold':
          return byCall(segment, place)
      }
    },
  }
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
