/** Writes messages of the Protobuf wire format, for small things such as descriptors. The wire stands in wire.ts. */
export interface WireWriter {
  integer(number: number, value: number): void
  text(number: number, value: string): void
  message(number: number, write: (inner: WireWriter) => void): void
  bytes(): Uint8Array
}

export function createWireWriter(): WireWriter {
  const out: number[] = []
  const varint = (value: bigint): void => {
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80)
    out.push(Number(rest))
  }
  const block = (number: number, bytes: Uint8Array): void => {
    varint(BigInt(number * 8 + 2))
    varint(BigInt(bytes.length))
    for (const byte of bytes) out.push(byte)
  }
  return {
    integer(number, value) {
      varint(BigInt(number * 8))
      varint(BigInt(value))
    },
    text: (number, value) => block(number, new TextEncoder().encode(value)),
    message(number, write) {
      const inner = createWireWriter()
      write(inner)
      block(number, inner.bytes())
    },
    bytes: () => Uint8Array.from(out),
  }
}
