/** Options that all connectors share whose tables are looked up, by Flink's names where it has them. */
import { MillraceError } from '../errors.ts'
import type { ConnectorOption } from './contract/connector.ts'
import type { LookupCacheSettings } from './contract/lookup.ts'
import { DURATION_HINT, durationMs } from './durations.ts'

type Options = Readonly<Record<string, string>>

export const LOOKUP_OPTIONS: readonly ConnectorOption[] = [
  {
    name: 'lookup.cache',
    kind: 'enum',
    values: ['NONE', 'PARTIAL'],
    required: false,
    fallback: 'NONE',
    summary:
      'What is kept of rows that were looked up: NONE, every row asks anew; PARTIAL, as many as the options say',
  },
  {
    name: 'lookup.partial-cache.max-rows',
    kind: 'int',
    required: false,
    fallback: '10000',
    summary:
      'Rows kept by each worker, 1 to 10000000; those used least lately go, and a key without a row counts as one',
  },
  {
    name: 'lookup.partial-cache.expire-after-write',
    kind: 'duration',
    required: false,
    summary: 'How long after it was answered a row is asked for again; never unless told',
  },
  {
    name: 'lookup.partial-cache.expire-after-access',
    kind: 'duration',
    required: false,
    summary: 'How long after its last use a row is asked for again; never unless told',
  },
  {
    name: 'lookup.partial-cache.cache-missing-key',
    kind: 'boolean',
    required: false,
    fallback: 'true',
    summary: 'Whether it is kept, too, that a key has no row',
  },
  {
    name: 'lookup.max-retries',
    kind: 'int',
    required: false,
    fallback: '3',
    summary:
      'How often a request is tried again before the pipeline is restarted to try on, 0 to 100',
  },
  {
    name: 'lookup.retry-backoff',
    kind: 'duration',
    required: false,
    fallback: '500 ms',
    summary: 'The wait before the first retry; doubled up to 30 s',
  },
  {
    name: 'lookup.max-in-flight',
    kind: 'int',
    required: false,
    fallback: '8',
    summary: 'Requests of each worker at one time, 1 to 256',
  },
]

export interface LookupSettings {
  readonly cache: LookupCacheSettings | undefined
  readonly retriesMax: number
  readonly backoffMs: number
  readonly inFlightMax: number
}

/** @throws OPTION_INVALID */
export function lookupSettings(table: string, options: Options): LookupSettings {
  const number = (name: string, least: number, most: number): number => {
    const text = options[name]!
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw invalid(table, name, text, `a whole number from ${least} to ${most}`)
  }
  const duration = (name: string): number | undefined => {
    const text = options[name]
    if (text === undefined) return undefined
    const ms = durationMs(text)
    if (ms === undefined) throw invalid(table, name, text, DURATION_HINT)
    return ms
  }
  const cache = {
    rowsMax: number('lookup.partial-cache.max-rows', 1, 10_000_000),
    expireAfterWriteMs: duration('lookup.partial-cache.expire-after-write'),
    expireAfterAccessMs: duration('lookup.partial-cache.expire-after-access'),
    keepsMissing: options['lookup.partial-cache.cache-missing-key'] !== 'false',
  }
  return {
    cache: options['lookup.cache'] === 'PARTIAL' ? cache : undefined,
    retriesMax: number('lookup.max-retries', 0, 100),
    backoffMs: duration('lookup.retry-backoff')!,
    inFlightMax: number('lookup.max-in-flight', 1, 256),
  }
}

function invalid(table: string, option: string, value: string, wanted: string): MillraceError {
  return new MillraceError('OPTION_INVALID', {
    message: `table ${table}: '${option}' = '${value}' can't be used`,
    hint: wanted,
    facts: { table, option, value },
  })
}
