/**
 * A bounded ring of bytes from one writer to one reader, in one thread or two.
 *
 * A *message* is a multiple of 16 bytes and starts with its length (u32). It may be larger than the ring: then it goes through in
 * pieces. Nothing here waits: what does not fit is the caller's, and what is not whole yet is not given.
 *
 *   0   u32   bytes written, modulo 2^32
 *   4   u32   bytes read, modulo 2^32
 *   64  the bytes
 */
import { invariant } from '../errors.ts'

const HEADER_BYTES = 64
const WRITTEN = 0
const READ = 1
export const MESSAGE_ALIGN = 16

export interface RingWriter {
  /** Takes as much of `bytes` from `from` on as there is room for; how many bytes that was. */
  write(bytes: Uint8Array, from: number): number
}

export interface RingReader {
  /** The next message if all of it is here; `place` gives where to put so many bytes. False: not yet. */
  read(place: (bytes: number) => Uint8Array): boolean
}

/** `capacity` is a power of two, at least MESSAGE_ALIGN. */
export function ringMemory(capacity: number): SharedArrayBuffer {
  invariant(capacity >= MESSAGE_ALIGN && Number.isInteger(Math.log2(capacity)), 'a ring of 2^n')
  return new SharedArrayBuffer(HEADER_BYTES + capacity)
}

/** `moved` is called when bytes have been written. */
export function ringWriter(ring: SharedArrayBuffer, moved: () => void = () => {}): RingWriter {
  const counts = new Uint32Array(ring, 0, 2)
  const body = new Uint8Array(ring, HEADER_BYTES)
  return {
    write(bytes, from) {
      const written = counts[WRITTEN]!
      const room = body.length - ((written - Atomics.load(counts, READ)) >>> 0)
      const taken = Math.min(room, bytes.length - from)
      if (taken === 0) return 0
      const start = written & (body.length - 1)
      const first = Math.min(taken, body.length - start)
      body.set(bytes.subarray(from, from + first), start)
      if (first < taken) body.set(bytes.subarray(from + first, from + taken), 0)
      Atomics.store(counts, WRITTEN, (written + taken) >>> 0)
      moved()
      return taken
    },
  }
}

/** `moved` is called when there is more room than before. */
export function ringReader(ring: SharedArrayBuffer, moved: () => void = () => {}): RingReader {
  const counts = new Uint32Array(ring, 0, 2)
  const body = new Uint8Array(ring, HEADER_BYTES)
  const words = new Uint32Array(ring, HEADER_BYTES)
  /** A message that is larger than the ring, as far as it has come. */
  let large: { readonly bytes: Uint8Array; have: number } | undefined

  function take(into: Uint8Array, from: number, count: number): void {
    const read = counts[READ]!
    const start = read & (body.length - 1)
    const first = Math.min(count, body.length - start)
    into.set(body.subarray(start, start + first), from)
    if (first < count) into.set(body.subarray(0, count - first), from + first)
    Atomics.store(counts, READ, (read + count) >>> 0)
    moved()
  }

  return {
    read(place) {
      const here = (Atomics.load(counts, WRITTEN) - counts[READ]!) >>> 0
      if (large === undefined) {
        if (here < MESSAGE_ALIGN) return false
        const length = words[(counts[READ]! & (body.length - 1)) >>> 2]!
        if (length <= body.length) {
          if (here < length) return false
          take(place(length), 0, length)
          return true
        }
        large = { bytes: new Uint8Array(length), have: 0 }
      }
      const piece = Math.min(here, large.bytes.length - large.have)
      take(large.bytes, large.have, piece)
      large.have += piece
      if (large.have < large.bytes.length) return false
      place(large.bytes.length).set(large.bytes)
      large = undefined
      return true
    },
  }
}
