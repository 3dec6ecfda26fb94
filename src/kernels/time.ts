/** Event time over columns: the running maximum that a watermark is, and the panes that windows are made of. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './time.generated.ts'

/** `validity` and `selection` as in a batch; positions count within the selection. */
export interface TimeKernel {
  /** The greatest of `start` and the selected cells that are not NULL. */
  greatest(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    start: bigint,
  ): bigint
  /** The first position in [from, count) whose cell is not NULL and >= `threshold`; `count` if none is. */
  firstReaching(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    threshold: bigint,
  ): number
  /** The first position in [from, count) whose cell is below `threshold`; `count` if none is. Cells must not be NULL. */
  firstBelow(
    cells: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    threshold: bigint,
  ): number
  /**
   * The first position in [from, count) whose cell is more than `boundUs` beyond its row's append time; `count` if none is.
   * `appendTimes` is i64 a row, or 0; where there is none (0), `nowUs` stands in.
   */
  firstAhead(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    appendTimes: Pointer,
    nowUs: bigint,
    boundUs: bigint,
  ): number
  /**
   * The first position in (from, count) whose time is no more than `aheadUs` beyond the watermark of the rows before it, if they
   * moved it above `toldUs`; `count` if there is none. `splitUs`: the split's watermark before `from`; `heldUs`: what others allow.
   */
  firstBehind(
    times: Pointer,
    marks: Pointer,
    validity: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    splitUs: bigint,
    toldUs: bigint,
    heldUs: bigint,
    aheadUs: bigint,
  ): number
  /**
   * Writes each selected row's pane, floor((cell - offsetUs) / sizeUs), to `panes` (i64 by position), and the least and the
   * greatest to `bounds` (two i64). Cells must not be NULL.
   */
  paneNumbers(
    cells: Pointer,
    selection: Pointer,
    count: number,
    sizeUs: bigint,
    offsetUs: bigint,
    panes: Pointer,
    bounds: Pointer,
  ): void
  /**
   * Sorts the selected rows by pane, stably: `rows` gets `count` u32 row numbers, `starts` (range + 1 u32, cleared before) where
   * each pane `least + index` begins in it, and at last where the rows end.
   */
  scatterByPane(
    panes: Pointer,
    selection: Pointer,
    count: number,
    least: bigint,
    range: number,
    rows: Pointer,
    starts: Pointer,
  ): void
}

let compiled: WebAssembly.Module | undefined

/** The kernel over `memory`'s one linear memory. */
export function timeKernel(memory: LinearMemory): TimeKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
  return instance.exports as WebAssembly.Exports & TimeKernel
}
