/**
 * How late rows are: of each the *need*, the delay that its watermark would have had to have for its window to be still open, counted
 * into buckets of a log-linear scale.
 *
 *   need     M - E + 1 ms, for a window's end E and the greatest time M seen before the row; without windows M - time
 *   block    i64 lost (needs >= delay), then i64 a bucket
 *   bucket   0: needs up to 1023 µs; then 64 an octave from 1024 µs on, the last takes all beyond
 */

// @ts-nocheck: compiled by asc, not by tsc

const FIRES_EARLY: i64 = 1000
const OCTAVE_FIRST: i32 = 10
const OCTAVE_LAST: i32 = 50
const BUCKET_LAST: i32 = 2624

// @ts-ignore: decorator
@inline
function floorTo(time: i64, slide: i64, offset: i64): i64 {
  const into = (time - offset) % slide
  return time - (into < 0 ? into + slide : into)
}

// @ts-ignore: decorator
@inline
function bucketOf(need: i64): i32 {
  if (need < 1024) return 0
  const octave = 63 - <i32>clz<i64>(need)
  if (octave > OCTAVE_LAST) return BUCKET_LAST
  return 1 + ((octave - OCTAVE_FIRST) << 6) + <i32>((need >> (octave - 6)) & 63)
}

/**
 * Meters the selected rows in their order. `own`: the greatest time of their split before them; `held`: of the others the least,
 * beyond which M does not go; `reached`: M before them. `slide` 0: there are no windows.
 */
export function meterNeeds(
  times: usize,
  selection: usize,
  count: u32,
  own: i64,
  held: i64,
  reached: i64,
  slide: i64,
  offset: i64,
  delay: i64,
  block: usize,
): void {
  let top = own
  let most = reached
  const first = top < held ? top : held
  most = first > most ? first : most
  // Rows from here on need nothing; below it all do.
  let openFrom: i64 = i64.MIN_VALUE
  if (most != i64.MIN_VALUE)
    openFrom = slide == 0 ? most : floorTo(most + FIRES_EARLY - 1, slide, offset)
  for (let at: u32 = 0; at < count; at++) {
    const row = selection == 0 ? at : load<u32>(selection + ((<usize>at) << 2))
    const time = load<i64>(times + ((<usize>row) << 3))
    if (time < openFrom) {
      const end = slide == 0 ? time + FIRES_EARLY : floorTo(time, slide, offset) + slide
      const need = most - end + FIRES_EARLY
      const slot = block + 8 + ((<usize>bucketOf(need)) << 3)
      store<i64>(slot, load<i64>(slot) + 1)
      if (need >= delay) store<i64>(block, load<i64>(block) + 1)
    }
    if (time <= top) continue
    top = time
    const next = top < held ? top : held
    if (next <= most) continue
    const before = most
    most = next
    if (slide == 0) openFrom = most
    else if (before == i64.MIN_VALUE || most + FIRES_EARLY - 1 - openFrom >= slide)
      openFrom = floorTo(most + FIRES_EARLY - 1, slide, offset)
  }
}
