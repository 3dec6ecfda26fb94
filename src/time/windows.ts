/**
 * Windows over event time, as arithmetic on panes.
 *
 * The *grid* of a window function is offset + n * slide (a tumbling window slides by its size). *Pane* n is the time
 * [offset + n * slide, offset + (n + 1) * slide); a window that ends at grid point e covers panes e - span .. e - 1, where
 * span = size / slide. So pane n belongs to the windows that end at n + 1 .. n + span. Cumulating windows come in rows of `span`
 * that share their start: pane n belongs to those of its row that end at n + 1 or later.
 *
 * @see Akidau et al., "The Dataflow Model", VLDB 2015, section 2.2; Li et al., "No pane, no gain", SIGMOD Record 2005
 */

/** The lowest and the highest watermark: before any row, and after the last. µs. */
export const WATERMARK_MIN = -(2n ** 63n)
export const WATERMARK_MAX = 2n ** 63n - 1n

/** A window fires when the watermark reaches its end less this: Flink's watermarks are whole milliseconds. */
const FIRE_EARLY_US = 1000n

export interface Grid {
  readonly slideUs: bigint
  /** Panes a window covers; 1 for tumbling windows, the most of them for cumulating ones. */
  readonly span: number
  /** In [0, slideUs). */
  readonly offsetUs: bigint
  /** Of cumulating windows: the least pane >= 0 with which a row of `span` windows begins that share their start. */
  readonly chunkStart?: number
}

/** CUMULATE windows end at every step and span up to size / step panes. */
export function gridOf(window: {
  readonly slideUs?: number
  readonly stepUs?: number
  readonly sizeUs: number
  readonly offsetUs: number
}): Grid {
  const slide = window.slideUs ?? window.stepUs ?? window.sizeUs
  const slideUs = BigInt(slide)
  const offset = BigInt(window.offsetUs) % slideUs
  const offsetUs = offset < 0n ? offset + slideUs : offset
  const span = window.sizeUs / slide
  if (window.stepUs === undefined) return { slideUs, span, offsetUs }
  const steps = Number((BigInt(window.offsetUs) - offsetUs) / slideUs)
  return { slideUs, span, offsetUs, chunkStart: modulo(steps, span) }
}

/** The grid point at which the last window ends that pane `pane` belongs to. */
export function lastEndOf(grid: Grid, pane: number): number {
  if (grid.chunkStart === undefined) return pane + grid.span
  return pane - modulo(pane - grid.chunkStart, grid.span) + grid.span
}

/** The first pane of the window that ends at grid point `end`. */
export function firstPaneOf(grid: Grid, end: number): number {
  if (grid.chunkStart === undefined) return end - grid.span
  return end - 1 - modulo(end - 1 - grid.chunkStart, grid.span)
}

/** The grid point numbered `index`, in µs: the start of pane `index`, and an end of windows. */
export function gridPointUs(grid: Grid, index: number): bigint {
  return grid.offsetUs + BigInt(index) * grid.slideUs
}

/** The number of the last grid point whose windows have fired at `watermarkUs`; -Infinity before any row, Infinity after the last. */
export function firedThrough(grid: Grid, watermarkUs: bigint): number {
  if (watermarkUs === WATERMARK_MIN) return -Infinity
  if (watermarkUs === WATERMARK_MAX) return Infinity
  return floorDivide(watermarkUs + FIRE_EARLY_US - grid.offsetUs, grid.slideUs)
}

/**
 * The least watermark above `watermarkUs` at which a window of any of `grids` fires: no window fires while the watermark stays below.
 * WATERMARK_MAX without grids. Before any row it is WATERMARK_MIN + 1: the first row decides what is late for the others.
 */
export function nextBoundaryUs(grids: readonly Grid[], watermarkUs: bigint): bigint {
  let next = WATERMARK_MAX
  if (watermarkUs === WATERMARK_MIN) return grids.length === 0 ? next : WATERMARK_MIN + 1n
  for (const grid of grids) {
    const fired = firedThrough(grid, watermarkUs)
    if (fired === Infinity) continue
    const boundary = gridPointUs(grid, fired + 1) - FIRE_EARLY_US
    if (boundary < next) next = boundary
  }
  return next
}

/** Rows before this time miss a window of one of `grids` that has fired at `watermarkUs`; others miss none. */
export function lateBeforeUs(grids: readonly Grid[], watermarkUs: bigint): bigint {
  let before = WATERMARK_MIN
  for (const grid of grids) {
    const fired = firedThrough(grid, watermarkUs)
    if (fired === Infinity) return WATERMARK_MAX
    const pointUs = fired === -Infinity ? WATERMARK_MIN : gridPointUs(grid, fired)
    if (pointUs > before) before = pointUs
  }
  return before
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}

function floorDivide(value: bigint, by: bigint): number {
  const quotient = value / by
  return Number(value < 0n && quotient * by !== value ? quotient - 1n : quotient)
}
