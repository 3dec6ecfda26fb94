/** Which partition a key goes to: Kafka's default, so that producers of both kinds meet. */

/** `murmur2(key)` without its sign, modulo the number of partitions. @see Kafka's Utils.murmur2, BuiltInPartitioner */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const multiplier = 0x5bd1e995
  let hash = 0x9747b28c ^ length
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  if (length - whole === 3) hash ^= bytes[whole + 2]! << 16
  if (length - whole >= 2) hash ^= bytes[whole + 1]! << 8
  if (length - whole >= 1) hash = Math.imul(hash ^ bytes[whole]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}
