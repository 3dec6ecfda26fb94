/**
 * The watermark of several inputs (splits of a source, channels of an exchange, inputs of an operator).
 *
 * It is the least over the inputs that are not idle, and never goes back: an input that wakes up behind it finds it where it is.
 * When all are idle it is the greatest of theirs, for none holds it any more.
 *
 * @see Flink, StatusWatermarkValve: idle inputs, and the flush when all have become idle
 */
import { WATERMARK_MIN } from './windows.ts'

export interface InputWatermark {
  watermarkUs: bigint
  idle: boolean
}

/** The combined watermark after `current`: never below it. No inputs: as it was. */
export function combinedUs(inputs: readonly InputWatermark[], current: bigint): bigint {
  let least: bigint | undefined
  let greatest = WATERMARK_MIN
  for (const { watermarkUs, idle } of inputs) {
    if (watermarkUs > greatest) greatest = watermarkUs
    if (idle) continue
    if (least === undefined || watermarkUs < least) least = watermarkUs
  }
  const combined = least ?? greatest
  return combined > current ? combined : current
}

/**
 * How far `input`'s own watermark may rise and move the combined one: the least over the other inputs that are not idle.
 * Undefined if no other holds it.
 */
export function heldByOthersUs(
  inputs: readonly InputWatermark[],
  input: InputWatermark,
): bigint | undefined {
  let least: bigint | undefined
  for (const other of inputs) {
    if (other === input || other.idle) continue
    if (least === undefined || other.watermarkUs < least) least = other.watermarkUs
  }
  return least
}
