/** Fixed-width values from cells to PLAIN pages: one tight loop a physical type, no bigint on the way. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { invariant } from '../../errors.ts'
import type { ColumnStatistics } from './bounds.ts'
import type { Leaf } from './layout.ts'
import { type PageBytes, pageBytes, reserve } from './page-bytes.ts'

/** Collects the values (never NULLs) of a column's page, and the bounds since `startChunk`. */
export interface ValueWriter {
  append(memory: LinearMemory, vector: Vector, rows: Uint32Array, count: number): void
  /** Bytes of the page so far, as it will lie in the file before compression. */
  readonly bytes: number
  /** Appends the page's values to `out` and begins the next page. */
  takePage(out: PageBytes): 'PLAIN' | 'RLE_DICTIONARY'
  /** The dictionary page of the chunk: PLAIN values; undefined if no page used it. */
  takeDictionary(): { readonly bytes: Uint8Array; readonly count: number } | undefined
  bounds(): Pick<ColumnStatistics, 'bounds' | 'hasNaN'>
  startChunk(): void
}

type Append = (
  page: PageBytes,
  memory: LinearMemory,
  vector: Vector,
  rows: Uint32Array,
  count: number,
) => void
interface Appender {
  readonly append: Append
  readonly bounds: ValueWriter['bounds']
  readonly startChunk: () => void
}

export function fixedValues(leaf: Leaf): ValueWriter {
  const page = pageBytes()
  const appender = appenderOf(leaf)
  const isBoolean = leaf.physical === 'BOOLEAN'
  return {
    append: (memory, vector, rows, count) => appender.append(page, memory, vector, rows, count),
    get bytes() {
      return isBoolean ? (page.length + 7) >> 3 : page.length
    },
    takePage(out) {
      if (isBoolean) packBits(page, out)
      else copy(page, out)
      page.length = 0
      return 'PLAIN'
    },
    takeDictionary: () => undefined,
    bounds: appender.bounds,
    startChunk: appender.startChunk,
  }
}

function appenderOf(leaf: Leaf): Appender {
  switch (leaf.physical) {
    case 'BOOLEAN':
      return booleans()
    case 'INT32':
      return int32s()
    case 'INT64':
      return int64s()
    case 'FLOAT':
      return floats('f32')
    case 'DOUBLE':
      return floats('f64')
    default:
      invariant(leaf.physical === 'FIXED_LEN_BYTE_ARRAY', 'only byte arrays have no fixed width')
      return wideDecimals(leaf.width)
  }
}

function copy(page: PageBytes, out: PageBytes): void {
  reserve(out, page.length)
  out.u8.set(page.u8.subarray(0, page.length), out.length)
  out.length += page.length
}

/** A byte a value while the page fills; 8 to a byte, low bit first, in the file. */
function packBits(page: PageBytes, out: PageBytes): void {
  const bytes = (page.length + 7) >> 3
  reserve(out, bytes)
  out.u8.fill(0, out.length, out.length + bytes)
  for (let at = 0; at < page.length; at++) {
    if (page.u8[at] === 1) out.u8[out.length + (at >> 3)]! |= 1 << (at & 7)
  }
  out.length += bytes
}

function booleans(): Appender {
  let seen = 0
  return {
    append(page, memory, vector, rows, count) {
      reserve(page, count)
      const { u32 } = memory
      const cells = vector.cells >>> 2
      const { u8 } = page
      const start = page.length
      for (let at = 0; at < count; at++) {
        const value = u32[cells + rows[at]! * 2]!
        u8[start + at] = value
        seen |= value + 1
      }
      page.length += count
    },
    bounds() {
      if (seen === 0) return { hasNaN: false }
      return { hasNaN: false, bounds: { min: seen & 1 ? 0 : 1, max: seen & 2 ? 1 : 0 } }
    },
    startChunk() {
      seen = 0
    },
  }
}

