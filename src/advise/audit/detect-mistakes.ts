/** Where a pipeline makes one of the mistakes that cost most: a function a code, over facts alone. */
import { intervalSql, spanText } from '../../time/delay.ts'
import type { Found, InsertFacts, PipelineFacts, TableFacts, WindowFacts } from './facts.ts'

/** Sinks that are looked at, or that keep nothing. */
const WATCHED = new Set(['print', 'blackhole'])
/** Formats whose schema a registry holds, and files and tables that bear their own. */
const GOVERNED =
  /^(avro-confluent|protobuf-confluent|avro-glue|debezium-avro-confluent|json-schema)/
/** Connectors that read or write messages, whose schema nothing but the format knows. */
const MESSAGES = new Set([
  'kafka',
  'upsert-kafka',
  'log',
  'pulsar',
  'kinesis',
  'rabbitmq',
  'pubsub',
])
/** A delay that keeps so much less than was asked is contradicted; and one that waits so many times as long. */
const CONTRADICTED_SHARE = 0.001
const CONTRADICTED_FACTOR = 4

export type Detect = (facts: PipelineFacts) => readonly Found[]

export const DETECT_MISTAKES = {
  NEED_UNSTATED(facts) {
    const first = facts.inserts.find((insert) => isStreaming(facts, insert))
    if (first === undefined || facts.need !== undefined) return []
    const sinks = [...new Set(facts.inserts.map(({ sink }) => sink))].join(', ')
    return [
      {
        at: first.at,
        says: `${sinks} is written day and night from ${unbounded(facts, first)}, and the file does not say what breaks if it is one hour old`,
      },
    ]
  },
  WATERMARK_MISSING(facts) {
    return streamed(facts).flatMap(({ name, at, timeColumns, watermark }) =>
      watermark !== undefined || timeColumns.length === 0 || !isTimed(facts, name)
        ? []
        : [{ at, says: `${name} has ${timeColumns.join(', ')} and no watermark` }],
    )
  },
  DELAY_CONTRADICTED(facts) {
    return streamed(facts, 'also bounded').flatMap((table): readonly Found[] => {
      const { name, watermark } = table
      const measured = facts.measured.get(name)
      if (watermark?.delayUs === undefined || measured === undefined) return []
      const kept = measured.completenessAt(watermark.delayUs)
      const isShort = kept < measured.completeness - CONTRADICTED_SHARE
      const isLong =
        watermark.delayUs > CONTRADICTED_FACTOR * measured.delayUs &&
        watermark.delayUs - measured.delayUs > 1_000_000
      if (!isShort && !isLong) return []
      const told = spanText(watermark.delayUs)
      return [
        {
          at: watermark.at,
          says: isShort
            ? `${told} keeps ${percent(kept)} of the events of ${name}; ${percent(measured.completeness)} takes ${spanText(measured.delayUs)}`
            : `${name} waits ${told}, and ${spanText(measured.delayUs)} keep ${percent(measured.completeness)}: every result is ${spanText(watermark.delayUs - measured.delayUs)} later than it need be`,
          edit: { ...watermark.at, text: measured.line },
        },
      ]
    })
  },
  LATE_UNROUTED(facts) {
    if (!facts.isForeign) return []
    return facts.inserts.flatMap(({ windows, sink }) =>
      timedWindows(facts, windows)
        .slice(0, 1)
        .flatMap(({ at, table }): readonly Found[] => {
          const watermark = table === undefined ? undefined : facts.tables.get(table)?.watermark
          if (watermark === undefined) return []
          const behind =
            watermark.delayUs === undefined ? '' : ` by more than ${intervalSql(watermark.delayUs)}`
          return [{ at, says: `rows of ${table} that are late${behind} are in no row of ${sink}` }]
        }),
    )
  },
  SINK_AT_LEAST_ONCE(facts) {
    return sinks(facts).flatMap((table): readonly Found[] => {
      const { name, at, connector, guarantee, hasPrimaryKey, isKnown } = table
      if (WATCHED.has(connector) || hasPrimaryKey || guarantee === 'exactly-once') return []
      const option = table.options.get('sink.delivery-guarantee')
      if (!isKnown && option?.value === 'exactly-once') return []
      const known = connector === '' ? 'its connector' : `'${connector}'`
      const says = `${name} is written at least once${isKnown ? '' : ` as far as is known of ${known}`}, and has no primary key that would make a second time harmless`
      return [{ at: option?.valueAt ?? at, says, ...exactlyOnce(table) }]
    })
  },
  SCHEMA_UNGOVERNED(facts) {
    return [...streamed(facts), ...sinks(facts)].flatMap(({ name, at, connector, options }) => {
      const format = options.get('format') ?? options.get('value.format')
      const isMessages = MESSAGES.has(connector)
      if (!isMessages || (format !== undefined && GOVERNED.test(format.value))) return []
      const written = format === undefined ? 'its format' : `'${format.value}'`
      return [
        {
          at: format?.valueAt ?? at,
          says: `${name}: ${written} has no schema that a registry holds to a rule`,
        },
      ]
    })
  },
  CONNECTOR_FOREIGN(facts) {
    return [...facts.tables.values()].flatMap(({ name, at, connector, isKnown, options }) =>
      isKnown
        ? []
        : [
            {
              at: options.get('connector')?.valueAt ?? at,
              says: options.has('connector')
                ? `${name}: '${connector}' is no connector of Millrace`
                : `${name} names no 'connector'`,
            },
          ],
    )
  },
  TABLE_UNDECLARED(facts) {
    return [...facts.undeclared].map(([name, at]) => ({
      at,
      says: `${name} is in no CREATE TABLE that could be read, here or in the project`,
    }))
  },
  STATEMENT_UNREAD(facts) {
    return facts.unread.map(({ at, message }) => ({ at, says: message }))
  },
} as const satisfies Record<string, Detect>

