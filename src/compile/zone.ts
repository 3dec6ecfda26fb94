/** Offsets of time zones, from Intl, cached: TIMESTAMP_LTZ is told in the session's zone. */
import { failRow } from './row-failure.ts'

interface Zone {
  readonly format: Intl.DateTimeFormat
  /** Offset in ms by quarter of an hour: no zone of IANA's changes within one. */
  readonly offsets: Map<number, number>
}

const QUARTER_MS = 900_000
const DAY_MS = 86_400_000
/** Quarters of an hour kept per zone; then the cache starts anew. */
const OFFSETS_MAX = 100_000
const zones = new Map<string, Zone>()

function zoneOf(name: string): Zone {
  const known = zones.get(name)
  if (known !== undefined) return known
  const made = { format: formatOf(name), offsets: new Map<number, number>() }
  zones.set(name, made)
  return made
}

function formatOf(name: string): Intl.DateTimeFormat {
  // Java's 'GMT+08:00' and 'UTC+8' are Intl's '+08:00'.
  const offset = /^(?:GMT|UTC|UT)?([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(name)
  const timeZone =
    offset === null ? name : `${offset[1]}${offset[2]!.padStart(2, '0')}:${offset[3] ?? '00'}`
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return failRow(`${name} is no time zone`)
  }
}

/** What local clocks are ahead of UTC, in ms, at an instant. */
export function zoneOffsetMs(name: string, epochMs: number): number {
  if (name === 'UTC' || name === 'Z') return 0
  const { format, offsets } = zoneOf(name)
  const quarter = Math.floor(epochMs / QUARTER_MS)
  const known = offsets.get(quarter)
  if (known !== undefined) return known
  const parts = new Map(
    format.formatToParts(quarter * QUARTER_MS).map(({ type, value }) => [type, value]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type))
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year')
  const local = new Date(0)
  local.setUTCFullYear(year, part('month') - 1, part('day'))
  local.setUTCHours(part('hour'), part('minute'), part('second'))
  const offset = local.getTime() - quarter * QUARTER_MS
  if (offsets.size >= OFFSETS_MAX) offsets.clear()
  offsets.set(quarter, offset)
  return offset
}

/** Years in which a zone whose clocks are changed shows it, and how often it is looked at: no change is undone sooner. */
const LOOK_FROM_MS = Date.UTC(2000, 0, 1)
const LOOK_TO_MS = Date.UTC(2050, 0, 1)
const LOOK_MS = 10 * DAY_MS

/** What clocks of the zone are ahead of UTC, in µs; undefined where it is not the same from 2000 to 2050. */
export function constantOffsetUs(zone: string): number | undefined {
  const offset = zoneOffsetMs(zone, LOOK_FROM_MS)
  for (let ms = LOOK_FROM_MS; ms < LOOK_TO_MS; ms += LOOK_MS) {
    if (zoneOffsetMs(zone, ms) !== offset) return undefined
  }
  return offset * 1000
}

/** µs of the clocks of `zone` at an instant (µs). */
export function localOfInstant(micros: bigint, zone: string): bigint {
  return micros + BigInt(zoneOffsetMs(zone, floorMs(micros))) * 1000n
}

/** The instant at which clocks of `zone` show `local`: the earlier of two; moved on by the gap where none does, as Java. */
export function instantOfLocal(local: bigint, zone: string): bigint {
  const ms = floorMs(local)
  const before = zoneOffsetMs(zone, ms - DAY_MS)
  const after = zoneOffsetMs(zone, ms + DAY_MS)
  for (const offset of [before, after]) {
    if (zoneOffsetMs(zone, ms - offset) === offset) return local - BigInt(offset) * 1000n
  }
  return local - BigInt(before) * 1000n
}

function floorMs(micros: bigint): number {
  return Number(micros >= 0n ? micros / 1000n : (micros - 999n) / 1000n)
}
