/** Which rows go to which entries: `entries` is u32 by position, `selection` u32 rows or 0. */
import { isValid, rowAt } from '../group/hash.as'

// @ts-nocheck: compiled by asc, not by tsc

/** Keeps the positions whose row is valid; how many. */
export function dense(
  selection: usize,
  entries: usize,
  validity: usize,
  count: u32,
  outSelection: usize,
  outEntries: usize,
): u32 {
  let kept: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    store<u32>(outSelection + ((<usize>kept) << 2), row)
    store<u32>(outEntries + ((<usize>kept) << 2), load<u32>(entries + ((<usize>at) << 2)))
    kept += <u32>isValid(validity, row)
  }
  return kept
}

/** Entries of the rows of `subset`, which are rows of `selection`, both ascending. */
export function narrow(
  selection: usize,
  entries: usize,
  subset: usize,
  subsetCount: u32,
  out: usize,
): void {
  let at: u32 = 0
  for (let i: u32 = 0; i < subsetCount; i++) {
    const row = rowAt(subset, i)
    while (rowAt(selection, at) != row) at++
    store<u32>(out + ((<usize>i) << 2), load<u32>(entries + ((<usize>at) << 2)))
  }
}

/** Rows and entries at `positions`. */
export function pick(
  selection: usize,
  entries: usize,
  positions: usize,
  count: u32,
  outSelection: usize,
  outEntries: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = load<u32>(positions + ((<usize>i) << 2))
    store<u32>(outSelection + ((<usize>i) << 2), rowAt(selection, at))
    store<u32>(outEntries + ((<usize>i) << 2), load<u32>(entries + ((<usize>at) << 2)))
  }
}
