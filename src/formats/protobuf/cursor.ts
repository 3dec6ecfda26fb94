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

  /** A field's number << 3 | how it is written. */
  tag(): number {
    const tag = Number(this.varint())
    if (tag > 0xffffffff) throw new WireRefused('the number of a field is too large')
    if (tag >>> 3 === 0) throw new WireRefused('there is no field 0')
    return tag
  }

  /** Lengths, below 2^31. */
  small(): number {
    const value = this.varint()
    if (value > 0x7fffffffn) throw new WireRefused('a length is too large')
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

  /** Passes over the value behind a tag. */
  skip(tag: number, depth = 0): void {
    const number = tag >>> 3
    switch (tag & 7) {
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
        this.#skipGroup(number, depth)
        return
      case 5:
        this.fixed(4)
        return
      default:
        throw new WireRefused(`there is no wire type ${tag & 7}`)
    }
  }

  #skipGroup(number: number, depth: number): void {
    if (depth > 64) throw new WireRefused('nested deeper than 64 levels')
    for (;;) {
      const tag = this.tag()
      if ((tag & 7) !== 4) this.skip(tag, depth + 1)
      else if (tag >>> 3 === number) return
      else throw new WireRefused(`group ${number} ends as group ${tag >>> 3}`)
    }
  }
}
