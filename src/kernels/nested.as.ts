/**
 * Entries of encoded ARRAYs, MAPs and ROWs (data/nested.ts) as cells of columns. `bases` are u32 addresses of blocks, 0 = NULL; places
 * are u32 addresses of entries' cells, 0 = NULL.
 */

// @ts-nocheck: compiled by asc, not by tsc

// @ts-ignore: decorator
@inline
function validityBytes(count: u32): u32 {
  return ((count + 63) >> 6) << 3
}

/**
 * Places of entry `indexes[at]` of each block. The entries' validity begins at 8, or behind as many others of `skipped` bytes each (a
 * map's values behind its keys).
 */
export function placeEntries(
  bases: usize,
  indexes: usize,
  count: u32,
  skipped: u32,
  cellBytes: u32,
  out: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const base = <usize>load<u32>(bases + ((<usize>at) << 2))
    let place: usize = 0
    if (base != 0) {
      const entries = load<u32>(base)
      const index = load<u32>(indexes + ((<usize>at) << 2))
      const bits = validityBytes(entries)
      const start = base + 8 + (skipped == 0 ? 0 : bits + entries * skipped)
      if ((load<u8>(start + (index >> 3)) >> <u8>(index & 7)) & 1)
        place = start + bits + index * cellBytes
    }
    store<u32>(out + ((<usize>at) << 2), <u32>place)
  }
}

/** Places of field `index` of each ROW, which begins `offset` bytes behind its block's. */
export function placeField(bases: usize, count: u32, index: u32, offset: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const base = <usize>load<u32>(bases + ((<usize>at) << 2))
    let place: usize = 0
    if (base != 0 && (load<u8>(base + 8 + (index >> 3)) >> <u8>(index & 7)) & 1)
      place = base + offset
    store<u32>(out + ((<usize>at) << 2), <u32>place)
  }
}

/** Blocks of the nested ROWs at `places`, each within the block of `bases`. */
export function innerBlocks(bases: usize, places: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const place = <usize>load<u32>(places + ((<usize>at) << 2))
    const block = place == 0 ? 0 : load<u32>(bases + ((<usize>at) << 2)) + load<u32>(place)
    store<u32>(out + ((<usize>at) << 2), block)
  }
}

/**
 * Cells of `words` (0, 1 or 2) times 8 bytes at `places` to `out`, and bits of those that are not NULL to the cleared `validity`; how
 * many are NULL. `isBytes`: they point into their block, and are made addresses.
 */
export function loadPlaces(
  bases: usize,
  places: usize,
  count: u32,
  words: u32,
  isBytes: bool,
  out: usize,
  validity: usize,
): u32 {
  let nulls: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const place = <usize>load<u32>(places + ((<usize>at) << 2))
    if (place == 0) {
      nulls++
      if (words == 1) store<u64>(out + ((<usize>at) << 3), 0)
      continue
    }
    const byte = validity + (at >> 3)
    store<u8>(byte, load<u8>(byte) | (<u8>1 << <u8>(at & 7)))
    if (words == 2) {
      store<u64>(out + ((<usize>at) << 4), load<u64>(place))
      store<u64>(out + ((<usize>at) << 4), load<u64>(place, 8), 8)
    } else if (words == 1) {
      const cell = load<u64>(place)
      const base = isBytes ? <u64>load<u32>(bases + ((<usize>at) << 2)) : 0
      store<u64>(out + ((<usize>at) << 3), cell + base)
    }
  }
  return nulls
}
