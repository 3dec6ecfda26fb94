/**
 * Decoded envelopes to rows with their kinds: a creation or snapshot read is a +I, an update a -U and a +U, a deletion a -D.
 *
 * Cells are moved column by column: those of `before` and of `after` are laid behind one another, and each row picks its own.
 */
import { DELETE, INSERT, UPDATE_AFTER, UPDATE_BEFORE, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, layoutOf } from '../../data/types.ts'
import { GATHER_SLACK_BYTES, gatherKernel } from '../../kernels/gather.ts'
import type { DeadRecord, DecodedRecords } from '../format.ts'
import type { BesideRows, Envelope } from './envelope.ts'

export interface DecodedEnvelopes {
  readonly envelope: Envelope
  /** Of `envelope.schema`: before, after, op and the rest, of `count` records. */
  readonly vectors: readonly Vector[]
  readonly count: number
  /** Records that did not decode, ascending. */
  readonly dead: readonly DeadRecord[]
  /** Cells of the records' bytes: those without any are tombstones, which say nothing that a deletion before them did not. */
  readonly values: Pointer
  /** By column of the table. */
  readonly types: readonly DataType[]
  /** What a metadata key is. */
  beside(key: string): BesideRows
}

export function changesOf(memory: LinearMemory, decoded: DecodedEnvelopes): DecodedRecords {
  const picks = pickRows(memory, decoded)
  const [before, after] = decoded.vectors as [Vector, Vector]
  const columns = decoded.envelope.columns.map((column, index): Vector => {
    const type = decoded.types[index]!
    if (column.kind === 'metadata')
      return { ...picked(memory, besideOf(memory, decoded, column.key), picks), type }
    const [left, right] = [before.children![column.index]!, after.children![column.index]!]
    return picks.areAllAfter ? right : merged(memory, left, right, decoded.count, picks)
  })
  return {
    columns,
    rowCount: picks.count,
    selection: 0,
    count: picks.count,
    kinds: picks.areAllAfter ? 0 : picks.kinds,
    records: picks.areAllAfter ? 0 : picks.records,
    dead: picks.dead,
  }
}

interface Picks {
  readonly count: number
  /** u8 RowKind a row. */
  readonly kinds: Pointer
  /** u32 a row: its record. */
  readonly records: Pointer
  /** u32 a row: its record, or, of `after`, `stride` more. */
  readonly sources: Pointer
  readonly stride: number
  readonly dead: readonly DeadRecord[]
  /** Row n is the `after` of record n, and was created. */
  readonly areAllAfter: boolean
}

const [CREATED, READ, UPDATED, DELETED] = [99, 114, 117, 100] as const

function pickRows(memory: LinearMemory, decoded: DecodedEnvelopes): Picks {
  const { count, vectors, dead: broken, values } = decoded
  const [before, after, op] = vectors as [Vector, Vector, Vector]
  // Bitmaps of both halves begin at whole bytes.
  const stride = (count + 7) & ~7
  const kinds = memory.arena.allocate(2 * count)
  const records = memory.arena.allocate(8 * count)
  const sources = memory.arena.allocate(8 * count)
  const { u8, u32 } = memory
  const dead: DeadRecord[] = []
  let rows = 0
  let created = 0
  let next = 0
  const add = (record: number, kind: number, source: number): void => {
    u8[kinds + rows] = kind
    u32[(records >>> 2) + rows] = record
    u32[(sources >>> 2) + rows] = source
    rows++
  }
  for (let record = 0; record < count; record++) {
    if (broken[next]?.row === record) {
      if (u32[(values >>> 2) + 2 * record + 1] !== 0) dead.push(broken[next]!)
      next++
      continue
    }
    const code = operationAt(memory, op, record)
    const isAfter = isThere(u8, after.validity, record)
    const isBefore = isThere(u8, before.validity, record)
    if ((code === CREATED || code === READ) && isAfter) {
      created++
      add(record, INSERT, stride + record)
    } else if (code === UPDATED && isBefore && isAfter) {
      add(record, UPDATE_BEFORE, record)
      add(record, UPDATE_AFTER, stride + record)
    } else if (code === DELETED && isBefore) add(record, DELETE, record)
    else dead.push({ row: record, reason: reasonOf(memory, op, record, code, isAfter) })
  }
  return { count: rows, kinds, records, sources, stride, dead, areAllAfter: created === count }
}

/** The byte of `op`; 0 where it is NULL or not of one byte. */
function operationAt({ u8, u32 }: LinearMemory, op: Vector, record: number): number {
  const words = (op.cells >>> 2) + 2 * record
  return isThere(u8, op.validity, record) && u32[words + 1] === 1 ? u8[u32[words]!]! : 0
}

const OPERATIONS: ReadonlyMap<number, string> = new Map([
  [CREATED, 'create'],
  [READ, 'read'],
  [UPDATED, 'update'],
  [DELETED, 'delete'],
])
const TEXT_BYTES_MAX = 60

