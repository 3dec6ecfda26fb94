/** Texts of one record a line: where each line lies. */
import type { LinearMemory } from '../../data/memory.ts'
import { createLinesKernel, type LinesKernel } from '../../kernels/lines.ts'

export type LineSplitter = LinesKernel

export function createLineSplitter(memory: LinearMemory): LineSplitter {
  return createLinesKernel(memory)
}
