/** What a set of outputs asks of the systems below: streams counted once, however many outputs share them. */
import type { Output } from '../needs/needs.ts'

export const MB = 1e6
export const GB = 1e9
export const GIB = 1024 ** 3
export const TIB = 1024 ** 4

export interface Stream {
  readonly name: string
  /** Events a second. */
  readonly rate: number
  readonly peak: number
  readonly bytes: number
}

export interface Load {
  readonly streams: readonly Stream[]
  /** Sums over the streams. */
  readonly events: number
  readonly eventsPeak: number
  /** MB/s. */
  readonly in: number
  readonly inPeak: number
  /** GB. */
  readonly state: number
}

export function loadOf(outputs: readonly Output[]): Load {
  const byName = new Map<string, Stream>()
  for (const { from, rate, peak, bytes } of outputs) {
    const known = byName.get(from) ?? { name: from, rate: 0, peak: 0, bytes: 0 }
    byName.set(from, {
      name: from,
      rate: Math.max(known.rate, rate),
      peak: Math.max(known.peak, peak),
      bytes: Math.max(known.bytes, bytes),
    })
  }
  const streams = [...byName.values()]
  const sum = (of: (stream: Stream) => number) =>
    streams.reduce((total, stream) => total + of(stream), 0)
  return {
    streams,
    events: sum(({ rate }) => rate),
    eventsPeak: sum(({ peak }) => peak),
    in: sum(({ rate, bytes }) => (rate * bytes) / MB),
    inPeak: sum(({ peak, bytes }) => (peak * bytes) / MB),
    state: outputs.reduce((total, { stateBytes }) => total + stateBytes, 0) / GB,
  }
}

/** GB of a month of 730 hours at `perSecond` MB/s. */
export function monthGb(perSecond: number, hours: number): number {
  return (perSecond * hours * 3600) / 1000
}

/** GB that lie there when `days` are kept. */
export function keptGb(perSecond: number, days: number): number {
  return (perSecond * days * 86_400) / 1000
}
