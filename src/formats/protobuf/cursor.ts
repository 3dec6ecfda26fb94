/** Reads the Protobuf wire format: see wire.ts for how it stands. */

/** Why a record is no message; its message is the reason that a dead row bears. */
export class WireRefused extends Error {}

export class WireCursor {
  readonly bytes: Uint8Array
  at: number
  end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  /** Below 2^53: tags and lengths. */
  small(): number {
    const value = this.varint()
    if (value > 0x7fffffffn) throw new WireRefused('a number of a field or a length is too large')
    return Number(value)
  }

  /** Unsigned, of 64 bits. */
  varint(): bigint {
    const first = this.bytes[this.at]!
    if (this.at < this.end && first < 0x80) {
      this.at++
      return BigInt(first)
    }
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.end) throw new WireRefused('the record ends too early')
      const byte = this.bytes[this.at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new WireRefused('a number does not end within 10 bytes')
  }

  fixed(bytes: 4 | 8): DataView {
    if (this.end - this.at < bytes) throw new WireRefused('the record ends too early')
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, bytes)
    this.at += bytes
    return view
  }

  /** What stands behind a length. */
  block(): Uint8Array {
    const length = this.small()
    if (length > this.end - this.at) throw new WireRefused('a length beyond the record')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  skip(wireType: number, depth = 0): void {
    switch (wireType) {
      case 0:
        this.varint()
        return
      case 1:
        this.fixed(8)
        return
      case 2:
        this.block()
        return
      case 3:
        this.#skipGroup(depth)
        return
      case 5:
        this.fixed(4)
        return
      default:
        throw new WireRefused(`there is no wire type ${wireType}`)
    }
  }

  #skipGroup(depth: number): void {
    if (depth > 64) throw new WireRefused('nested deeper than 64 levels')
    for (;;) {
      const tag = this.small()
      if ((tag & 7) === 4) return
      this.skip(tag & 7, depth + 1)
    }
  }
}
