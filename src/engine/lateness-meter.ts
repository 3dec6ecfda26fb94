/**
 * Meters how late the rows of one split are, every one of them, against the watermark that they meet: in a block of the worker's memory
 * that a kernel adds to, 21 KB a split.
 *
 * Windows of several grids below are taken for the finest; where none is below, rows are held against the watermark itself.
 */
import type { Batch } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { latenessKernel, NEED_BUCKETS } from '../kernels/lateness.ts'
import type { Expression } from '../plan/expressions.ts'
import type { WatermarkAssigner } from '../plan/nodes.ts'
import { type Grid, WATERMARK_MAX, WATERMARK_MIN } from '../time/windows.ts'
import type { Lateness } from './lateness.ts'

const BLOCK_BYTES = 8 * (1 + NEED_BUCKETS)

/** Where watermarks stand when a batch comes, µs; each less the delay than the greatest time. */
export interface MetWatermarks {
  readonly ownUs: bigint
  /** Of the others; undefined: none holds it. */
  readonly heldUs: bigint | undefined
  readonly combinedUs: bigint
}

export interface LatenessMeter {
  /** Rows whose event times are `times`, none NULL. */
  add(batch: Batch, times: Pointer, met: MetWatermarks): void
  read(): Lateness
}

export interface LatenessOf {
  readonly delayUs: bigint
  readonly grid: Grid | undefined
}

/** The constant delay of the watermark and the windows below; undefined where the watermark is worked out otherwise. */
export function latenessOf(
  assigner: WatermarkAssigner | undefined,
  grids: readonly Grid[],
): LatenessOf | undefined {
  const delayUs = assigner === undefined ? undefined : delayOf(assigner)
  if (delayUs === undefined) return undefined
  const [grid] = [...grids].sort((left, right) => Number(left.slideUs - right.slideUs))
  return { delayUs, grid }
}

/** `counted`: by a run before; forgotten if it had another delay or other windows. */
export function latenessMeter(
  memory: LinearMemory,
  { delayUs, grid }: LatenessOf,
  counted: Lateness | undefined,
): LatenessMeter {
  const kernel = latenessKernel(memory)
  const block = memory.allocate(BLOCK_BYTES)
  memory.u8.fill(0, block, block + BLOCK_BYTES)
  const slideUs = grid?.slideUs ?? 0n
  const offsetUs = grid?.offsetUs ?? 0n
  const plain = { delayUs: Number(delayUs), windowUs: Number(slideUs) }
  let events = 0
  if (counted?.delayUs === plain.delayUs && counted.windowUs === plain.windowUs) {
    events = counted.events
    memory.i64[block / 8] = BigInt(counted.lost)
    for (let at = 0; at < counted.needs.length; at += 2)
      memory.i64[block / 8 + 1 + counted.needs[at]!] = BigInt(counted.needs[at + 1]!)
  }
  const ahead = (us: bigint): bigint =>
    us === WATERMARK_MIN || us >= WATERMARK_MAX - delayUs ? us : us + delayUs
  return {
    add({ selection, count }, times, { ownUs, heldUs, combinedUs }) {
      kernel.meterNeeds(
        times,
        selection,
        count,
        ahead(ownUs),
        ahead(heldUs ?? WATERMARK_MAX),
        ahead(combinedUs),
        slideUs,
        offsetUs,
        delayUs,
        block,
      )
      events += count
    },
    read() {
      const { u32 } = memory
      const lost = countAt(u32, block / 4)
      const needs: number[] = []
      for (let index = 0, at = block / 4 + 2; index < NEED_BUCKETS; index++, at += 2)
        if ((u32[at]! | u32[at + 1]!) !== 0) needs.push(index, countAt(u32, at))
      return { ...plain, events, lost, needs }
    },
  }
}

/** An i64 that is no number of more than 53 bits, as its two halves. */
function countAt(u32: Uint32Array, at: number): number {
  return u32[at + 1]! * 4294967296 + u32[at]!
}

/** Of `time - INTERVAL`, or of the time itself. */
function delayOf({ watermark, rowtime }: WatermarkAssigner): bigint | undefined {
  if (isColumn(watermark, rowtime)) return 0n
  if (watermark.kind !== 'call' || watermark.function !== 'MINUS') return undefined
  const [time, delay] = watermark.args
  if (time === undefined || !isColumn(time, rowtime) || delay?.kind !== 'literal') return undefined
  const isSpan = delay.type.kind === 'interval_day_second' && typeof delay.value === 'string'
  return isSpan ? BigInt(`${delay.value}`) : undefined
}

function isColumn(expression: Expression, index: number): boolean {
  return expression.kind === 'column' && expression.index === index
}
