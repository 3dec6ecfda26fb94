/**
 * DDSketch: how many values fall into each bucket of a geometric scale, so that a quantile is known within 0.25 % of its value, in
 * memory that does not grow with the count. Two sketches of one scale merge exactly: the sum of their buckets.
 *
 *   bucket i    values in (BASE^(i-1), BASE^i], i from 0; values <= 0 are counted apart, values of at most 1 in bucket 0
 *
 * @see Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019
 */

/** (1 + a) / (1 - a) for a relative accuracy a of 0.25 %. */
const BASE = 1.0025 / 0.9975
const PER_LOG = 1 / Math.log(BASE)
/** Values beyond BASE^7000 (about 1.6e15: 50 years in microseconds) share the last bucket. */
const BUCKETS_MAX = 7000
const BUCKETS_LEAST = 256

export interface ShareBelow {
  readonly least: number
  readonly likely: number
  readonly most: number
}

export class Sketch {
  #buckets = new Float64Array(BUCKETS_LEAST)
  #atMostZero = 0
  #total = 0
  #greatest = Number.NEGATIVE_INFINITY

  /** The weight of all that was added. */
  get total(): number {
    return this.#total
  }

  /** Of the values above zero, exact; -Infinity if there is none. */
  get greatest(): number {
    return this.#greatest
  }

  get bytes(): number {
    return this.#buckets.byteLength
  }

  /** Adds a value above zero. */
  add(value: number, weight = 1): void {
    const bucket = bucketOf(value)
    if (bucket >= this.#buckets.length) this.#grow(bucket)
    this.#buckets[bucket] = this.#buckets[bucket]! + weight
    this.#total += weight
    if (value > this.#greatest) this.#greatest = value
  }

  /** Adds `weight` of values that are zero or less. */
  addZeros(weight: number): void {
    this.#atMostZero += weight
    this.#total += weight
  }

  merge(other: Sketch): void {
    if (other.#buckets.length > this.#buckets.length) this.#grow(other.#buckets.length - 1)
    for (let at = 0; at < other.#buckets.length; at++)
      this.#buckets[at] = this.#buckets[at]! + other.#buckets[at]!
    this.#atMostZero += other.#atMostZero
    this.#total += other.#total
    if (other.#greatest > this.#greatest) this.#greatest = other.#greatest
  }

  /** The least value that is the end of a bucket (or 0) with at least `share` of the weight at or below it; 0 if nothing was added. */
  quantile(share: number): number {
    const wanted = share * this.#total
    let seen = this.#atMostZero
    // What sums of weights lose to rounding must not cost a bucket.
    const enough = wanted - 1e-9 * this.#total
    if (seen >= enough) return 0
    for (let at = 0; at < this.#buckets.length; at++) {
      seen += this.#buckets[at]!
      if (seen >= enough) return Math.min(BASE ** at, this.#greatest)
    }
    return this.#greatest
  }

  /** The share of the weight below `value`: what is certain, what its own bucket leaves open, and what is likely if that one is filled evenly. 1 if nothing was added. */
  shareBelow(value: number): ShareBelow {
    if (this.#total === 0 || value > this.#greatest) return { least: 1, likely: 1, most: 1 }
    const own = value <= 0 ? -1 : bucketOf(value)
    let seen = this.#atMostZero
    for (let at = 0; at < Math.min(own, this.#buckets.length); at++) seen += this.#buckets[at]!
    const open = own < 0 ? 0 : (this.#buckets[own] ?? 0)
    const start = own <= 0 ? 0 : BASE ** (own - 1)
    const part = own < 0 ? 0 : Math.min(1, (value - start) / (BASE ** own - start))
    return {
      least: seen / this.#total,
      likely: (seen + part * open) / this.#total,
      most: (seen + open) / this.#total,
    }
  }

  #grow(bucket: number): void {
    const length = Math.min(BUCKETS_MAX + 1, Math.max(bucket + 1, 2 * this.#buckets.length))
    const grown = new Float64Array(length)
    grown.set(this.#buckets)
    this.#buckets = grown
  }
}

function bucketOf(value: number): number {
  if (value <= 1) return 0
  return Math.min(BUCKETS_MAX, Math.ceil(Math.log(value) * PER_LOG - 1e-9))
}
