/**
 * What stands in front of a record's bytes and names its writer's schema.
 *
 *   Confluent   0, the schema's id as i32, big-endian; of Protobuf the path of the message follows (protobuf/message-path.ts)
 *   Glue        3, 0 or 5 (zlib), the schema version's UUID in 16 bytes
 *
 * @see Confluent documentation, "Wire Format"; awslabs/aws-glue-schema-registry
 */
import { inflateSync } from 'node:zlib'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { DeadRecord } from './format.ts'
import type { SchemaId, SchemaSource } from './schema-source.ts'

export type Framing = SchemaSource['framing']

const CONFLUENT_BYTES = 5
const GLUE_BYTES = 18
const GLUE_VERSION = 3
const GLUE_ZLIB = 5
/** A record that would unpack to more is no record. */
const UNPACKED_BYTES_MAX = 64 << 20

/** Rows [from, to) in a row that one schema wrote. */
export interface FramedRun {
  readonly from: number
  readonly to: number
  readonly id: SchemaId
  readonly skip: number
}

/** Groups rows by what wrote them; those without a sound head are added to `dead`. */
export function framedRuns(
  memory: LinearMemory,
  values: Pointer,
  count: number,
  framing: Framing,
  dead: DeadRecord[],
): readonly FramedRun[] {
  const runs: { from: number; to: number; id: SchemaId; skip: number }[] = []
  for (let row = 0; row < count; row++) {
    const head = headOf(memory, values, row, framing)
    if (typeof head === 'string') {
      dead.push({ row, reason: head })
      continue
    }
    const last = runs.at(-1)
    if (last?.id === head.id && last.to === row) last.to++
    else runs.push({ from: row, to: row + 1, id: head.id, skip: head.skip })
  }
  return runs
}

function headOf(
  memory: LinearMemory,
  values: Pointer,
  row: number,
  framing: Framing,
): { readonly id: SchemaId; readonly skip: number } | string {
  const words = (values >>> 2) + 2 * row
  const address = memory.u32[words]!
  const length = memory.u32[words + 1]!
  if (address === 0) return 'the record has no value'
  if (framing === 'glue') return glueHead(memory, words, address, length)
  if (length < CONFLUENT_BYTES || memory.u8[address] !== 0)
    return "the record does not begin with Confluent's 0 and a schema id"
  const { u8 } = memory
  const id =
    (u8[address + 1]! << 24) | (u8[address + 2]! << 16) | (u8[address + 3]! << 8) | u8[address + 4]!
  return { id, skip: CONFLUENT_BYTES }
}

/** A packed record is unpacked, and its cell points to that. */
function glueHead(memory: LinearMemory, words: number, address: number, length: number) {
  if (length < GLUE_BYTES || memory.u8[address] !== GLUE_VERSION)
    return "the record does not begin with Glue's 3, a compression and a schema version id"
  const id = uuidText(memory.u8.slice(address + 2, address + GLUE_BYTES))
  const compression = memory.u8[address + 1]
  if (compression === 0) return { id, skip: GLUE_BYTES }
  if (compression !== GLUE_ZLIB)
    return `the record's compression is ${compression}, which is none of Glue's`
  const unpacked = inflated(memory.u8.slice(address + GLUE_BYTES, address + length))
  if (typeof unpacked === 'string') return unpacked
  const block = memory.arena.allocate(unpacked.length + GLUE_BYTES)
  memory.u8.set(unpacked, block + GLUE_BYTES)
  memory.u8.set(memory.u8.slice(address, address + GLUE_BYTES), block)
  // Not to be unpacked again when the cells are looked at once more.
  memory.u8[block + 1] = 0
  memory.u32[words] = block
  memory.u32[words + 1] = unpacked.length + GLUE_BYTES
  return { id, skip: GLUE_BYTES }
}

/** A text: why it does not unpack. */
function inflated(packed: Uint8Array): Uint8Array | string {
  try {
    return inflateSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
  } catch (error) {
    const isTooLarge = error instanceof RangeError
    return isTooLarge
      ? `the record unpacks to more than ${UNPACKED_BYTES_MAX} bytes`
      : 'the record does not unpack'
  }
}

/** What a writer puts in front of each record. */
export function frameHead(framing: Framing, id: SchemaId): Uint8Array {
  if (framing === 'glue') {
    const uuid = Buffer.from(String(id).replaceAll('-', ''), 'hex')
    return Buffer.concat([Uint8Array.of(GLUE_VERSION, 0), uuid])
  }
  const head = new Uint8Array(CONFLUENT_BYTES)
  new DataView(head.buffer).setInt32(1, Number(id))
  return head
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
