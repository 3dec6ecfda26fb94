/** What will go wrong after weeks, by the facts of a pipeline: a function a code. */
import { spanText } from '../../time/delay.ts'
import { type Detect, isStreaming, sinks, streamed, timedWindows } from './detect-mistakes.ts'
import type { Edit, Found, InsertFacts, PipelineFacts, TableFacts } from './facts.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const DAY_US = 86_400_000_000
/** Tables whose every commit is a file or more. */
const LAKES = new Set(['delta', 'iceberg', 'hudi', 'paimon', 'filesystem'])
/** Commits more frequent than this make too many files. */
const COMMIT_LEAST_MS = 30_000
const CHECKPOINT_FALLBACK_MS = 1000
/** An outage that one should be able to sleep through a call for. */
const OUTAGE_MS = 10 * MINUTE_MS
/** Beyond what a window needs: time to notice that a result is wrong, over a weekend. */
const NOTICED_US = 3 * DAY_US

export const DETECT_OPERATION = {
  STATE_UNBOUNDED(facts) {
    const { settings } = facts
    const ttl = settings.get('table.exec.state.ttl')?.value
    if (ttl !== undefined && durationMs(ttl) !== 0) return []
    return streaming(facts).flatMap(({ groups, joins, hasTtl, sink }) => {
      if (hasTtl) return []
      const kept = groups.filter(({ isWindowed, keys }) => !isWindowed && keys?.length !== 0)
      return [
        ...kept.map(({ at, keys }) => ({
          at,
          says: `${sink} keeps every ${keys?.join(', ') ?? 'key'} that ever came`,
        })),
        ...joins.map((at) => ({ at, says: `${sink} keeps every row of both sides of this join` })),
      ]
    })
  },
  IDLE_STALL(facts) {
    const option = facts.settings.get('table.exec.source.idle-timeout')
    const isOff = option === undefined ? facts.isForeign : durationMs(option.value) === 0
    const held = timed(facts)
    if (!isOff || held.length === 0) return []
    const { name, at, watermark } = held[0]!
    return [
      {
        at: option?.valueAt ?? watermark?.at ?? at,
        says: `a partition of ${name} that falls silent holds all windows for as long as it is silent${option === undefined ? ': the idle time-out is off unless it is set' : ''}`,
        edit: settingEdit(facts, 'table.exec.source.idle-timeout', '5 s'),
      },
    ]
  },
  CLOCK_UNGUARDED(facts) {
    const option = facts.settings.get('time.future-guard')
    if (option?.value !== 'off' && !facts.isForeign) return []
    return timed(facts).flatMap(({ name, watermark }): readonly Found[] => {
      const { column, at, delayUs } = watermark!
      const says = `one ${column} of ${name} that is a day ahead makes a day of events late`
      if (!facts.isForeign)
        return [{ at: option!.valueAt, says, edit: settingEdit(facts, 'time.future-guard', '1 h') }]
      // What is more than the time less an interval may hold it at the clock.
      return delayUs === undefined ? [] : [{ at, says: `${says}, and nothing guards against it` }]
    })
  },
  TRANSACTION_SHORT(facts) {
    return sinks(facts).flatMap(({ name, options }): readonly Found[] => {
      const option = options.get('properties.transaction.timeout.ms')
      const isExact = options.get('sink.delivery-guarantee')?.value === 'exactly-once'
      const least = Math.max(OUTAGE_MS, 2 * (checkpointMs(facts) ?? 0))
      if (option === undefined || !isExact || !(Number(option.value) < least)) return []
      return [
        {
          at: option.valueAt,
          says: `what is written to ${name} is gone if the pipeline is down for longer than ${spanText(Number(option.value) * 1000)}; ${spanText(least * 1000)} at least`,
          edit: { ...option.valueAt, text: `'${Math.max(900_000, least)}'` },
        },
      ]
    })
  },
  FILES_SMALL(facts) {
    return sinks(facts).flatMap((table): readonly Found[] => {
      if (!LAKES.has(table.connector)) return []
      const own = table.options.get('sink.commit-interval')
      const checkpoints = checkpointMs(facts)
      // Another engine without checkpoints commits nothing: that is its own trouble.
      if (checkpoints === undefined) return []
      const everyMs = Math.max(checkpoints, own === undefined ? 0 : (durationMs(own.value) ?? 0))
      if (everyMs >= COMMIT_LEAST_MS) return []
      const perDay = Math.round(DAY_MS / everyMs)
      return [
        {
          at: own?.valueAt ?? table.at,
          says: `${table.name} is committed each ${spanText(everyMs * 1000)}: ${perDay} times a day, and a file at least each time`,
          ...commitEdit(table),
        },
      ]
    })
  },
  PROCESSING_TIME(facts) {
    return streaming(facts).flatMap(({ windows }) =>
      windows.flatMap(({ at, column, table }): readonly Found[] => {
        const read = table === undefined ? undefined : facts.tables.get(table)
        const isClock = read?.clockColumns.includes(column) === true
        if (read === undefined || !isClock || read.timeColumns.length === 0) return []
        const times = read.timeColumns.join(', ')
        return [{ at, says: `it is over ${column}, the clock, and ${read.name} bears ${times}` }]
      }),
    )
  },
  KEY_HOT(facts) {
    return streaming(facts).flatMap(({ groups, reads }) =>
      groups.flatMap(({ at, keys }): readonly Found[] => {
        if (keys === undefined) return []
        const isBoolean = (key: string) =>
          reads.some((name) => facts.tables.get(name)?.booleanColumns.includes(key))
        if (!keys.every(isBoolean)) return []
        const says =
          keys.length === 0
            ? 'all rows have one key: one worker does it all, however many there are'
            : `${keys.join(', ')} has two values: no more than two workers share the rows`
        return [{ at, says }]
      }),
    )
  },
  RETENTION_SHORT(facts) {
    return streamed(facts).flatMap(({ name, at, retentionUs, watermark }): readonly Found[] => {
      if (retentionUs === undefined) return []
      const windowUs = Math.max(
        0,
        ...facts.inserts.flatMap(({ windows }) => windows.map(({ sizeUs }) => sizeUs ?? 0)),
      )
      const neededUs = facts.replayUs ?? NOTICED_US + windowUs + (watermark?.delayUs ?? 0)
      if (retentionUs >= neededUs) return []
      const why =
        facts.replayUs === undefined
          ? 'three days to notice, and what windows and their delay reach back'
          : 'as the file says'
      return [
        {
          at,
          says: `the topic of ${name} keeps ${spanText(retentionUs)}, and a replay needs ${spanText(neededUs)}: ${why}`,
        },
      ]
    })
  },
} as const satisfies Record<string, Detect>

