/** How late rows are against the greatest time before them, counted while they pass. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './lateness.generated.ts'

export interface LatenessKernel {
  /**
   * Adds the needs of the selected rows, in their order, to `block`: i64 of those that are at least `delayUs`, then one i64 for each of
   * NEED_BUCKETS buckets. Cells must not be NULL; selection 0: all `count` rows.
   *
   *   ownUs       the greatest time of the rows' split before them; the least i64 where there is none
   *   heldUs      the least of the greatest times of the splits that hold the watermark; the greatest i64 where none does
   *   reachedUs   the greatest time that the watermark had come to, before the rows
   *   slideUs     between the ends of windows, of which one is at `offsetUs`; 0: rows are held against the watermark itself
   */
  meterNeeds(
    times: Pointer,
    selection: Pointer,
    count: number,
    ownUs: bigint,
    heldUs: bigint,
    reachedUs: bigint,
    slideUs: bigint,
    offsetUs: bigint,
    delayUs: bigint,
    block: Pointer,
  ): void
}

/** Needs of less than 1024 µs, and 64 buckets for each of the 41 octaves above. */
export const NEED_BUCKETS = 1 + 41 * 64

/** The least need (µs, whole) that is beyond bucket `index`. The last bucket has no end, but needs of 71 years are the same as any. */
export function needEndUs(index: number): number {
  if (index === 0) return 1024
  const octave = 10 + Math.floor((index - 1) / 64)
  return (64 + ((index - 1) % 64) + 1) * 2 ** (octave - 6)
}

let compiled: WebAssembly.Module | undefined

/** The kernel over `memory`'s one linear memory. */
export function latenessKernel(memory: LinearMemory): LatenessKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
  return instance.exports as WebAssembly.Exports & LatenessKernel
}
