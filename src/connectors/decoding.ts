/** From a connector's records to what the engine polls: the steps that all connectors with formats share. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { DecodedRecords, RecordDecoder } from '../formats/format.ts'
import type { DeadRow, Position } from './contract/source.ts'

/** Decodes the `count` cells at `values`: at once, or when what they need has been fetched. The arena must stay meanwhile. */
export function whenPrepared<Result>(
  decoder: RecordDecoder,
  values: Pointer,
  count: number,
  use: (decoded: DecodedRecords) => Result,
): Result | Promise<Result> {
  const waiting = decoder.prepare(values, count)
  if (waiting === undefined) return use(decoder.decode(values, count))
  return waiting.then(() => use(decoder.decode(values, count)))
}

/** Where a row of the batch stands, by where its record does. */
export function rowPositions(
  memory: LinearMemory,
  { records }: DecodedRecords,
  positionOf: (record: number) => Position,
): (row: number) => Position {
  return (row) => positionOf(records === 0 ? row : memory.u32[(records >>> 2) + row]!)
}

/** The bytes of the records that are dead, each placed among the batch's rows. */
export function deadRows(
  memory: LinearMemory,
  values: Pointer,
  { dead, records, rowCount }: DecodedRecords,
  positionOf: (record: number) => Position,
): DeadRow[] {
  let beforeRow = 0
  return dead.map(({ row, reason }) => {
    const words = (values >>> 2) + 2 * row
    const address = memory.u32[words]!
    const bytes = memory.u8.slice(address, address + memory.u32[words + 1]!)
    if (records === 0) beforeRow = row
    else while (beforeRow < rowCount && memory.u32[(records >>> 2) + beforeRow]! < row) beforeRow++
    return { bytes, reason, position: positionOf(row), beforeRow }
  })
}
