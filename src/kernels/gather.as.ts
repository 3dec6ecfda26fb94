/**
 * Rows picked out of columns: by the worker that owns their key, and dense, as they travel.
 *
 * `selection` is u32 row numbers, or 0 for rows 0 .. count - 1. Areas that are written have room for 16 bytes more.
 */

// @ts-nocheck: compiled by asc, not by tsc

// @ts-ignore: decorator
@inline
function rowAt(selection: usize, at: u32): usize {
  return selection == 0 ? <usize>at : <usize>load<u32>(selection + ((<usize>at) << 2))
}

// @ts-ignore: decorator
@inline
function valid(validity: usize, row: usize): u32 {
  return validity == 0 ? 1 : ((<u32>load<u8>(validity + (row >> 3))) >> (<u32>row & 7)) & 1
}

/**
 * Appends each row to the list of its owner, which is the key group (`hash & 127`) times `owners` / 128. `ends` has a u32 an owner:
 * where its list begins, and afterwards where it ends.
 */
export function partition(
  hashes: usize,
  selection: usize,
  count: u32,
  owners: u32,
  ends: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const group = load<u32>(hashes + ((<usize>at) << 2)) & 127
    const end = ends + ((<usize>((group * owners) >>> 7)) << 2)
    const to = <usize>load<u32>(end)
    store<u32>(to, <u32>rowAt(selection, at))
    store<u32>(end, <u32>(to + 4))
  }
}

export function gather8(cells: usize, selection: usize, count: u32, out: usize): void {
  if (selection == 0) {
    memory.copy(out, cells, (<usize>count) << 3)
    return
  }
  let at: u32 = 0
  const end = count & ~3
  let from = selection
  let to = out
  while (at < end) {
    store<u64>(to, load<u64>(cells + ((<usize>load<u32>(from)) << 3)))
    store<u64>(to, load<u64>(cells + ((<usize>load<u32>(from, 4)) << 3)), 8)
    store<u64>(to, load<u64>(cells + ((<usize>load<u32>(from, 8)) << 3)), 16)
    store<u64>(to, load<u64>(cells + ((<usize>load<u32>(from, 12)) << 3)), 24)
    from += 16
    to += 32
    at += 4
  }
  while (at < count) {
    store<u64>(to, load<u64>(cells + ((<usize>load<u32>(from)) << 3)))
    from += 4
    to += 8
    at++
  }
}

export function gather16(cells: usize, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    v128.store(out + ((<usize>at) << 4), v128.load(cells + (rowAt(selection, at) << 4)))
  }
}

export function gatherBytes(bytes: usize, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    store<u8>(out + at, load<u8>(bytes + rowAt(selection, at)))
  }
}

/** Into the cleared bitmap `out`. */
export function gatherBits(bitmap: usize, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const byte = out + (at >> 3)
    const bit = valid(bitmap, rowAt(selection, at))
    store<u8>(byte, load<u8>(byte) | <u8>(bit << (at & 7)))
  }
}

/** Bytes of all strings that are not NULL. */
export function stringBytes(cells: usize, validity: usize, selection: usize, count: u32): f64 {
  let sum: u64 = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const length = load<u32>(cells + (row << 3), 4)
    sum += length & (0 - valid(validity, row))
  }
  return <f64>sum
}

/**
 * Copies strings one after another from `bytes` on; their cells, to `out`, have addresses that count from `base`. NULLs are empty.
 * Returns where the bytes end; up to 15 more are written.
 */
export function gatherStrings(
  cells: usize,
  validity: usize,
  selection: usize,
  count: u32,
  out: usize,
  bytes: usize,
  base: usize,
): usize {
  let to = bytes
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const cell = load<u64>(cells + (row << 3))
    const length = <u32>(cell >>> 32) & (0 - valid(validity, row))
    store<u64>(out + ((<usize>at) << 3), <u64>(to - base) | ((<u64>length) << 32))
    const from = <usize>(<u32>cell)
    if (length > 128) memory.copy(to, from, length)
    else {
      for (let done: usize = 0; done < <usize>length; done += 16) {
        v128.store(to + done, v128.load(from + done))
      }
    }
    to += length
  }
  return to
}

/** Adds `delta` to the addresses of strings. */
export function rebase(cells: usize, count: u32, delta: u32): void {
  for (let at: u32 = 0; at < count; at++) {
    const cell = cells + ((<usize>at) << 3)
    store<u32>(cell, load<u32>(cell) + delta)
  }
}
