/**
 * Strings and bytes from cells to pages, never as JavaScript strings: dictionary ids while few values repeat, else PLAIN.
 *
 *   PLAIN            u32 length, low byte first, then the bytes, a value after the other
 *   RLE_DICTIONARY   u8 bit width, then ids in the hybrid encoding; the dictionary page holds the values, PLAIN
 *
 * @see Apache Parquet format, Encodings.md, "Plain" and "Dictionary Encoding"
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { ValueWriter } from './fixed-values.ts'
import { appendHybrid, bitsFor } from './hybrid.ts'
import { type PageBytes, pageBytes, reserve } from './page-bytes.ts'

const DICTIONARY_BYTES_MAX = 1 << 20
/** Values after which a dictionary must have proved that values repeat. */
const TRIAL_VALUES = 4096

export function byteValues(): ValueWriter {
  const page = pageBytes(1 << 16)
  const extremes = byteExtremes()
  let dictionary: Dictionary | undefined = makeDictionary()
  // Remembered over the chunks of a file: what did not repeat before is not tried again.
  let worthIt = true
  let chunkValues = 0
  let usedDictionary = false
  const fallBack = (from: Dictionary) => {
    const ids = from.takeIds()
    from.expand(ids, page)
    worthIt = false
    if (!usedDictionary) dictionary = undefined
  }
  return {
    append(memory, vector, rows, count) {
      chunkValues += count
      if (!worthIt || dictionary === undefined) {
        appendPlain(page, memory, vector, rows, count, extremes)
        return
      }
      dictionary.append(memory, vector, rows, count, extremes)
      const repeats = chunkValues < TRIAL_VALUES || dictionary.count * 2 < chunkValues
      if (dictionary.bytes > DICTIONARY_BYTES_MAX || !repeats) fallBack(dictionary)
    },
    get bytes() {
      return page.length + (worthIt && dictionary !== undefined ? dictionary.pendingBytes : 0)
    },
    takePage(out) {
      if (worthIt && dictionary !== undefined) {
        const ids = dictionary.takeIds()
        const width = bitsFor(Math.max(dictionary.count - 1, 0))
        reserve(out, 1)
        out.u8[out.length++] = width
        appendHybrid(out, ids, ids.length, width)
        usedDictionary = true
        return 'RLE_DICTIONARY'
      }
      reserve(out, page.length)
      out.u8.set(page.u8.subarray(0, page.length), out.length)
      out.length += page.length
      page.length = 0
      return 'PLAIN'
    },
    takeDictionary() {
      if (dictionary === undefined || !usedDictionary) return undefined
      return { bytes: dictionary.plain(), count: dictionary.count }
    },
    bounds: extremes.bounds,
    startChunk() {
      dictionary = worthIt ? makeDictionary() : undefined
      chunkValues = 0
      usedDictionary = false
      extremes.reset()
    },
  }
}

function appendPlain(
  page: PageBytes,
  memory: LinearMemory,
  vector: Vector,
  rows: Uint32Array,
  count: number,
  extremes: Extremes,
): void {
  const { u8, u32 } = memory
  const cells = vector.cells >>> 2
  let total = 0
  for (let at = 0; at < count; at++) total += u32[cells + rows[at]! * 2 + 1]! + 4
  reserve(page, total)
  const out = page.u8
  let to = page.length
  for (let at = 0; at < count; at++) {
    const cell = cells + rows[at]! * 2
    const address = u32[cell]!
    const length = u32[cell + 1]!
    out[to] = length
    out[to + 1] = length >>> 8
    out[to + 2] = length >>> 16
    out[to + 3] = length >>> 24
    to += 4
    extremes.see(u8, address, length)
    copyBytes(u8, address, out, to, length)
    to += length
  }
  page.length = to
}

/** Short values by a loop: a call of `set` costs more than thirty bytes. */
function copyBytes(
  from: Uint8Array,
  address: number,
  to: Uint8Array,
  at: number,
  length: number,
): void {
  if (length > 96) {
    to.set(from.subarray(address, address + length), at)
    return
  }
  for (let byte = 0; byte < length; byte++) to[at + byte] = from[address + byte]!
}

interface Extremes {
  see(u8: Uint8Array, address: number, length: number): void
  bounds: ValueWriter['bounds']
  reset(): void
}