function int32s(): Appender {
  let min = 0
  let max = -1
  return {
    append(page, memory, vector, rows, count) {
      if (count === 0) return
      reserve(page, count * 4)
      const { i32 } = memory
      const cells = vector.cells >>> 2
      const { u32 } = page
      const start = page.length >>> 2
      let [low, high] = min <= max ? [min, max] : [2147483647, -2147483648]
      for (let at = 0; at < count; at++) {
        const value = i32[cells + rows[at]! * 2]!
        u32[start + at] = value
        if (value < low) low = value
        if (value > high) high = value
      }
      page.length += count * 4
      min = low
      max = high
    },
    bounds: () => (min <= max ? { hasNaN: false, bounds: { min, max } } : { hasNaN: false }),
    startChunk() {
      min = 0
      max = -1
    },
  }
}

function int64s(): Appender {
  // As halves: a bigint a value would cost more than all the rest.
  let any = false
  let minHigh = 0
  let minLow = 0
  let maxHigh = 0
  let maxLow = 0
  return {
    append(page, memory, vector, rows, count) {
      if (count === 0) return
      reserve(page, count * 8)
      const { i32, u32: words } = memory
      const cells = vector.cells >>> 2
      const { u32 } = page
      let to = page.length >>> 2
      if (!any) {
        const at = cells + rows[0]! * 2
        minLow = maxLow = words[at]!
        minHigh = maxHigh = i32[at + 1]!
        any = true
      }
      for (let at = 0; at < count; at++) {
        const from = cells + rows[at]! * 2
        const low = words[from]!
        const high = i32[from + 1]!
        u32[to] = low
        u32[to + 1] = high
        to += 2
        if (high < minHigh || (high === minHigh && low < minLow)) {
          minHigh = high
          minLow = low
        } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
          maxHigh = high
          maxLow = low
        }
      }
      page.length += count * 8
    },
    bounds() {
      if (!any) return { hasNaN: false }
      const min = (BigInt(minHigh) << 32n) | BigInt(minLow)
      return { hasNaN: false, bounds: { min, max: (BigInt(maxHigh) << 32n) | BigInt(maxLow) } }
    },
    startChunk() {
      any = false
    },
  }
}

function floats(width: 'f32' | 'f64'): Appender {
  const bytes = width === 'f32' ? 4 : 8
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let any = false
  let hasNaN = false
  return {
    append(page, memory, vector, rows, count) {
      reserve(page, count * bytes)
      const { f64 } = memory
      const cells = vector.cells / 8
      const out = page[width]
      const start = page.length / bytes
      for (let at = 0; at < count; at++) {
        const value = f64[cells + rows[at]!]!
        out[start + at] = value
        if (value < min) min = value
        if (value > max) max = value
        if (Number.isNaN(value)) hasNaN = true
      }
      any ||= count > 0
      page.length += count * bytes
    },
    bounds: () => (any && !hasNaN ? { hasNaN, bounds: signedZeros(min, max) } : { hasNaN }),
    startChunk() {
      min = Number.POSITIVE_INFINITY
      max = Number.NEGATIVE_INFINITY
      any = false
      hasNaN = false
    },
  }
}

/** -0 and 0 are equal here but not in every reader: a zero bound takes the sign that covers both. */
function signedZeros(min: number, max: number): { readonly min: number; readonly max: number } {
  return { min: min === 0 ? -0 : min, max: max === 0 ? 0 : max }
}

function wideDecimals(width: number): Appender {
  let min: bigint | undefined
  let max: bigint | undefined
  return {
    append(page, memory, vector, rows, count) {
      reserve(page, count * width)
      const cells = vector.cells / 8
      for (let at = 0; at < count; at++) {
        const from = cells + rows[at]! * 2
        const value = (memory.i64[from + 1]! << 64n) | BigInt.asUintN(64, memory.i64[from]!)
        if (min === undefined || value < min) min = value
        if (max === undefined || value > max) max = value
        let rest = value
        for (let byte = width - 1; byte >= 0; byte--) {
          page.u8[page.length + byte] = Number(rest & 0xffn)
          rest >>= 8n
        }
        page.length += width
      }
    },
    bounds: () =>
      min === undefined || max === undefined
        ? { hasNaN: false }
        : { hasNaN: false, bounds: { min, max } },
    startChunk() {
      min = undefined
      max = undefined
    },
  }
}
