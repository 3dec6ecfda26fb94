/**
 * Parquet's RLE / bit-packing hybrid, for definition levels and dictionary ids.
 *
 *   run      varint(count << 1), then the value in ceil(bitWidth / 8) bytes, low byte first
 *   packed   varint(groups << 1 | 1), then groups of 8 values of bitWidth bits, low bit first
 *
 * @see Apache Parquet format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)"
 */
import { type PageBytes, reserve } from './page-bytes.ts'

const RUN_MIN = 8
const GROUPS_MAX = 63

/** Bits that hold 0..max; 0 for max = 0. */
export function bitsFor(max: number): number {
  return 32 - Math.clz32(max)
}

/** Appends `values[0..count)`, each below 2^bitWidth, to `out`. */
export function appendHybrid(
  out: PageBytes,
  values: Uint8Array | Uint32Array,
  count: number,
  bitWidth: number,
): void {
  reserve(out, count * 5 + 16)
  let at = 0
  while (at < count) {
    const run = runLength(values, at, count)
    if (run >= RUN_MIN) {
      appendRun(out, values[at]!, run, bitWidth)
      at += run
    } else {
      const groups = literalGroups(values, at, count)
      appendPacked(out, values, at, Math.min(at + groups * 8, count), groups, bitWidth)
      at += groups * 8
    }
  }
}

/** Appends `count` times `value`: what a page without NULLs has as levels. */
export function appendRun(out: PageBytes, value: number, count: number, bitWidth: number): void {
  reserve(out, 16)
  appendVarint(out, count * 2)
  for (let shift = 0; shift < bitWidth; shift += 8) out.u8[out.length++] = (value >>> shift) & 0xff
}

function runLength(values: Uint8Array | Uint32Array, at: number, count: number): number {
  const value = values[at]
  let end = at + 1
  while (end < count && values[end] === value) end++
  return end - at
}

/** Groups of 8 from `at` that are worth packing: up to where a long run begins on a group's border. */
function literalGroups(values: Uint8Array | Uint32Array, at: number, count: number): number {
  let groups = 1
  while (groups < GROUPS_MAX) {
    const next = at + groups * 8
    if (next >= count) break
    if (next + RUN_MIN <= count && runLength(values, next, next + RUN_MIN) === RUN_MIN) break
    groups++
  }
  return groups
}

function appendPacked(
  out: PageBytes,
  values: Uint8Array | Uint32Array,
  start: number,
  end: number,
  groups: number,
  bitWidth: number,
): void {
  appendVarint(out, groups * 2 + 1)
  const bytesEnd = out.length + groups * bitWidth
  let pending = 0
  let pendingBits = 0
  for (let at = start; at < end; at++) {
    // Values stay below 2^24 (a dictionary is at most that large), and fewer than 8 bits are pending: 32 bits do.
    pending |= values[at]! << pendingBits
    pendingBits += bitWidth
    while (pendingBits >= 8) {
      out.u8[out.length++] = pending & 0xff
      pending >>>= 8
      pendingBits -= 8
    }
  }
  if (pendingBits > 0) out.u8[out.length++] = pending & 0xff
  while (out.length < bytesEnd) out.u8[out.length++] = 0
}

function appendVarint(out: PageBytes, value: number): void {
  let rest = value
  while (rest >= 0x80) {
    out.u8[out.length++] = (rest & 0x7f) | 0x80
    rest = Math.floor(rest / 128)
  }
  out.u8[out.length++] = rest
}
