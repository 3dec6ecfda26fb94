/** Lines of a text in linear memory, as bytes cells. */

// @ts-nocheck: compiled by asc, not by tsc

const LINE_FEED: u8 = 10
const CARRIAGE_RETURN: u8 = 13

/**
 * Writes a cell (address | length << 32) for each line of [address, address + bytes) that ends within it, without its line end
 * (\n or \r\n), at most `max` of them. Returns how many; `consumed()` is the address behind the last.
 */
let behind: usize = 0

export function consumed(): usize {
  return behind
}

export function split(address: usize, bytes: usize, cells: usize, max: u32): u32 {
  const end = address + bytes
  const feeds = i8x16.splat(LINE_FEED)
  let count: u32 = 0
  let start = address
  let at = address
  behind = address
  while (at < end && count < max) {
    // Blocks are readable past the end; bits beyond it are cut off.
    let found = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), feeds))
    if (end - at < 16) found &= (1 << <u32>(end - at)) - 1
    while (found != 0 && count < max) {
      const feed = at + <usize>ctz(found)
      let length = feed - start
      if (length > 0 && load<u8>(feed - 1) == CARRIAGE_RETURN) length--
      store<u64>(cells + ((<usize>count) << 3), <u64>start | ((<u64>length) << 32))
      count++
      start = feed + 1
      behind = start
      found &= found - 1
    }
    at += 16
  }
  return count
}
