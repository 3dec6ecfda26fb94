/** Bytes that grow: what encoders write to, row after row, before it is put into the arena. */
import type { LinearMemory, Pointer } from '../data/memory.ts'

export interface ByteSink {
  /** Bytes so far. */
  readonly length: number
  byte(value: number): void
  /** A zigzag varint, as in Avro and Protobuf's sint. */
  long(value: bigint): void
  /** A varint of 64 bits. */
  varint(value: bigint): void
  float(value: number): void
  double(value: number): void
  /** Bytes alone. */
  raw(bytes: Uint8Array): void
  /** Bytes behind their length as a zigzag varint. */
  block(bytes: Uint8Array): void
  text(value: string): void
  /** Begins anew. */
  clear(): void
  bytes(): Uint8Array
}

const BYTES_MIN = 1 << 16
const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

export function createByteSink(bytesExpected = BYTES_MIN): ByteSink {
  let buffer = Buffer.alloc(bytesExpected)
  let at = 0
  const reserve = (bytes: number): void => {
    if (at + bytes <= buffer.length) return
    const grown = Buffer.alloc(Math.max(2 * buffer.length, at + bytes))
    buffer.copy(grown, 0, 0, at)
    buffer = grown
  }
  const small = (value: number): void => {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) buffer[at++] = (rest % 128) | 128
    buffer[at++] = rest
  }
  const varint = (value: bigint): void => {
    reserve(10)
    if (value >= 0n && value <= SAFE) {
      small(Number(value))
      return
    }
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) buffer[at++] = Number(rest & 0x7fn) | 0x80
    buffer[at++] = Number(rest)
  }
  const length = (bytes: number): void => {
    reserve(10)
    small(2 * bytes)
  }
  const raw = (bytes: Uint8Array): void => {
    reserve(bytes.length)
    buffer.set(bytes, at)
    at += bytes.length
  }
  return {
    get length() {
      return at
    },
    byte(value) {
      reserve(1)
      buffer[at++] = value
    },
    long: (value) => varint(value >= 0n ? value * 2n : -value * 2n - 1n),
    varint,
    float(value) {
      reserve(4)
      at = buffer.writeFloatLE(value, at)
    },
    double(value) {
      reserve(8)
      at = buffer.writeDoubleLE(value, at)
    },
    raw,
    block(bytes) {
      length(bytes.length)
      raw(bytes)
    },
    text(value) {
      const bytes = Buffer.byteLength(value)
      length(bytes)
      reserve(bytes)
      at += buffer.write(value, at)
    },
    clear() {
      at = 0
    },
    bytes: () => buffer.subarray(0, at),
  }
}

/** Records that stand one after another in `bytes`, the nth ending at `ends[n]`: in the arena, and cells that point to them. */
export function placeRecords(
  memory: LinearMemory,
  bytes: Uint8Array,
  ends: readonly number[],
): Pointer {
  const cells = memory.arena.allocate(8 * ends.length)
  const block = memory.arena.allocate(bytes.length)
  memory.u8.set(bytes, block)
  let start = 0
  ends.forEach((end, index) => {
    memory.u32[(cells >>> 2) + 2 * index] = block + start
    memory.u32[(cells >>> 2) + 2 * index + 1] = end - start
    start = end
  })
  return cells
}

/** The records that the cells of bytes at `cells` point to, each behind `head`, in new memory of the arena. */
export function headedRecords(
  memory: LinearMemory,
  head: Uint8Array,
  cells: Pointer,
  count: number,
): Pointer {
  let bytes = 0
  for (let row = 0; row < count; row++)
    bytes += head.length + memory.u32[(cells >>> 2) + 2 * row + 1]!
  const headed = memory.arena.allocate(8 * count)
  let at = memory.arena.allocate(bytes)
  for (let row = 0; row < count; row++) {
    const from = memory.u32[(cells >>> 2) + 2 * row]!
    const length = memory.u32[(cells >>> 2) + 2 * row + 1]!
    memory.u8.set(head, at)
    memory.u8.copyWithin(at + head.length, from, from + length)
    memory.u32[(headed >>> 2) + 2 * row] = at
    memory.u32[(headed >>> 2) + 2 * row + 1] = head.length + length
    at += head.length + length
  }
  return headed
}
