/**
 * Addresses in the order of the times at which they are due, for many that are due about when others are: they lie in buckets of one
 * width, and only the bucket that time has reached is put in order.
 */
import { Timers } from './timers.ts'

/** A due time as a number is off by less than this, µs. */
const ROUNDING_US = 64

export class DueEntries {
  readonly #widthUs: number
  readonly #dueOf: (entry: number) => bigint
  readonly #buckets = new Map<number, number[]>()
  /** Numbers of buckets. */
  readonly #order = new Timers()
  readonly #reached = new Timers()
  #reachedBucket = Number.NEGATIVE_INFINITY

  /** `dueOf` must give what was pushed, until the entry is taken. `widthUs` > 0. */
  constructor(widthUs: number, dueOf: (entry: number) => bigint) {
    this.#widthUs = widthUs
    this.#dueOf = dueOf
  }

  push(dueUs: bigint, entry: number): void {
    const bucket = Math.floor(Number(dueUs) / this.#widthUs)
    if (bucket <= this.#reachedBucket) {
      this.#reached.push(dueUs, entry)
      return
    }
    const entries = this.#buckets.get(bucket)
    if (entries === undefined) {
      this.#buckets.set(bucket, [entry])
      this.#order.push(BigInt(bucket), bucket)
    } else entries.push(entry)
  }

  /** Takes all that are due at `untilUs`. */
  takeDue(untilUs: bigint, take: (entry: number) => void): void {
    const until = Math.floor((Number(untilUs) + ROUNDING_US) / this.#widthUs)
    for (let bucket = this.#order.pop(BigInt(until)); bucket !== undefined; ) {
      this.#reachedBucket = bucket
      for (const entry of this.#buckets.get(bucket)!) this.#reached.push(this.#dueOf(entry), entry)
      this.#buckets.delete(bucket)
      bucket = this.#order.pop(BigInt(until))
    }
    for (let entry = this.#reached.pop(untilUs); entry !== undefined; ) {
      take(entry)
      entry = this.#reached.pop(untilUs)
    }
  }
}
