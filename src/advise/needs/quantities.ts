/** Figures as people write them, always with their unit: `15 min`, `800 B`, `2 k/s`, `100 USD/h`. */

const NUMBER = String.raw`(\d+(?:_\d{3})*(?:\.\d+)?)`
const SCALE: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 }
const SECONDS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  min: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
}
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
}
const PER_SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 }

export const DURATION = new RegExp(`^${NUMBER} ?(ms|s|min|h|d|w)$`)
export const BYTE_COUNT = new RegExp(`^${NUMBER} ?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$`)
export const RATE = new RegExp(`^${NUMBER} ?([kKMG]?)/(s|min|h|d)$`)
export const MONEY_A_MONTH = new RegExp(`^${NUMBER} ?USD/month$`)
export const MONEY_AN_HOUR = new RegExp(`^${NUMBER} ?USD/h$`)
export const HOURS_A_MONTH = new RegExp(`^${NUMBER} ?h/month$`)
export const MEASURED = /^measured from ([A-Za-z0-9._-]+)$/
/** Lateness needs to know which field holds an event's time, state which one is the key. */
export const MEASURED_BY = /^measured from ([A-Za-z0-9._-]+) by ([A-Za-z0-9_]+)$/

/** Seconds. The text matches `DURATION`. */
export function secondsIn(text: string): number {
  const [, number, unit] = DURATION.exec(text)!
  return numberIn(number!) * SECONDS[unit!]!
}

/** Bytes. The text matches `BYTE_COUNT`. */
export function bytesIn(text: string): number {
  const [, number, unit] = BYTE_COUNT.exec(text)!
  return numberIn(number!) * BYTES[unit!]!
}

/** Events a second. The text matches `RATE`. */
export function perSecondIn(text: string): number {
  const [, number, scale, unit] = RATE.exec(text)!
  return (numberIn(number!) * SCALE[scale!]!) / PER_SECONDS[unit!]!
}

/** USD a month or an hour, or hours a month: the text matches one of these. */
export function amountIn(text: string): number {
  return numberIn(/^[\d_.]+/.exec(text)![0])
}

function numberIn(text: string): number {
  return Number(text.replaceAll('_', ''))
}