function streaming(facts: PipelineFacts): readonly InsertFacts[] {
  return facts.inserts.filter((insert) => isStreaming(facts, insert))
}

/** Tables with a watermark that windows or joins wait for. */
function timed(facts: PipelineFacts): readonly TableFacts[] {
  const waiting = facts.inserts.filter(({ windows }) => timedWindows(facts, windows).length > 0)
  return streamed(facts).filter(
    ({ name, watermark }) =>
      watermark !== undefined && waiting.some(({ reads }) => reads.includes(name)),
  )
}

/** Undefined: another engine that was not told to take any. */
function checkpointMs({ settings, isForeign }: PipelineFacts): number | undefined {
  const option = settings.get('execution.checkpointing.interval')
  if (option !== undefined) return durationMs(option.value)
  return isForeign ? undefined : CHECKPOINT_FALLBACK_MS
}

function commitEdit({ connector, options, optionsEnd }: TableFacts): { readonly edit?: Edit } {
  if (connector !== 'delta') return {}
  const own = options.get('sink.commit-interval')
  if (own !== undefined) return { edit: { ...own.valueAt, text: "'1 min'" } }
  if (optionsEnd === undefined) return {}
  return { edit: { offset: optionsEnd, length: 0, text: ",\n  'sink.commit-interval' = '1 min'" } }
}

/** The value in place of the one that is there, or a SET at the head of the file. */
function settingEdit({ settings, start }: PipelineFacts, key: string, value: string): Edit {
  const option = settings.get(key)
  if (option !== undefined) return { ...option.valueAt, text: `'${value}'` }
  return { offset: start, length: 0, text: `SET '${key}' = '${value}';\n` }
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  min: MINUTE_MS,
  m: MINUTE_MS,
  minute: MINUTE_MS,
  h: 3_600_000,
  hour: 3_600_000,
  d: DAY_MS,
  day: DAY_MS,
}

/** As engines write it: '5 s', '1min', 300; undefined if it is none. */
export function durationMs(text: string): number | undefined {
  const match = /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(text)
  const word = match?.[2]?.toLowerCase() ?? ''
  const unit = word === '' ? 1 : (UNITS_MS[word] ?? UNITS_MS[word.replace(/s$/, '')])
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit
}
