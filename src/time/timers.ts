/**
 * Timers in the order of their times: a binary heap. Whoever moves a timer later pushes it again when it comes, rather than
 * searching for it: sessions that grow do this.
 */
const CAPACITY_MIN = 64

export class Timers {
  #times = new BigInt64Array(CAPACITY_MIN)
  #payloads = new Float64Array(CAPACITY_MIN)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** When the first is due; undefined if there is none. */
  get nextUs(): bigint | undefined {
    return this.#size === 0 ? undefined : this.#times[0]!
  }

  push(timeUs: bigint, payload: number): void {
    if (this.#size === this.#times.length) this.#grow()
    let at = this.#size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#times[parent]! <= timeUs) break
      this.#copy(parent, at)
      at = parent
    }
    this.#times[at] = timeUs
    this.#payloads[at] = payload
  }

  /** Takes the first if it is due at `untilUs`, and gives its payload. */
  pop(untilUs: bigint): number | undefined {
    if (this.#size === 0 || this.#times[0]! > untilUs) return undefined
    const payload = this.#payloads[0]!
    const last = --this.#size
    const timeUs = this.#times[last]!
    let at = 0
    for (let child = 1; child < last; child = 2 * at + 1) {
      if (child + 1 < last && this.#times[child + 1]! < this.#times[child]!) child++
      if (this.#times[child]! >= timeUs) break
      this.#copy(child, at)
      at = child
    }
    this.#copy(last, at)
    return payload
  }

  #copy(from: number, to: number): void {
    this.#times[to] = this.#times[from]!
    this.#payloads[to] = this.#payloads[from]!
  }

  #grow(): void {
    const times = new BigInt64Array(2 * this.#times.length)
    const payloads = new Float64Array(2 * this.#times.length)
    times.set(this.#times)
    payloads.set(this.#payloads)
    this.#times = times
    this.#payloads = payloads
  }
}
