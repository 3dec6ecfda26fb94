/** The records of batches that lie in linear memory, to cells: what the log's own reader and readers of other brokers share. */
import { createCrc32c } from '../codec/crc32c.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { createFrameKernel, type FrameKernel, type RecordCells } from '../kernels/frame.ts'
import { APPEND_TIME_BIT, type BatchHeader } from './record-batch.ts'

/** Which cells are wanted besides values and append times. */
export interface CellsWanted {
  readonly keys?: boolean
  readonly headers?: boolean
  readonly offsets?: boolean
  readonly times?: boolean
}

/** 8-byte cells by row; 0 = not wanted. */
export interface ReadCells extends RecordCells {
  /** i64 µs: when the log took each in; 0 in topics with CreateTime. */
  readonly appendTimesUs: Pointer
}

export interface RecordKernels {
  readonly frame: FrameKernel
  readonly crc32c: (address: Pointer, bytes: number) => number
}

/** Whose time a record has: its producer's, or under LogAppendTime the log's, as Kafka's consumers see it. */
export type TimeOf = 'producer' | 'timestamp-type'

const CELL_BYTES = 8
const kernelsByMemory = new WeakMap<LinearMemory, RecordKernels>()

/** One instance a memory. */
export function recordKernels(memory: LinearMemory): RecordKernels {
  const known = kernelsByMemory.get(memory)
  if (known !== undefined) return known
  const made = { frame: createFrameKernel(memory), crc32c: createCrc32c(memory) }
  kernelsByMemory.set(memory, made)
  return made
}

export function allocateCells(
  allocate: (bytes: number) => Pointer,
  wanted: CellsWanted,
  count: number,
): ReadCells {
  const cells = (isWanted: boolean | undefined) => (isWanted ? allocate(count * CELL_BYTES) : 0)
  return {
    values: cells(true),
    keys: cells(wanted.keys),
    headers: cells(wanted.headers),
    offsets: cells(wanted.offsets),
    timesUs: cells(wanted.times),
    appendTimesUs: cells(true),
  }
}

/**
 * Writes the cells of one batch's records, uncompressed at `records`, from `row` on. Returns how many values are NULL.
 * @throws what `fail` makes of records that are damaged
 */
export function decodeBatch(
  memory: LinearMemory,
  header: BatchHeader,
  records: { readonly address: Pointer; readonly bytes: number },
  cells: ReadCells,
  row: number,
  timeOf: TimeOf,
  fail: (what: string) => Error,
): number {
  const isAppendTime = (header.attributes & APPEND_TIME_BIT) !== 0
  const isFixed = isAppendTime && timeOf === 'timestamp-type'
  const decoded = recordKernels(memory).frame.decode(
    {
      ...records,
      recordCount: header.recordCount,
      baseOffset: BigInt(header.baseOffset),
      baseTimestampMs: BigInt(isFixed ? header.maxTimestampMs : header.baseTimestampMs),
      logAppendTime: isFixed,
    },
    cells,
    row,
  )
  if (decoded.kind === 'corrupt')
    throw fail(`${decoded.reason} (byte ${decoded.byteOffset} of the batch's records)`)
  const from = (cells.appendTimesUs >> 3) + row
  const appendTimeUs = isAppendTime ? header.maxTimestampMs * 1000 : 0
  memory.i64.fill(BigInt(appendTimeUs), from, from + header.recordCount)
  return decoded.nullValues
}
