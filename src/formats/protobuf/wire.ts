/**
 * Reads messages of the Protobuf wire format, by field number, for small things such as descriptors.
 *
 *   wire  a varint of number << 3 | type, then: 0 a varint, 1 eight bytes, 2 a varint of length and so many bytes, 5 four bytes
 *
 * @see Protocol Buffers encoding
 */
export interface WireFields {
  integer(number: number): number | undefined
  text(number: number): string | undefined
  texts(number: number): string[]
  message(number: number): WireFields | undefined
  messages(number: number): WireFields[]
}

/** @throws RangeError if the bytes are no message */
export function readWire(bytes: Uint8Array): WireFields {
  const varints = new Map<number, number>()
  const blocks = new Map<number, Uint8Array[]>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) break
      // Beyond 2^53 precision is lost: no number of a descriptor is.
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a number does not end')
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        varints.set(number, varint())
        break
      case 1:
        at += 8
        break
      case 2: {
        const length = varint()
        if (at + length > bytes.length) throw new RangeError('a field is longer than its message')
        const block = bytes.subarray(at, at + length)
        const list = blocks.get(number)
        if (list === undefined) blocks.set(number, [block])
        else list.push(block)
        at += length
        break
      }
      case 5:
        at += 4
        break
      default:
        throw new RangeError(`there is no wire type ${tag % 8}`)
    }
  }
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  const list = (number: number): Uint8Array[] => blocks.get(number) ?? []
  return {
    integer: (number) => varints.get(number),
    text: (number) =>
      list(number)
        .map((block) => utf8.decode(block))
        .at(-1),
    texts: (number) => list(number).map((block) => utf8.decode(block)),
    message: (number) => list(number).map(readWire).at(-1),
    messages: (number) => list(number).map(readWire),
  }
}