/** Whether an INSERT goes on for ever. */
export function isStreaming(
  { tables, undeclared, settings, isOnTimer }: PipelineFacts,
  { reads }: InsertFacts,
): boolean {
  if (isOnTimer) return false
  if (settings.get('execution.runtime-mode')?.value.toLowerCase() === 'batch') return false
  return reads.some((name) => tables.get(name)?.isBounded === false || undeclared.has(name))
}

/** Tables that are read and do not end; each once. */
export function streamed(facts: PipelineFacts, bounded?: 'also bounded'): readonly TableFacts[] {
  const names = new Set(
    facts.inserts
      .filter((insert) => bounded !== undefined || isStreaming(facts, insert))
      .flatMap(({ reads }) => reads),
  )
  return [...names].flatMap((name) => {
    const table = facts.tables.get(name)
    return table === undefined || (table.isBounded && bounded === undefined) ? [] : [table]
  })
}

/** Tables that streaming INSERTs write; each once. */
export function sinks(facts: PipelineFacts): readonly TableFacts[] {
  const names = new Set(
    facts.inserts.filter((insert) => isStreaming(facts, insert)).map(({ sink }) => sink),
  )
  return [...names].flatMap((name) => facts.tables.get(name) ?? [])
}

/** Windows that are not over the clock. */
export function timedWindows(
  { tables }: PipelineFacts,
  windows: readonly WindowFacts[],
): readonly WindowFacts[] {
  return windows.filter(
    ({ table, column }) =>
      table === undefined || tables.get(table)?.clockColumns.includes(column) !== true,
  )
}

/** Whether what is read of the table is grouped or joined: where its time would matter. */
function isTimed({ inserts }: PipelineFacts, table: string): boolean {
  return inserts.some(
    ({ reads, groups, joins, windows }) =>
      reads.includes(table) && groups.length + joins.length + windows.length > 0,
  )
}

function unbounded({ tables, undeclared }: PipelineFacts, { reads }: InsertFacts): string {
  return reads
    .filter((name) => tables.get(name)?.isBounded === false || undeclared.has(name))
    .join(', ')
}

/** Kafka can do better, if it is told. */
function exactlyOnce({
  name,
  connector,
  options,
  optionsEnd,
}: TableFacts): Pick<Found, 'edit'> | Record<never, never> {
  if (connector !== 'kafka') return {}
  const option = options.get('sink.delivery-guarantee')
  const prefix = options.has('sink.transactional-id-prefix')
    ? ''
    : `, 'sink.transactional-id-prefix' = '${name}'`
  if (option !== undefined) return { edit: { ...option.valueAt, text: `'exactly-once'${prefix}` } }
  if (optionsEnd === undefined) return {}
  const text = `,\n  'sink.delivery-guarantee' = 'exactly-once'${prefix}`
  return { edit: { offset: optionsEnd, length: 0, text } }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2).replace(/\.?0+$/, '')} %`
}
