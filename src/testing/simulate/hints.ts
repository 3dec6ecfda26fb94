/** What a plan says of the events that would make it work: times that its windows tell apart, values that its conditions ask for. */
import type { Pipeline } from '../../plan/pipeline.ts'
import type { TableDefinition } from '../../plan/tables.ts'
import { readTables } from '../rewired.ts'

/** How a number or a text tells event time. */
export type Units = 'seconds' | 'milliseconds' | 'text'

export interface Hints {
  /** Of windows, bounds of joins and patterns; a minute if there are none. */
  readonly periodsMs: readonly number[]
  /** By table: how far its watermark is behind. */
  readonly delaysMs: ReadonlyMap<string, number>
  readonly texts: readonly string[]
  readonly numbers: readonly number[]
}

const PERIOD_MS = 60_000
const PERIOD_MS_MAX = 7 * 86_400_000

export function hintsOf(pipeline: Pipeline): Hints {
  const periods = new Set<number>()
  const texts = new Set<string>()
  const numbers = new Set<number>()
  visit(pipeline.sinks, (name, value, object) => {
    if (/Us$/.test(name) && typeof value === 'number' && value !== 0 && !/ttl|offset/i.test(name))
      periods.add(Math.min(PERIOD_MS_MAX, Math.ceil(Math.abs(value) / 1000)))
    if (name !== 'value' || object.kind !== 'literal' || typeof value !== 'string') return
    const kind = kindOf(object.type)
    if (kind === 'char' || kind === 'varchar') texts.add(value)
    else if (/^(tinyint|smallint|int|bigint|decimal)$/.test(kind)) numbers.add(Number(value))
  })
  const delays = [...readTables(pipeline)].map(
    ([name, { table }]) => [name, delayMs(table)] as const,
  )
  return {
    periodsMs: periods.size === 0 ? [PERIOD_MS] : [...periods],
    delaysMs: new Map(delays),
    texts: [...texts],
    numbers: [...numbers],
  }
}

/** Of `time - INTERVAL`; 0 where it is none. */
function delayMs({ watermark }: TableDefinition): number {
  const delay = watermark?.expression
  if (delay?.kind !== 'call' || delay.function !== 'MINUS') return 0
  const [, interval] = delay.args
  return interval?.kind === 'literal' ? Math.max(0, Number(interval.value) / 1000) : 0
}

/** The columns of which a computed event time is made, with the units that its function takes. */
export function epochColumns(table: TableDefinition): ReadonlyMap<string, Units> {
  const found = new Map<string, Units>()
  const column = table.columns.find(({ name }) => name === table.watermark?.column)
  if (column?.kind !== 'computed') return found
  const given = table.columns.filter(({ kind }) => kind !== 'computed')
  const text = JSON.stringify(column.expression)
  const isSeconds = /"FROM_UNIXTIME"|"TO_TIMESTAMP_LTZ".*"value":"0"/.test(text)
  visit(column.expression, (name, value, object) => {
    if (name !== 'index' || typeof value !== 'number' || object.kind !== 'column') return
    const kind = kindOf(object.type)
    if (kind === 'bigint' || kind === 'int' || kind === 'double' || kind === 'decimal')
      found.set(given[value]!.name, isSeconds ? 'seconds' : 'milliseconds')
    if (kind === 'varchar' || kind === 'char') found.set(given[value]!.name, 'text')
  })
  return found
}

type Members = Readonly<Record<string, unknown>>

function visit(value: unknown, told: (name: string, value: unknown, object: Members) => void) {
  if (typeof value !== 'object' || value === null) return
  for (const [name, each] of Object.entries(value)) {
    told(name, each, { ...value })
    visit(each, told)
  }
}

function kindOf(type: unknown): string {
  return typeof type === 'object' && type !== null && 'kind' in type ? String(type.kind) : ''
}
