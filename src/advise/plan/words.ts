/** Figures of a plan as words. */
import { figure } from '../cost/lines.ts'

const STEPS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const

/** '10 s', '15 min', '1 h', '2 d' */
export function secondsText(seconds: number): string {
  for (const [size, unit] of STEPS) if (seconds >= size) return `${figure(seconds / size)} ${unit}`
  return `${figure(seconds * 1000)} ms`
}

/** '$1,234'; cents only of small sums. */
export function usd(amount: number): string {
  const sign = amount < 0 ? '−' : ''
  const absolute = Math.abs(amount)
  const digits = absolute < 10 && absolute !== Math.round(absolute) ? 2 : 0
  const text = absolute.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return `${sign}$${text}`
}

/** '2,000/s' and, from a million on, '1.2 M/s' */
export function rateWords(perSecond: number): string {
  return perSecond >= 1e6 ? `${figure(perSecond / 1e6)} M/s` : `${figure(perSecond)}/s`
}

/** '3 brokers', '1 broker' */
export function unitsText(count: number, name: string): string {
  return `${figure(count)} ${count === 1 ? name.replace(/s$/, '') : name}`
}

/** With a capital first. */
export function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}
