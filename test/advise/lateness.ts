/** Streams with a known way of being late, as files of JSON lines: a file is a split. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Stream {
  readonly name: string
  /** Lines of each split, in the order in which they arrive. */
  splits(random: () => number): readonly (readonly Event[])[]
}

export interface Event {
  /** ms. */
  readonly t: number
  readonly v: number
}

const START_MS = Date.UTC(2026, 0, 5)
/** An event each so many ms. */
const EVERY_MS = 50
const EVENTS = 40_000
/** Events before those, of which only the late ones come while we look: a stream is seen from its middle. */
const EVENTS_BEFORE = 12_000

/** Seconds of delay of the event that happens at `at` in [0, 1) of the stream. */
type Delay = (random: () => number, at: number) => number

const exponential =
  (mean: number): Delay =>
  (random) =>
    -mean * Math.log(1 - random())

export const STREAMS: readonly Stream[] = [
  { name: 'exponential', splits: (random) => [arrived(random, exponential(20))] },
  {
    name: 'phones that were offline',
    splits: (random) => [
      arrived(random, (r, at) =>
        r() < 0.03 ? 300 + exponential(120)(r, at) : exponential(2)(r, at),
      ),
    ],
  },
  {
    name: 'one slow partition',
    splits: (random) => [
      arrived(random, exponential(5)),
      arrived(random, exponential(5)),
      arrived(random, exponential(60)),
    ],
  },
  {
    name: 'a fast clock',
    splits: (random) => [
      arrived(random, exponential(5)).map((event) =>
        random() < 0.01 ? { ...event, t: event.t + 45_000 } : event,
      ),
    ],
  },
  {
    name: 'drifting',
    splits: (random) => [arrived(random, (r, at) => exponential(5 + 80 * at)(r, at))],
  },
]

/** What arrives while we look, in that order: events arrive when they happened and their delay is over. */
function arrived(random: () => number, delay: Delay): Event[] {
  const events = Array.from({ length: EVENTS_BEFORE + EVENTS }, (_, number) => {
    const index = number - EVENTS_BEFORE
    const t = START_MS + index * EVERY_MS
    const arrival = t + 1000 * delay(random, Math.max(0, index / EVENTS))
    return { t, arrival, v: 1 + Math.floor(9 * random()) }
  })
  return events
    .filter(({ arrival }) => arrival >= START_MS && arrival < START_MS + EVENTS * EVERY_MS)
    .sort((left, right) => left.arrival - right.arrival)
    .map(({ t, v }) => ({ t: Math.round(t), v }))
}

/** Writes the splits, and returns the folder. */
export function writeStream(directory: string, splits: readonly (readonly Event[])[]): string {
  mkdirSync(directory, { recursive: true })
  for (const [number, events] of splits.entries())
    writeFileSync(
      join(directory, `${number}.jsonl`),
      events.map((event) => `${JSON.stringify(event)}\n`).join(''),
    )
  return directory
}

/** Mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
