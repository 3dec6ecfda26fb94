/**
 * Entries of small tables as records of a checkpoint: the same layout that kernels/records/record.as.ts says for keyed tables.
 *
 *   record   varint(bytes of key * 2 + removed), u8 key group, key, and unless removed: varint(bytes of value), value
 */
import { type ByteReader, readUnsignedVarint, writeUnsignedVarint } from '../codec/varint.ts'

export interface EntryRecord {
  readonly keyGroup: number
  readonly key: Uint8Array
  /** Undefined: the key was removed. */
  readonly value: Uint8Array | undefined
}

export function encodeRecord({ keyGroup, key, value }: EntryRecord): Uint8Array {
  const head: number[] = []
  writeUnsignedVarint(BigInt(key.length) * 2n + (value === undefined ? 1n : 0n), head)
  head.push(keyGroup)
  const middle: number[] = []
  if (value !== undefined) writeUnsignedVarint(BigInt(value.length), middle)
  return Buffer.concat([
    Uint8Array.from(head),
    key,
    Uint8Array.from(middle),
    value ?? new Uint8Array(),
  ])
}

/** One record after another; views into `bytes`. @throws VARINT_UNENDED where they are torn */
export function* decodeRecords(
  bytes: Uint8Array,
): Generator<EntryRecord & { readonly bytes: Uint8Array }> {
  const reader: ByteReader = { bytes, offset: 0 }
  while (reader.offset < bytes.length) {
    const start = reader.offset
    const head = Number(readUnsignedVarint(reader))
    const keyGroup = bytes[reader.offset++]!
    const key = take(reader, head >>> 1)
    const value = head % 2 === 1 ? undefined : take(reader, Number(readUnsignedVarint(reader)))
    yield { keyGroup, key, value, bytes: bytes.subarray(start, reader.offset) }
  }
}

function take(reader: ByteReader, bytes: number): Uint8Array {
  const start = reader.offset
  reader.offset += bytes
  return reader.bytes.subarray(start, reader.offset)
}
