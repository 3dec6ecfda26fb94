/** Numbers as people read them: grouped, with units, rounded only where it is said. */

const GROUPED = new Intl.NumberFormat('en-US')

/** '1,234,567' */
export function countText(count: number): string {
  return GROUPED.format(count)
}

/** '1 row', '2 rows', '1,000 rows' */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : plural}`
}

/** '12 ms', '1.4 s', '3 min 5 s', '2 h 10 min', '4 d 3 h' */
export function durationText(ms: number): string {
  if (ms < 0) return `-${durationText(-ms)}`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${trimZero((ms / 1000).toFixed(1))} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return joined(minutes, 'min', seconds % 60, 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min')
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** Powers of 1,000, as disks are sold: '512 B', '4.1 KB', '2 MB' */
export function bytesText(bytes: number): string {
  let unit = 0
  let value = bytes
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit > 0 && value < 99.95 ? trimZero(value.toFixed(1)) : String(Math.round(value))
  return `${digits} ${BYTE_UNITS[unit]}`
}

/** '850/s', '12.4 k/s', '1.2 M/s' */
export function rateText(perSecond: number): string {
  if (perSecond < 1000) return `${Math.round(perSecond)}/s`
  if (perSecond < 999_950) return `${trimZero((perSecond / 1000).toFixed(1))} k/s`
  return `${trimZero((perSecond / 1_000_000).toFixed(1))} M/s`
}

/** UTC to the second, or to the ms where there are some: '2026-01-31 12:00:05.250' */
export function timeText(ms: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return `${ms} ms`
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/Z$/, '')
    .replace(/\.000$/, '')
}

function trimZero(text: string): string {
  return text.replace(/\.0$/, '')
}
