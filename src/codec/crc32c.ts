/**
 * CRC32C (Castagnoli), as in Kafka record batches: reflected polynomial 0x82f63b78, initial and final value inverted.
 *
 * Over linear memory it folds, without carry-less multiplication. A sparse multiple of the polynomial stays one when x becomes
 * x^128 (squaring in GF(2) has no cross terms), so whole 16-byte blocks are cancelled by XOR into blocks further on: per block
 * one load of data, a few of earlier quotients, one store. What the long multiple leaves goes through a shorter one, and the rest
 * through tables, 16 bytes a round. @see Kadatch, Jenkins, "Everything we know about CRC but afraid to forget"; arXiv 2412.16398
 */
import type { Expression, Local, Statement } from '../wasm/code.ts'
import {
  block,
  branch,
  branchIf,
  get,
  i32,
  loop,
  memoryCopy,
  memoryFill,
  returnValue,
  set,
  v128,
  when,
} from '../wasm/instructions.ts'
import {
  call,
  defineModule,
  type FunctionReference,
  instantiate,
  type ModuleBuilder,
} from '../wasm/module.ts'

/** What the checksum needs of a linear memory: blocks that stay, and the memory itself. */
export interface ChecksumMemory {
  readonly memory: WebAssembly.Memory
  allocate(bytes: number): number
}

const POLYNOMIAL_REFLECTED = 0x82f63b78
const TABLES = 16
const TABLE_BYTES = 1024
const BLOCK_BYTES = 16
const UNROLLED = 4

/** x^degree + the sum of x^(degree - tap): a multiple of the polynomial, in blocks after x -> x^128. */
interface SparseMultiple {
  readonly degree: number
  readonly taps: readonly number[]
  /** Blocks folded before the quotients move back to the start of the scratch area. */
  readonly chunkBlocks: number
}
const LONG: SparseMultiple = { degree: 209, taps: [0, 14, 39, 54, 144], chunkBlocks: 2048 }
const SHORT: SparseMultiple = { degree: 79, taps: [0, 1, 12, 18, 58, 71, 75], chunkBlocks: 512 }

/** `(address, bytes) -> checksum`, unsigned, of bytes in `memory`. Allocates its tables and scratch there, once. */
export function createCrc32c(memory: ChecksumMemory): (address: number, bytes: number) => number {
  const tables = memory.allocate(TABLES * TABLE_BYTES)
  new Uint32Array(memory.memory.buffer, tables, (TABLES * TABLE_BYTES) / 4).set(sliceTables())
  const module = defineModule()
  const raw = emitSlices(module, tables)
  const short = emitFold(module, SHORT, memory.allocate(scratchBytes(SHORT)), raw, raw)
  const long = emitFold(module, LONG, memory.allocate(scratchBytes(LONG)), short, raw)
  const whole = module.func('crc32c', ['i32', 'i32'], 'i32')
  const [address, bytes] = [whole.param(0, 'i32'), whole.param(1, 'i32')]
  const folded = call(long, 'i32', i32.const(-1), get(address), get(bytes))
  whole.body(i32.xor(folded, i32.const(-1)))
  const { exports } = instantiate(module.encode(), memory.memory)
  const checksum = exports.crc32c as (address: number, bytes: number) => number
  return (at, length) => checksum(at, length) >>> 0
}

/** Signed, so that what is made of it stays a small integer. */
const TABLE = new Int32Array(sliceTables().buffer)

/** The same of ordinary bytes, 8 a round. */
export function crc32cOf(bytes: Uint8Array): number {
  let crc = -1
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      TABLE[1792 + (crc & 255)]! ^
      TABLE[1536 + ((crc >>> 8) & 255)]! ^
      TABLE[1280 + ((crc >>> 16) & 255)]! ^
      TABLE[1024 + (crc >>> 24)]! ^
      TABLE[768 + bytes[at + 4]!]! ^
      TABLE[512 + bytes[at + 5]!]! ^
      TABLE[256 + bytes[at + 6]!]! ^
      TABLE[bytes[at + 7]!]!
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[at]!) & 255]!
  return ~crc >>> 0
}

/** Table k, entry b: the checksum's state after byte b and k zero bytes, from state 0. */
function sliceTables(): Uint32Array {
  const tables = new Uint32Array(TABLES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL_REFLECTED : 0)
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!
    tables[at] = (before >>> 8) ^ tables[before & 255]!
  }
  return tables
}

