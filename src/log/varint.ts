/**
 * Zigzag varints of Kafka's records, over plain numbers: no bigint in a record's way.
 *
 *   wire  7 bits a byte, low group first, top bit set on all but the last byte; 0, -1, 1, -2 are 0, 1, 2, 3
 *
 * @see Kafka protocol guide, "Record Batch", VARINT and VARLONG
 */
const LOW_31 = 2 ** 31

/** Writes a safe integer at `at`; returns where the next byte goes. At most 8 bytes for |value| < 2^53. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1
  while (zigzag >= LOW_31) {
    bytes[at++] = (zigzag % 128) | 0x80
    zigzag = Math.floor(zigzag / 128)
  }
  while (zigzag >= 0x80) {
    bytes[at++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  bytes[at++] = zigzag
  return at
}

export function varintBytes(value: number): number {
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1
  let count = 1
  for (; zigzag >= 0x80; zigzag = Math.floor(zigzag / 128)) count++
  return count
}

/** A place in bytes, moved by what reads them. */
export interface Cursor {
  readonly bytes: Uint8Array
  at: number
  /** Exclusive. Reading past it gives NaN. */
  readonly end: number
}

/** NaN when the varint does not end before the cursor's end or is longer than ten bytes. */
export function readVarint(cursor: Cursor): number {
  const { bytes, end } = cursor
  let zigzag = 0
  let scale = 1
  for (let group = 0; group < 10 && cursor.at < end; group++) {
    const byte = bytes[cursor.at++]!
    zigzag += (byte & 0x7f) * scale
    if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
    scale *= 128
  }
  return Number.NaN
}
