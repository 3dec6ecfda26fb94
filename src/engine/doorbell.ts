/** How workers in threads wake one another: a count each, which goes up whenever something may be there for that worker. */

export function doorbells(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * workers)
}

/** Rings the bell of `worker`. */
export function bellOf(bells: SharedArrayBuffer, worker: number): () => void {
  const counts = new Int32Array(bells)
  return () => {
    Atomics.add(counts, worker, 1)
    Atomics.notify(counts, worker)
  }
}

export interface DoorbellWaiter {
  /** To be called before the worker looks whether there is something: what rings from then on ends the wait. */
  listen(): void
  /** Blocks the thread until it rings, for `ms` at most. */
  wait(ms: number): void
}

export function doorbellWaiter(bells: SharedArrayBuffer, worker: number): DoorbellWaiter {
  const counts = new Int32Array(bells)
  let heard = Atomics.load(counts, worker)
  return {
    listen() {
      heard = Atomics.load(counts, worker)
    },
    wait(ms) {
      Atomics.wait(counts, worker, heard, ms)
    },
  }
}