/** `raw(crc, address, bytes) -> crc`, without inversions. */
function emitSlices(module: ModuleBuilder, tables: number): FunctionReference {
  const raw = module.func('raw', ['i32', 'i32', 'i32'], 'i32')
  const [crc, at, left] = [raw.param(0, 'i32'), raw.param(1, 'i32'), raw.param(2, 'i32')]
  const words = [0, 1, 2, 3].map(() => raw.local('i32'))
  const entry = (word: Local<'i32'>, byte: number, table: number): Expression<'i32'> => {
    // The byte times 4, in one shift and a mask.
    const shifted =
      byte === 0 ? i32.shl(get(word), i32.const(2)) : i32.shrU(get(word), i32.const(8 * byte - 2))
    return i32.load(i32.and(shifted, i32.const(1020)), tables + table * TABLE_BYTES)
  }
  const entries = words.flatMap((word, index) =>
    [0, 1, 2, 3].map((byte) => entry(word, byte, 15 - 4 * index - byte)),
  )
  raw.body(
    whileTrue(i32.geU(get(left), i32.const(BLOCK_BYTES)), [
      ...words.map((word, index) => {
        const value = i32.load(get(at), 4 * index)
        return set(word, index === 0 ? i32.xor(value, get(crc)) : value)
      }),
      set(crc, entries.reduce(i32.xor)),
      set(at, i32.add(get(at), i32.const(BLOCK_BYTES))),
      set(left, i32.sub(get(left), i32.const(BLOCK_BYTES))),
    ]),
    whileTrue(get(left), [
      set(
        crc,
        i32.xor(
          i32.shrU(get(crc), i32.const(8)),
          i32.load(
            i32.shl(i32.and(i32.xor(get(crc), i32.load8(get(at))), i32.const(255)), i32.const(2)),
            tables,
          ),
        ),
      ),
      set(at, i32.add(get(at), i32.const(1))),
      set(left, i32.sub(get(left), i32.const(1))),
    ]),
    get(crc),
  )
  return raw
}

const scratchBytes = ({ degree, chunkBlocks }: SparseMultiple) =>
  (chunkBlocks + 3 * degree) * BLOCK_BYTES

/**
 * `fold(crc, address, bytes) -> crc`: quotient blocks in `scratch`, `degree` zero blocks before the first, so that
 * quotient[i + degree] = data[i] ^ the quotients under the taps. The last `degree` blocks get no quotient of their own: what is
 * left of them stands for the whole message and goes to `rest`; the last odd bytes to `raw`.
 */
function emitFold(
  module: ModuleBuilder,
  { degree, taps, chunkBlocks }: SparseMultiple,
  scratch: number,
  rest: FunctionReference,
  raw: FunctionReference,
): FunctionReference {
  const fold = module.func(`fold${degree}`, ['i32', 'i32', 'i32'], 'i32')
  const [crc, at, bytes] = [fold.param(0, 'i32'), fold.param(1, 'i32'), fold.param(2, 'i32')]
  const [left, now] = [fold.local('i32'), fold.local('i32')]
  const [quotient, end] = [fold.local('i32'), fold.local('i32')]
  const degreeBytes = degree * BLOCK_BYTES
  const remainder = (chunkBlocks + 2 * degree) * BLOCK_BYTES
  const blocksBytes = (blocks: Expression<'i32'>) => i32.shl(blocks, i32.const(4))

  // Block after block: grouping the loads of several blocks makes the compiler spill.
  const step = (blocks: number, target: number): Statement[] => [
    ...Array.from({ length: blocks }, (_, index) => {
      const taken = taps.map((tap) => v128.load(get(quotient), (tap + index) * BLOCK_BYTES))
      const value = taken.reduce(v128.xor, v128.load(get(at), index * BLOCK_BYTES))
      return v128.store(get(quotient), value, target + index * BLOCK_BYTES)
    }),
    set(at, i32.add(get(at), i32.const(blocks * BLOCK_BYTES))),
    set(quotient, i32.add(get(quotient), i32.const(blocks * BLOCK_BYTES))),
  ]
  const run = (blocks: Expression<'i32'>, target: number): Statement[] => [
    set(quotient, i32.const(scratch)),
    set(end, i32.add(i32.const(scratch), blocksBytes(i32.and(blocks, i32.const(-UNROLLED))))),
    whileTrue(i32.ltU(get(quotient), get(end)), step(UNROLLED, target)),
    set(end, i32.add(i32.const(scratch), blocksBytes(blocks))),
    whileTrue(i32.ltU(get(quotient), get(end)), step(1, target)),
  ]

  fold.body(
    when(i32.ltU(get(bytes), i32.const(degreeBytes + 8 * BLOCK_BYTES)), [
      returnValue(call(rest, 'i32', get(crc), get(at), get(bytes))),
    ]),
    memoryFill(i32.const(scratch), i32.const(0), i32.const(degreeBytes)),
    // The state so far is XORed into the first block: only that block sees it, through the longest tap.
    i32.store(i32.const(scratch), get(crc)),
    set(left, i32.sub(i32.shrU(get(bytes), i32.const(4)), i32.const(degree))),
    whileTrue(get(left), [
      set(now, i32.const(chunkBlocks)),
      when(i32.ltU(get(left), get(now)), [set(now, get(left))]),
      ...run(get(now), degreeBytes),
      memoryCopy(
        i32.const(scratch),
        i32.add(i32.const(scratch), blocksBytes(get(now))),
        i32.const(degreeBytes),
      ),
      set(left, i32.sub(get(left), get(now))),
    ]),
    memoryFill(i32.const(scratch + degreeBytes), i32.const(0), i32.const(degreeBytes)),
    ...run(i32.const(degree), remainder),
    call(
      raw,
      'i32',
      call(rest, 'i32', i32.const(0), i32.const(scratch + remainder), i32.const(degreeBytes)),
      get(at),
      i32.and(get(bytes), i32.const(15)),
    ),
  )
  return fold
}

function whileTrue(condition: Expression<'i32'>, body: readonly Statement[]): Statement {
  return block((done) => [
    loop((again) => [branchIf(done, i32.eqz(condition)), ...body, branch(again)]),
  ])
}
