/** The options of a Delta table, declared and read. */
import { MillraceError } from '../../errors.ts'
import type { Codec } from '../../formats/parquet/codecs.ts'
import type { ConnectorOption } from '../contract/connector.ts'

export const DELTA_OPTIONS: readonly ConnectorOption[] = [
  {
    name: 'table-path',
    kind: 'string',
    required: true,
    summary: "Where the table lives: a path, relative to the project, or a 'file://' URL",
  },
  {
    name: 'sink.commit-interval',
    kind: 'duration',
    required: false,
    summary: 'How often rows become visible, in whole checkpoints; each checkpoint unless told',
  },
  {
    name: 'sink.file-size',
    kind: 'bytes',
    required: false,
    fallback: '128mb',
    summary: 'Size at which a data file is closed and the next begun',
  },
  {
    name: 'sink.compression',
    kind: 'enum',
    values: ['zstd', 'snappy', 'gzip', 'uncompressed'],
    required: false,
    fallback: 'zstd',
    summary: 'Codec of Parquet pages',
  },
  {
    name: 'sink.buckets',
    kind: 'int',
    required: false,
    fallback: '16',
    summary:
      'Upsert: key-hash buckets of a new table; a commit rewrites files of touched buckets only',
  },
  {
    name: 'sink.compact',
    kind: 'boolean',
    required: false,
    fallback: 'false',
    summary: 'Rewrite small files into larger ones after commits',
  },
  {
    name: 'sink.vacuum-retention',
    kind: 'duration',
    required: false,
    summary: 'Delete files that the table has not referenced for so long; never unless told',
  },
  {
    name: 'checkpoint-interval',
    kind: 'int',
    required: false,
    fallback: '10',
    summary: 'Commits between checkpoints of the Delta log, unless delta.checkpointInterval says',
  },
  {
    name: 'schema.evolution',
    kind: 'enum',
    values: ['none', 'add-columns'],
    required: false,
    fallback: 'none',
    summary: 'What to do with declared columns that the table lacks',
  },
  {
    name: 'versionAsOf',
    kind: 'int',
    required: false,
    summary: 'Source: the version to read; the newest unless told',
  },
  {
    name: 'delta.',
    kind: 'string',
    required: false,
    isPrefix: true,
    summary: 'Table properties of a new table',
  },
]

export interface DeltaOptions {
  readonly tablePath: string
  readonly fileBytes: number
  readonly codec: Codec
  readonly buckets: number
  readonly compact: boolean
  readonly vacuumRetentionMs?: number
  readonly checkpointInterval: number
  readonly evolves: boolean
  readonly versionAsOf?: number
  /** Properties of a new table, 'delta.' in front. */
  readonly properties: Readonly<Record<string, string>>
}

/** @throws DELTA_OPTION_INVALID naming the option and the value */
export function readOptions(options: Readonly<Record<string, string>>): DeltaOptions {
  const retention = options['sink.vacuum-retention']
  const version = options.versionAsOf
  return {
    tablePath: required(options, 'table-path'),
    fileBytes: bytesOf('sink.file-size', options['sink.file-size'] ?? '128mb'),
    codec: oneOf('sink.compression', options['sink.compression'] ?? 'zstd', CODECS),
    buckets: integer('sink.buckets', options['sink.buckets'] ?? '16', 1, 4096),
    compact:
      oneOf('sink.compact', options['sink.compact'] ?? 'false', ['true', 'false']) === 'true',
    ...(retention === undefined
      ? {}
      : { vacuumRetentionMs: millisOf('sink.vacuum-retention', retention) }),
    checkpointInterval: integer(
      'checkpoint-interval',
      options['checkpoint-interval'] ?? '10',
      1,
      1_000_000,
    ),
    evolves:
      oneOf('schema.evolution', options['schema.evolution'] ?? 'none', ['none', 'add-columns']) ===
      'add-columns',
    ...(version === undefined
      ? {}
      : { versionAsOf: integer('versionAsOf', version, 0, Number.MAX_SAFE_INTEGER) }),
    properties: Object.fromEntries(
      Object.entries(options).filter(([name]) => name.startsWith('delta.')),
    ),
  }
}

const CODECS = ['zstd', 'snappy', 'gzip', 'uncompressed'] as const

function required(options: Readonly<Record<string, string>>, name: string): string {
  const value = options[name]
  if (value !== undefined && value !== '') return value
  throw invalid(name, value ?? '', 'a value, which is missing')
}

function oneOf<Value extends string>(name: string, text: string, values: readonly Value[]): Value {
  const found = values.find((value) => value === text.toLowerCase())
  if (found !== undefined) return found
  throw invalid(name, text, `one of ${values.join(', ')}`)
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text.trim()) && value >= min && value <= max) return value
  throw invalid(name, text, `a whole number from ${min} to ${max}`)
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
}

function bytesOf(name: string, text: string): number {
  const match = /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(text)
  const unit = BYTE_UNITS[match?.[2]?.toLowerCase() ?? '-']
  if (match === null || unit === undefined) throw invalid(name, text, "a size such as '64mb'")
  return Number(match[1]) * unit
}

const MILLIS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  min: 60_000,
  m: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
}

function millisOf(name: string, text: string): number {
  const match = /^\s*(\d+)\s*([a-z]+)\s*$/i.exec(text)
  const unit = MILLIS[match?.[2]?.toLowerCase() ?? '-']
  if (match === null || unit === undefined) throw invalid(name, text, "a duration such as '7 d'")
  return Number(match[1]) * unit
}

function invalid(name: string, value: string, wanted: string): MillraceError {
  return new MillraceError('DELTA_OPTION_INVALID', {
    message: `option '${name}' of a delta table is '${value}', not ${wanted}`,
    hint: `give '${name}' ${wanted}`,
    facts: { option: name, value },
  })
}
