/** Which partition a key goes to: Kafka's default, so that producers of both kinds meet. */
import type { LinearMemory, Pointer } from '../data/memory.ts'

/** `murmur2(key)` without its sign, modulo the number of partitions. @see Kafka's Utils.murmur2, BuiltInPartitioner */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key, 0, key.length) & 0x7fffffff) % partitions
}

/**
 * Places among the first `count` rows by the partition of their keys, ascending: `rows` of partition p are places[ends[p - 1], ends[p]).
 * Cells as elsewhere; a NULL key goes to `withoutKey`. All in the arena.
 */
export function rowsByPartition(
  memory: LinearMemory,
  keys: Pointer,
  count: number,
  partitions: number,
  withoutKey: number,
): { readonly places: Pointer; readonly ends: readonly number[] } {
  const assigned = memory.arena.allocate(4 * count) >>> 2
  const places = memory.arena.allocate(4 * count)
  const ends: number[] = new Array(partitions).fill(0)
  const { u8, u32 } = memory
  for (let row = 0, words = keys >>> 2; row < count; row++, words += 2) {
    const address = u32[words]!
    const partition =
      address === 0 ? withoutKey : (murmur2(u8, address, u32[words + 1]!) & 0x7fffffff) % partitions
    u32[assigned + row] = partition
    ends[partition]!++
  }
  for (let partition = 1; partition < partitions; partition++)
    ends[partition]! += ends[partition - 1]!
  const next = ends.map((_, partition) => (partition === 0 ? 0 : ends[partition - 1]!))
  for (let row = 0; row < count; row++) u32[(places >>> 2) + next[u32[assigned + row]!]!++] = row
  return { places, ends }
}

function murmur2(bytes: Uint8Array, start: number, length: number): number {
  const multiplier = 0x5bd1e995
  let hash = 0x9747b28c ^ length
  const whole = start + (length & ~3)
  const end = start + length
  for (let at = start; at < whole; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  if (end - whole === 3) hash ^= bytes[whole + 2]! << 16
  if (end - whole >= 2) hash ^= bytes[whole + 1]! << 8
  if (end - whole >= 1) hash = Math.imul(hash ^ bytes[whole]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}