/** The least and greatest value seen, copied out of the memory they were seen in. */
function byteExtremes(): Extremes {
  let min: Uint8Array | undefined
  let max: Uint8Array | undefined
  return {
    see(u8, address, length) {
      if (min === undefined || max === undefined) {
        min = u8.slice(address, address + length)
        max = min
        return
      }
      if (compareAt(u8, address, length, min) < 0) min = u8.slice(address, address + length)
      else if (compareAt(u8, address, length, max) > 0) max = u8.slice(address, address + length)
    },
    bounds: () =>
      min === undefined || max === undefined
        ? { hasNaN: false }
        : { hasNaN: false, bounds: { min, max } },
    reset() {
      min = undefined
      max = undefined
    },
  }
}

function compareAt(u8: Uint8Array, address: number, length: number, other: Uint8Array): number {
  const shared = Math.min(length, other.length)
  for (let at = 0; at < shared; at++) {
    const difference = u8[address + at]! - other[at]!
    if (difference !== 0) return difference
  }
  return length - other.length
}

interface Dictionary {
  readonly count: number
  readonly bytes: number
  readonly pendingBytes: number
  append(
    memory: LinearMemory,
    vector: Vector,
    rows: Uint32Array,
    count: number,
    extremes: Extremes,
  ): void
  /** The ids since the last call; the view is good until the next `append`. */
  takeIds(): Uint32Array
  /** Appends the values of `ids`, PLAIN. */
  expand(ids: Uint32Array, out: PageBytes): void
  plain(): Uint8Array
}

/** Open addressing by FNV-1a of the bytes; values lie PLAIN in `values`, `offsets[id]` at their bytes. */
function makeDictionary(): Dictionary {
  const values = pageBytes(1 << 12)
  let slots = new Int32Array(1 << 10)
  let offsets = new Uint32Array(1 << 9)
  let hashes = new Uint32Array(1 << 9)
  let ids = new Uint32Array(1 << 12)
  let idCount = 0
  let count = 0
  const grow = () => {
    offsets = grown(offsets)
    hashes = grown(hashes)
    slots = new Int32Array(slots.length * 2)
    const mask = slots.length - 1
    for (let id = 0; id < count; id++) {
      let slot = hashes[id]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id + 1
    }
  }
  const idOf = (u8: Uint8Array, address: number, length: number, extremes: Extremes): number => {
    const hash = hashBytes(u8, address, length)
    const mask = slots.length - 1
    let slot = hash & mask
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      const id = entry - 1
      if (hashes[id] === hash && sameAt(values.u8, offsets[id]!, u8, address, length)) return id
      slot = (slot + 1) & mask
    }
    extremes.see(u8, address, length)
    slots[slot] = count + 1
    hashes[count] = hash
    reserve(values, length + 4)
    new DataView(values.u8.buffer).setUint32(values.length, length, true)
    offsets[count] = values.length + 4
    copyBytes(u8, address, values.u8, values.length + 4, length)
    values.length += length + 4
    count++
    if (count === offsets.length) grow()
    return count - 1
  }
  return {
    get count() {
      return count
    },
    get bytes() {
      return values.length
    },
    get pendingBytes() {
      return idCount * 2
    },
    append(memory, vector, rows, rowCount, extremes) {
      while (idCount + rowCount > ids.length) ids = grown(ids)
      const { u8, u32 } = memory
      const cells = vector.cells >>> 2
      for (let at = 0; at < rowCount; at++) {
        const cell = cells + rows[at]! * 2
        ids[idCount++] = idOf(u8, u32[cell]!, u32[cell + 1]!, extremes)
      }
    },
    takeIds() {
      const taken = ids.subarray(0, idCount)
      idCount = 0
      return taken
    },
    expand(wanted, out) {
      for (const id of wanted) {
        const start = offsets[id]! - 4
        const end = id + 1 < count ? offsets[id + 1]! - 4 : values.length
        reserve(out, end - start)
        copyBytes(values.u8, start, out.u8, out.length, end - start)
        out.length += end - start
      }
    },
    plain: () => values.u8.subarray(0, values.length),
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}

function hashBytes(u8: Uint8Array, address: number, length: number): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < length; at++) hash = Math.imul(hash ^ u8[address + at]!, 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Whether the value at `offset` of `values` (its length before it) is these bytes. */
function sameAt(
  values: Uint8Array,
  offset: number,
  u8: Uint8Array,
  address: number,
  length: number,
): boolean {
  const held =
    values[offset - 4]! |
    (values[offset - 3]! << 8) |
    (values[offset - 2]! << 16) |
    (values[offset - 1]! << 24)
  if (held !== length) return false
  for (let at = 0; at < length; at++) if (values[offset + at] !== u8[address + at]) return false
  return true
}
