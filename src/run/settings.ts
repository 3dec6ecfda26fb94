/** What SET says of a run, read once: names and defaults in one place. */
import type { Asking } from '../compile/user-code.ts'
import { MillraceError } from '../errors.ts'
import { ASYNC_SETTINGS, askingOf } from './async-settings.ts'

export interface Settings {
  readonly checkpointIntervalMs: number
  /** Least time between commits of a sink; 0: at every checkpoint. */
  readonly idleTimeoutMs: number | undefined
  /** Once all splits of a source are idle, its watermark follows the clock. */
  readonly idleFollowsClock: boolean
  readonly futureBoundUs: bigint | undefined
  /** In (0, 1); undefined: what was measured at first. */
  readonly complete: number | undefined
  readonly timeZone: string
  readonly overflow: 'wrap' | 'error'
  /** How asynchronous functions are asked that don't say it themselves. */
  readonly asking: { readonly scalar: Asking; readonly table: Asking }
  readonly restartAttemptsMax: number
  readonly restartDelayMs: number
  /** Of a worker's operators, all together; undefined: as much as there is. */
  readonly stateMemoryBytes: number | undefined
  /** How long rows wait for state that is out of memory while others are read. */
  readonly stateDelayMs: number
}

interface Setting {
  readonly name: string
  readonly fallback: string
  readonly summary: string
}

/** Every setting that a pipeline may SET, besides 'pipeline.name'. */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'execution.checkpointing.interval',
    fallback: '1 s',
    summary: 'How often state and positions become durable and sinks commit',
  },
  {
    name: 'table.exec.source.idle-timeout',
    fallback: '5 s',
    summary: "A split at its end for so long does not hold the watermark; '0' = it always does",
  },
  {
    name: 'time.idle-watermark',
    fallback: 'hold',
    summary:
      "When all splits are idle: 'hold', the watermark stays; 'clock', it follows the clock, less the table's delay, and a replay may call other rows late",
  },
  {
    name: 'time.future-guard',
    fallback: '1 h',
    summary: "Event times further ahead of their append time go to $dead; 'off' = all are believed",
  },
  {
    name: 'time.complete',
    fallback: 'measured',
    summary:
      "The share of events that the watermark's delay is to keep, '99.9 %': a warning where it keeps less. 'measured': what it kept at first",
  },
  {
    name: 'table.local-time-zone',
    fallback: 'UTC',
    summary:
      'How TIMESTAMP_LTZ shows itself, and whose days and hours windows over it are; zones whose clocks are changed are refused there',
  },
  {
    name: 'sql.overflow',
    fallback: 'wrap',
    summary: "Integer overflow: 'wrap', as Flink, or 'error': the row goes to $dead",
  },
  {
    name: 'table.exec.sink.not-null-enforcer',
    fallback: 'ERROR',
    summary:
      "A NULL for a column that is NOT NULL: 'ERROR' stops the pipeline, 'DROP' leaves the row out",
  },
  {
    name: 'table.exec.sink.type-length-enforcer',
    fallback: 'IGNORE',
    summary:
      "CHAR(n), VARCHAR(n), BINARY(n) of a sink: 'IGNORE', 'TRIM_PAD' cuts and fills up, 'ERROR' stops the pipeline",
  },
  {
    name: 'table.exec.sink.nested-constraint-enforcer',
    fallback: 'IGNORE',
    summary: "Whether the two above look into values: 'IGNORE', 'ROWS', 'ROWS_AND_COLLECTIONS'",
  },
  {
    name: 'table.exec.sink.upsert-materialize',
    fallback: 'AUTO',
    summary:
      "A sink whose key is not that of the changes keeps the rows of each key, to know which is left when one goes; 'NONE' never does",
  },
  {
    name: 'table.exec.source.cdc-events-duplicate',
    fallback: 'false',
    summary:
      "'true': rows of changelog tables with a PRIMARY KEY may come twice, and are held against what was there",
  },
  {
    name: 'table.exec.emit.allow-lateness',
    fallback: '0 s',
    summary:
      'Rows that come so much behind the end of their window of GROUP BY correct its result; later ones go to $late',
  },
  {
    name: 'table.exec.emit.late-fire.enabled',
    fallback: 'false',
    summary: "'true': such corrections are gathered for a delay; else each is told at once",
  },
  {
    name: 'table.exec.emit.late-fire.delay',
    fallback: '0 s',
    summary: 'How long corrections are gathered, by the clock',
  },
  {
    name: 'table.exec.emit.early-fire.enabled',
    fallback: 'false',
    summary: "'true': windows of GROUP BY are also told while they are open",
  },
  {
    name: 'table.exec.emit.early-fire.delay',
    fallback: '0 s',
    summary: 'How often, by the clock; 0: at each row',
  },
  ...ASYNC_SETTINGS,
  {
    name: 'state.memory',
    fallback: 'all',
    summary:
      "How much memory the state of a worker takes: '64 MB'; what is more goes to files of the data directory. 'all': as much as there is",
  },
  {
    name: 'state.memory.delay',
    fallback: '5 s',
    summary: 'How long rows wait, while others are read, for state that is in files',
  },
  {
    name: 'restart-strategy.exponential-delay.attempts-before-reset-backoff',
    fallback: '10',
    summary: 'Failures at one place before the pipeline stops',
  },
  {
    name: 'restart-strategy.exponential-delay.initial-backoff',
    fallback: '1 s',
    summary: 'Wait before the first restart; doubled up to a minute',
  },
]

