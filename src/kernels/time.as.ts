/**
 * Event time over columns: the running maximum that a watermark is, and the panes that windows are made of.
 *
 * `selection` is u32 row numbers or 0; `validity` a bitmap or 0; positions count within the selection.
 */

// @ts-nocheck: compiled by asc, not by tsc

// @ts-ignore: decorator
@inline
function rowAt(selection: usize, at: u32): u32 {
  return selection == 0 ? at : load<u32>(selection + ((<usize>at) << 2))
}

// @ts-ignore: decorator
@inline
function isValid(validity: usize, row: u32): bool {
  return validity == 0 || ((load<u8>(validity + (row >> 3)) >> <u8>(row & 7)) & 1) != 0
}

/** The greatest of `start` and the selected, non-NULL cells. */
export function greatest(
  cells: usize,
  validity: usize,
  selection: usize,
  count: u32,
  start: i64,
): i64 {
  let max = start
  if (validity == 0 && selection == 0) {
    let at = cells
    const end = cells + ((<usize>count) << 3)
    const unrolled = cells + ((<usize>(count & ~3)) << 3)
    while (at < unrolled) {
      const a = load<i64>(at)
      const b = load<i64>(at, 8)
      const c = load<i64>(at, 16)
      const d = load<i64>(at, 24)
      const ab = a > b ? a : b
      const cd = c > d ? c : d
      const all = ab > cd ? ab : cd
      max = all > max ? all : max
      at += 32
    }
    while (at < end) {
      const value = load<i64>(at)
      max = value > max ? value : max
      at += 8
    }
    return max
  }
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    if (!isValid(validity, row)) continue
    const value = load<i64>(cells + ((<usize>row) << 3))
    max = value > max ? value : max
  }
  return max
}

/** The first position at or after `from` whose cell is not NULL and reaches `threshold`; `count` if none does. */
export function firstReaching(
  cells: usize,
  validity: usize,
  selection: usize,
  from: u32,
  count: u32,
  threshold: i64,
): u32 {
  for (let at = from; at < count; at++) {
    const row = rowAt(selection, at)
    if (load<i64>(cells + ((<usize>row) << 3)) >= threshold && isValid(validity, row)) return at
  }
  return count
}

/** The first position at or after `from` whose cell, never NULL, is below `threshold`; `count` if none is. */
export function firstBelow(
  cells: usize,
  selection: usize,
  from: u32,
  count: u32,
  threshold: i64,
): u32 {
  for (let at = from; at < count; at++) {
    if (load<i64>(cells + ((<usize>rowAt(selection, at)) << 3)) < threshold) return at
  }
  return count
}

/** The first position at or after `from` whose cell is not NULL and more than `bound` beyond its row's append time (`nowUs` where that is 0). */
export function firstAhead(
  cells: usize,
  validity: usize,
  selection: usize,
  from: u32,
  count: u32,
  appendTimes: usize,
  nowUs: i64,
  boundUs: i64,
): u32 {
  for (let at = from; at < count; at++) {
    const row = rowAt(selection, at)
    const appended = appendTimes == 0 ? 0 : load<i64>(appendTimes + ((<usize>row) << 3))
    const base = appended == 0 ? nowUs : appended
    const cell = load<i64>(cells + ((<usize>row) << 3))
    // What is not even beyond its base is not taken further down, where it might wrap.
    if (cell > base && cell - boundUs > base && isValid(validity, row)) return at
  }
  return count
}

/**
 * The first position above `from` whose time is no more than `ahead` beyond the watermark of the rows before it, where those have
 * moved it above `told`; `count` if there is none. The watermark: the greatest of `split` and the marks, but `held` at most.
 */
export function firstBehind(
  times: usize,
  marks: usize,
  validity: usize,
  selection: usize,
  from: u32,
  count: u32,
  split: i64,
  told: i64,
  held: i64,
  ahead: i64,
): u32 {
  let greatest = split
  for (let at = from; at < count; at++) {
    const place = (<usize>rowAt(selection, at)) << 3
    const combined = greatest < held ? greatest : held
    if (at > from && combined > told && load<i64>(times + place) - ahead <= combined) return at
    const mark = load<i64>(marks + place)
    if (mark > greatest && isValid(validity, rowAt(selection, at))) greatest = mark
  }
  return count
}

/**
 * Writes each selected row's pane number, floor((cell - offset) / size), as i64 by position, and the least and the greatest
 * of them to `bounds`. Rows in event-time order mostly stay in one pane: then nothing is divided.
 */
export function paneNumbers(
  cells: usize,
  selection: usize,
  count: u32,
  sizeUs: i64,
  offsetUs: i64,
  panes: usize,
  bounds: usize,
): void {
  let least = i64.MAX_VALUE
  let greatest = i64.MIN_VALUE
  let pane: i64 = 0
  let start = offsetUs
  let end = start + sizeUs
  for (let at: u32 = 0; at < count; at++) {
    const time = load<i64>(cells + ((<usize>rowAt(selection, at)) << 3))
    if (time < start || time >= end) {
      const into = time - offsetUs
      pane = into / sizeUs
      if (into < 0 && pane * sizeUs != into) pane--
      start = offsetUs + pane * sizeUs
      end = start + sizeUs
    }
    least = pane < least ? pane : least
    greatest = pane > greatest ? pane : greatest
    store<i64>(panes + ((<usize>at) << 3), pane)
  }
  store<i64>(bounds, least)
  store<i64>(bounds, greatest, 8)
}

/**
 * Sorts the selected rows by pane, keeping their order within one: `rows` gets u32 row numbers, `starts` (range + 1 u32, cleared)
 * the position in `rows` where each pane `least + index` begins.
 */
export function scatterByPane(
  panes: usize,
  selection: usize,
  count: u32,
  least: i64,
  range: u32,
  rows: usize,
  starts: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const slot = starts + ((<usize>(load<i64>(panes + ((<usize>at) << 3)) - least)) << 2)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  let sum: u32 = 0
  for (let index: u32 = 0; index <= range; index++) {
    const slot = starts + ((<usize>index) << 2)
    const here = index == range ? 0 : load<u32>(slot)
    store<u32>(slot, sum)
    sum += here
  }
  for (let at: u32 = 0; at < count; at++) {
    const slot = starts + ((<usize>(load<i64>(panes + ((<usize>at) << 3)) - least)) << 2)
    const place = load<u32>(slot)
    store<u32>(rows + ((<usize>place) << 2), rowAt(selection, at))
    store<u32>(slot, place + 1)
  }
  for (let index = range; index > 0; index--) {
    store<u32>(starts + ((<usize>index) << 2), load<u32>(starts + ((<usize>(index - 1)) << 2)))
  }
  store<u32>(starts, 0)
}