function reasonOf(
  memory: LinearMemory,
  op: Vector,
  record: number,
  code: number,
  isAfter: boolean,
): string {
  if (!isThere(memory.u8, op.validity, record))
    return 'op: missing or null; a message with schema and payload needs schema-include'
  const operation = OPERATIONS.get(code)
  if (operation === undefined) {
    const [address, bytes] = memory.u32.subarray((op.cells >>> 2) + 2 * record)
    const text = memory.u8.slice(address!, address! + Math.min(bytes!, TEXT_BYTES_MAX))
    return `op: ${JSON.stringify(new TextDecoder().decode(text))} is none of c, r, u and d`
  }
  if (code !== DELETED && !isAfter) return `after: null in a message of op ${operation}`
  return `before: null in a message of op ${operation}; PostgreSQL tells it of tables with REPLICA IDENTITY FULL`
}

function isThere(u8: Uint8Array, validity: Pointer, row: number): boolean {
  return validity === 0 || ((u8[validity + (row >> 3)]! >> (row & 7)) & 1) !== 0
}

/** Each row's cell, of `before` or of `after`. */
function merged(
  memory: LinearMemory,
  before: Vector,
  after: Vector,
  count: number,
  picks: Picks,
): Vector {
  const { stride } = picks
  const validity =
    before.validity === 0 && after.validity === 0
      ? 0
      : bothBitmaps(memory, before.validity, after.validity, count, stride)
  if (layoutOf(before.type) === 'row') {
    const children = before.children!.map((child, index) =>
      merged(memory, child, after.children![index]!, count, picks),
    )
    const bits = validity === 0 ? 0 : pickedBits(memory, validity, picks, picks.sources)
    return { type: before.type, cells: 0, validity: bits, children }
  }
  const bytes = cellBytes(before.type)
  const cells = memory.arena.allocate(2 * stride * bytes)
  memory.u8.copyWithin(cells, before.cells, before.cells + count * bytes)
  memory.u8.copyWithin(cells + stride * bytes, after.cells, after.cells + count * bytes)
  return pickedFrom(memory, { type: before.type, cells, validity }, picks, picks.sources)
}

function bothBitmaps(
  memory: LinearMemory,
  before: Pointer,
  after: Pointer,
  count: number,
  stride: number,
): Pointer {
  const bytes = stride >> 3
  const both = memory.arena.allocate(2 * bytes)
  const copy = (from: Pointer, to: Pointer): void => {
    if (from === 0) memory.u8.fill(255, to, to + bytes)
    else memory.u8.copyWithin(to, from, from + ((count + 7) >> 3))
  }
  copy(before, both)
  copy(after, both + bytes)
  return both
}

/** Of what records have, what rows have. */
function picked(memory: LinearMemory, vector: Vector, picks: Picks): Vector {
  return picks.areAllAfter ? vector : pickedFrom(memory, vector, picks, picks.records)
}

function pickedFrom(
  memory: LinearMemory,
  { type, cells, validity }: Vector,
  picks: Picks,
  places: Pointer,
): Vector {
  const bytes = cellBytes(type)
  const kernel = gatherKernel(memory)
  const out = memory.arena.allocate(picks.count * bytes + GATHER_SLACK_BYTES)
  if (picks.count > 0)
    kernel[bytes === 16 ? 'gather16' : 'gather8'](cells, places, picks.count, out)
  const bits = validity === 0 ? 0 : pickedBits(memory, validity, picks, places)
  return { type, cells: out, validity: bits }
}

function pickedBits(
  memory: LinearMemory,
  validity: Pointer,
  { count }: Picks,
  places: Pointer,
): Pointer {
  const out = memory.arena.allocateCleared(((count + 7) >> 3) + GATHER_SLACK_BYTES)
  if (count > 0) gatherKernel(memory).gatherBits(validity, places, count, out)
  return out
}

/** 9999-12-31: what a time beyond it stands for is no time of day. */
const MS_MAX = 253_402_300_799_999n

/** A metadata column of each record: NULL where the ROW around it is. */
function besideOf(memory: LinearMemory, decoded: DecodedEnvelopes, key: string): Vector {
  const { count } = decoded
  const { vector, within } = decoded.beside(key)
  const bytes = (count + 7) >> 3
  const validity =
    vector.validity === 0 && (within?.validity ?? 0) === 0 && !isTime(key)
      ? 0
      : memory.arena.allocate(bytes)
  if (validity === 0) return vector
  const { u8 } = memory
  for (let at = 0; at < bytes; at++) {
    const own = vector.validity === 0 ? 255 : u8[vector.validity + at]!
    const around = within === undefined || within.validity === 0 ? 255 : u8[within.validity + at]!
    u8[validity + at] = own & around
  }
  if (!isTime(key)) return { ...vector, validity }
  const cells = memory.arena.allocate(8 * count)
  const { i64 } = memory
  for (let row = 0; row < count; row++) {
    const ms = i64[(vector.cells >>> 3) + row]!
    if (ms > MS_MAX || ms < -MS_MAX) memory.u8[validity + (row >> 3)]! &= ~(1 << (row & 7))
    else i64[(cells >>> 3) + row] = ms * 1000n
  }
  return { ...vector, cells, validity }
}

function isTime(key: string): boolean {
  return key.endsWith('timestamp')
}
