/** Durations as options tell them: '5 s', '1 min', '2 hours'; a bare number is ms, as in Flink. */
const UNIT_US: readonly (readonly [RegExp, number])[] = [
  [/^(ns|nanos?|nanoseconds?)$/, 0.001],
  [/^(us|µs|micros?|microseconds?)$/, 1],
  [/^(|ms|millis?|milliseconds?)$/, 1000],
  [/^(s|sec|secs|seconds?)$/, 1_000_000],
  [/^(m|min|mins|minutes?)$/, 60_000_000],
  [/^(h|hours?)$/, 3_600_000_000],
  [/^(d|days?)$/, 86_400_000_000],
]

/** undefined if it is none. */
export function durationUs(text: string): number | undefined {
  const match = /^\s*(\d+)\s*([a-zµ]*)\s*$/i.exec(text)
  const unit = match && UNIT_US.find(([name]) => name.test(match[2]!.toLowerCase()))
  return match && unit ? Math.ceil(Number(match[1]) * unit[1]) : undefined
}
