/** Cells as JavaScript values and back, for what has no kernel: data/cells.ts, failing rows as functions do. */
import type { Vector } from '../data/batch.ts'
import { type CellWriter, cellReaderOf, cellWriterOf } from '../data/cells.ts'
import type { LinearMemory } from '../data/memory.ts'
import type { DataType } from '../data/types.ts'
import { failRow } from './row-failure.ts'
import type { Value } from './value.ts'

export type Writer = CellWriter

/** A reader of `vector`'s values by row. */
export function readerOf(memory: LinearMemory, vector: Vector): (row: number) => Value {
  return cellReaderOf(memory, vector)
}

/** Of a new vector of `rowCount` rows in the arena; rows that are never set are NULL. */
export function writerOf(memory: LinearMemory, type: DataType, rowCount: number): Writer {
  return cellWriterOf(memory, type, rowCount, (units) =>
    failRow(`a text of ${units} characters is too long`),
  )
}
