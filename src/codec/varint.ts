/** Varints of protocol buffers, Avro and Kafka: 7 bits a byte, low group first, the top bit set on all but the last byte. */
import { invariant, MillraceError } from '../errors.ts'

export interface ByteReader {
  readonly bytes: Uint8Array
  /** Index of the next byte. */
  offset: number
}

const VARINT_BYTES_MAX = 10

/**
 * Reads one unsigned varint of at most 64 bits and moves `reader.offset` past it.
 * @throws VARINT_UNENDED if no last byte comes within 10 bytes or before the bytes end
 */
export function readUnsignedVarint(reader: ByteReader): bigint {
  const start = reader.offset
  let value = 0n
  for (let group = 0; group < VARINT_BYTES_MAX; group++) {
    const byte = reader.bytes[reader.offset++]
    if (byte === undefined) break
    value |= BigInt(byte & 0x7f) << BigInt(7 * group)
    if (byte < 0x80) return BigInt.asUintN(64, value)
  }
  throw varintUnended(start, reader.bytes.length)
}

/**
 * Reads one signed varint and moves `reader.offset` past it.
 *
 *   wire  zigzag: 0, -1, 1, -2 are written 0, 1, 2, 3
 *
 * @throws VARINT_UNENDED if no last byte comes within 10 bytes or before the bytes end
 * @see Protocol Buffers encoding, "Signed Integers"; the same in Avro and in Kafka records v2
 */
export function readVarint(reader: ByteReader): bigint {
  const zigzag = readUnsignedVarint(reader)
  return BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n))
}

/** Appends `value`, 0 <= value < 2^64. */
export function writeUnsignedVarint(value: bigint, out: number[]): void {
  invariant(BigInt.asUintN(64, value) === value, 'an unsigned varint holds 64 bits')
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80)
  out.push(Number(rest))
}

/** Appends `value`, -2^63 <= value < 2^63, zigzagged. */
export function writeVarint(value: bigint, out: number[]): void {
  invariant(BigInt.asIntN(64, value) === value, 'a varint holds a signed 64-bit integer')
  writeUnsignedVarint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)), out)
}

function varintUnended(start: number, length: number): MillraceError {
  return new MillraceError('VARINT_UNENDED', {
    message: `the varint at byte ${start} of ${length} does not end`,
    hint: 'the bytes are cut short or are not what they are read as: check the format that is declared',
    facts: { start, length },
  })
}
