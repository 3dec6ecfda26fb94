/** Texts for functions that take JavaScript's: of ASCII, decoding all of a batch at once is much cheaper than each by itself. */
import type { Vector } from '../data/batch.ts'
import { textKernel } from '../kernels/text.ts'
import { readerOf } from './cells.ts'
import type { Frame } from './compiled.ts'
import type { Value } from './value.ts'

/** Fewer are decoded one by one. */
const ROWS_MIN = 16
/** Of the texts of a batch together: a part that is kept keeps the whole. */
const BYTES_MAX = 1 << 22

/** @returns a reader that is asked for each of the frame's rows once, in their order; what it gives is not to be kept */
export function textsInOrder(frame: Frame, vector: Vector): (row: number) => Value {
  const { memory, selection, count } = frame
  const { cells, validity } = vector
  if (count < ROWS_MIN) return readerOf(memory, vector)
  const kernel = textKernel(memory)
  const bytes = kernel.bytesOf(cells, validity, selection, count)
  if (bytes === 0 || bytes > BYTES_MAX) return readerOf(memory, vector)
  const space = memory.arena.allocate(bytes)
  if (kernel.gather(cells, validity, selection, count, space) === 0) return readerOf(memory, vector)
  const all = Buffer.from(memory.u8.buffer, space, bytes).toString('latin1')
  const { u8, u32 } = memory
  let end = 0
  return (row) => {
    if (validity !== 0 && ((u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0) return null
    const from = end
    end += u32[cells / 4 + 2 * row + 1]!
    return all.substring(from, end)
  }
}
