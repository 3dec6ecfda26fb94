/**
 * The records of Kafka record batches (message format v2), to cells and back.
 *
 *   record   length varint, attributes i8, timestampDelta varlong, offsetDelta varint,
 *            keyLength varint (-1 = null), key, valueLength varint (-1 = null), value,
 *            headersCount varint, then of each: keyLength varint, key, valueLength varint (-1 = null), value
 *
 * The batch's header, its checksum and its compression are the log's. @see Kafka documentation, "Record Batch"
 */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './frame.generated.ts'

/**
 * Where decoded records go; each area has 8-byte cells from row 0 on. 0 = not wanted (values always are).
 * A cell of values, keys and headers is address | length << 32 into the records area itself; 0 = NULL (an empty one has an address).
 */
export interface RecordCells {
  readonly values: Pointer
  readonly keys: Pointer
  /** The record's headers as on the wire, count first; 0 where there are none. */
  readonly headers: Pointer
  /** i64: the record's offset in its partition. */
  readonly offsets: Pointer
  /** i64: µs since the epoch. */
  readonly timesUs: Pointer
}

/** One batch's records, uncompressed, in linear memory. */
export interface RecordArea {
  readonly address: Pointer
  readonly bytes: number
  /** As the batch's header says. */
  readonly recordCount: number
  readonly baseOffset: bigint
  /** The batch's base timestamp, or with `logAppendTime` its max timestamp. */
  readonly baseTimestampMs: bigint
  /** Attribute bit 3: the batch's timestamp is every record's. */
  readonly logAppendTime: boolean
}

export type DecodedRecords =
  | { readonly kind: 'decoded'; readonly nullValues: number; readonly nullKeys: number }
  /** Nothing written may be used. `byteOffset` counts from the area's start. */
  | { readonly kind: 'corrupt'; readonly byteOffset: number; readonly reason: string }

/** What records are made of: cells as in RecordCells (0 = NULL); 0 for keys, headers or times = none has any. */
export interface RecordsToEncode {
  readonly values: Pointer
  readonly keys: Pointer
  readonly headers: Pointer
  readonly timesUs: Pointer
  /** u32 row numbers; 0 = rows 0..count. */
  readonly selection: Pointer
  readonly count: number
  readonly baseTimestampMs: bigint
  /** Offset delta of the first; the others follow. */
  readonly firstOffsetDelta: number
}

export interface FrameKernel {
  /** Cells of rows `row` .. `row + recordCount`; every length is checked, nothing outside the area is read. */
  decode(area: RecordArea, into: RecordCells, row: number): DecodedRecords
  /** A validity bitmap in the arena: bit set where the cell is not 0. */
  validityOf(cells: Pointer, count: number): Pointer
  /** The records area of a batch, in the arena. */
  encode(records: RecordsToEncode): { readonly address: Pointer; readonly bytes: number }
}

interface FrameExports {
  decode(
    address: Pointer,
    bytes: number,
    count: number,
    baseOffset: bigint,
    baseTime: bigint,
    fixedTime: number,
    values: Pointer,
    keys: Pointer,
    headers: Pointer,
    offsets: Pointer,
    times: Pointer,
    row: number,
  ): number
  failureAddress(): number
  failureReason(): number
  nullValueCount(): number
  nullKeyCount(): number
  validityOf(cells: Pointer, count: number, bitmap: Pointer): void
  encodedBytes(...records: EncodeArguments): bigint
  encode(to: Pointer, ...records: EncodeArguments): number
}
type EncodeArguments = [
  values: Pointer,
  keys: Pointer,
  headers: Pointer,
  times: Pointer,
  selection: Pointer,
  count: number,
  baseTime: bigint,
  firstDelta: bigint,
]

/** In the order of the kernel's constants, from 1. */
const REASONS = [
  'no reason',
  'a varint does not end',
  'a length is negative',
  'a length reaches beyond its record',
  'a record has bytes left over',
  'a record reaches beyond the batch',
  'the batch has bytes after its last record',
  'a timestamp is out of range',
  'an offset is negative',
]

let compiled: WebAssembly.Module | undefined

/** The kernel over `memory`'s one linear memory. */
export function createFrameKernel(memory: LinearMemory): FrameKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
  const kernel = instance.exports as WebAssembly.Exports & FrameExports
  return {
    decode(area, into, row) {
      const done = kernel.decode(
        area.address,
        area.bytes,
        area.recordCount,
        area.baseOffset,
        area.baseTimestampMs,
        area.logAppendTime ? 1 : 0,
        into.values,
        into.keys,
        into.headers,
        into.offsets,
        into.timesUs,
        row,
      )
      if (done === 1)
        return {
          kind: 'decoded',
          nullValues: kernel.nullValueCount(),
          nullKeys: kernel.nullKeyCount(),
        }
      const byteOffset = (kernel.failureAddress() >>> 0) - area.address
      return { kind: 'corrupt', byteOffset, reason: REASONS[kernel.failureReason()]! }
    },
    validityOf(cells, count) {
      const bitmap = memory.arena.allocate((count + 7) >> 3)
      kernel.validityOf(cells, count, bitmap)
      return bitmap
    },
    encode(records) {
      const given: EncodeArguments = [
        records.values,
        records.keys,
        records.headers,
        records.timesUs,
        records.selection,
        records.count,
        records.baseTimestampMs,
        BigInt(records.firstOffsetDelta),
      ]
      const bytes = Number(kernel.encodedBytes(...given))
      const address = memory.arena.allocate(bytes)
      kernel.encode(address, ...given)
      return { address, bytes }
    },
  }
}
