/** A delay as people and SQL write it: rounded up to what one would write, in units whose numbers have no more than two digits. */

const SECOND_US = 1_000_000
const MINUTE_US = 60 * SECOND_US
const HOUR_US = 60 * MINUTE_US
const DAY_US = 24 * HOUR_US

/** Below `until`, delays are multiples of `step`. */
const STEPS: readonly { readonly until: number; readonly step: number }[] = [
  { until: SECOND_US, step: 10_000 },
  { until: 10 * SECOND_US, step: 100_000 },
  { until: 10 * MINUTE_US, step: SECOND_US },
  { until: 10 * HOUR_US, step: MINUTE_US },
  { until: 20 * DAY_US, step: HOUR_US },
]

/** The next delay that one would write, greater than `needUs`: an event that needs just the delay is lost. µs. */
export function delayAbove(needUs: number): number {
  if (needUs <= 0) return 0
  const step = STEPS.find(({ until }) => needUs < until)?.step ?? DAY_US
  return (Math.floor(needUs / step) + 1) * step
}

/** `delayUs` as an interval that Flink reads too: no number of more than two digits. */
export function intervalSql(delayUs: number): string {
  for (const [unit, us] of [
    ['DAY', DAY_US],
    ['HOUR', HOUR_US],
    ['MINUTE', MINUTE_US],
  ] as const)
    if (delayUs > 0 && delayUs % us === 0 && delayUs / us < 100)
      return `INTERVAL '${delayUs / us}' ${unit}`
  if (delayUs < 100 * SECOND_US) {
    const seconds = Math.floor(delayUs / SECOND_US)
    const rest = `${Math.round((delayUs % SECOND_US) / 1000)}`.padStart(3, '0').replace(/0+$/, '')
    return `INTERVAL '${seconds}${rest === '' ? '' : `.${rest}`}' SECOND`
  }
  const two = (number: number): string => `${Math.floor(number)}`.padStart(2, '0')
  const days = Math.floor(delayUs / DAY_US)
  const clock = `${two((delayUs % DAY_US) / HOUR_US)}:${two((delayUs % HOUR_US) / MINUTE_US)}:${two((delayUs % MINUTE_US) / SECOND_US)}`
  return `INTERVAL '${days} ${clock}' DAY TO SECOND`
}

/** 1.5 s, 12 min, 46 h, 6.7 d. */
export function spanText(us: number): string {
  const figure = (number: number): string => `${Math.round(number * 10) / 10}`
  if (us < SECOND_US) return `${Math.round(us / 1000)} ms`
  if (us < 2 * MINUTE_US) return `${figure(us / SECOND_US)} s`
  if (us < 2 * HOUR_US) return `${figure(us / MINUTE_US)} min`
  if (us < 2 * DAY_US) return `${figure(us / HOUR_US)} h`
  return `${figure(us / DAY_US)} d`
}