/** @throws SETTING_INVALID */
export function settingsOf(given: Readonly<Record<string, string>>): Settings {
  const text = (name: string): string =>
    given[name] ?? SETTINGS.find((setting) => setting.name === name)!.fallback
  const duration = (name: string): number => durationMs(name, text(name))
  const idleMs = duration('table.exec.source.idle-timeout')
  const guard = text('time.future-guard')
  const idleWatermark = text('time.idle-watermark')
  if (idleWatermark !== 'hold' && idleWatermark !== 'clock') {
    throw invalid('time.idle-watermark', idleWatermark, "use 'hold' or 'clock'")
  }
  const overflow = text('sql.overflow')
  if (overflow !== 'wrap' && overflow !== 'error') {
    throw invalid('sql.overflow', overflow, "use 'wrap' or 'error'")
  }
  return {
    checkpointIntervalMs: duration('execution.checkpointing.interval'),
    idleTimeoutMs: idleMs === 0 ? undefined : idleMs,
    idleFollowsClock: idleWatermark === 'clock',
    futureBoundUs:
      guard === 'off' ? undefined : BigInt(durationMs('time.future-guard', guard)) * 1000n,
    complete: completeOf(text('time.complete')),
    timeZone: timeZoneOf(text('table.local-time-zone')),
    overflow,
    asking: askingBy(text),
    restartAttemptsMax: Number(
      text('restart-strategy.exponential-delay.attempts-before-reset-backoff'),
    ),
    restartDelayMs: duration('restart-strategy.exponential-delay.initial-backoff'),
    stateMemoryBytes: stateMemoryOf(text('state.memory')),
    stateDelayMs: duration('state.memory.delay'),
  }
}

function askingBy(text: (name: string) => string): Settings['asking'] {
  const read = {
    durationMs: (name: string) => durationMs(name, text(name)),
    count(name: string, least: number) {
      const count = /^\d+$/.test(text(name)) ? Number(text(name)) : -1
      if (count >= least && Number.isSafeInteger(count)) return count
      throw invalid(name, text(name), `write a whole number from ${least}`)
    },
    choice(name: string, choices: readonly string[]) {
      const found = choices.find((choice) => choice === text(name).toUpperCase())
      if (found !== undefined) return found
      throw invalid(name, text(name), `use '${choices.join("' or '")}'`)
    },
  }
  return { scalar: askingOf('scalar', read), table: askingOf('table', read) }
}

const UNITS_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
}

/** '64 MB', '1g'; units are powers of 1024, as Flink's are. */
function stateMemoryOf(text: string): number | undefined {
  if (text === 'all') return undefined
  const match = /^\s*(\d+)\s*([kmg]?)i?(b?)\s*$/i.exec(text)
  const unit = match === null ? undefined : UNITS_BYTES[`${match[2]}b`.toLowerCase()]
  if (match === null || unit === undefined || Number(match[1]) === 0)
    throw invalid('state.memory', text, "write a size: '64 MB', '1 GB', or 'all'")
  return Number(match[1]) * unit
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  milli: 1,
  millisecond: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
}

/** '500 ms', '5 s', '1min', '2 hours'; a bare number is ms, as in Flink. @throws SETTING_INVALID */
export function durationMs(name: string, text: string): number {
  const match = /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(text)
  const word = match?.[2]?.toLowerCase() ?? ''
  const unit = word === '' ? 1 : (UNITS_MS[word] ?? UNITS_MS[word.replace(/s$/, '')])
  if (match === null || unit === undefined) {
    throw invalid(name, text, "write a duration: '500 ms', '5 s', '1 min', '2 h', '1 d'")
  }
  return Number(match[1]) * unit
}

function completeOf(text: string): number | undefined {
  if (text === 'measured') return undefined
  const match = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text)
  const share = Number(match?.[1] ?? '0') / 100
  if (share > 0 && share < 1) return share
  throw invalid('time.complete', text, "write a share above 0 and below 100 %: '99.9 %'")
}

function timeZoneOf(name: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return name
  } catch {
    throw invalid('table.local-time-zone', name, "use an IANA name: 'UTC', 'Europe/Oslo'")
  }
}

function invalid(name: string, value: string, hint: string): MillraceError {
  return new MillraceError('SETTING_INVALID', {
    message: `'${name}' can't be '${value}'`,
    hint,
    facts: { name, value },
  })
}
