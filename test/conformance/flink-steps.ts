/** Steps of Flink's programs as SQL, and their data as rows of a test source. */
import { type CellValue, encodeNested } from '../../src/data/nested-cells.ts'
import type { DataType } from '../../src/data/types.ts'
import type { Plain } from '../builders/batch.ts'
import type { FedRow } from '../builders/engine-run.ts'
import { flinkText } from './flink-text.ts'
import { taggedValue } from './flink-values.ts'

export interface Datum {
  readonly kind: FedRow['kind']
  readonly row: readonly unknown[]
}

export interface Step {
  readonly step: string
  readonly name: string
  readonly schema: readonly string[]
  readonly options: Readonly<Record<string, string>>
  readonly partitionKeys?: readonly string[]
  readonly option?: string
  readonly value?: string
  readonly sql?: string
  readonly dataBeforeRestore?: readonly Datum[]
  readonly dataAfterRestore?: readonly Datum[]
  readonly expectedBeforeRestoreStrings?: readonly string[]
  readonly expectedAfterRestoreStrings?: readonly string[]
  readonly expectedMaterializedStrings?: readonly string[]
  readonly testChangelogData?: boolean
}

/** Settings that change results. Others tell Flink's planner how to come to the same ones. */
const HONOURED =
  /^(__)?table\.(local-time-zone|exec\.(sort\.\S*|sink\.\S*-enforcer|source\.cdc-events-duplicate|mini-batch\.\S+?))(__)?$/

export function scriptOf(setup: readonly Step[], sql: string): string {
  return `${setup.map(statementOf).join('')}${sql}`
}

function statementOf({ step, name, schema, options, partitionKeys, ...config }: Step): string {
  if (step === 'CONFIG') {
    const { option = '', value = '' } = config
    return HONOURED.test(option) ? `SET '${option}' = '${value}';\n` : ''
  }
  if (step === 'SQL') return `${config.sql};\n`
  if (!step.startsWith('SOURCE') && !step.startsWith('SINK')) return ''
  const partitions = step.startsWith('SINK') && partitionKeys?.length ? partitionKeys : []
  const partitioned = partitions.length === 0 ? '' : `PARTITIONED BY (${partitions.join(', ')}) `
  // A table that is looked up is another one in each life: none is all of it.
  const endless = options['disable-lookup'] === 'false' ? ", 'endless' = 'true'" : ''
  return `CREATE TABLE ${name} (${schema.join(', ')}) ${partitioned}WITH ('connector' = 'scripted', 'changelog' = '${modeOf(options)}'${endless});\n`
}

function modeOf(options: Step['options']): string {
  const kinds = (options['changelog-mode'] ?? 'I').split(',')
  if (kinds.length === 1) return 'false'
  return kinds.includes('UA') && !kinds.includes('UB') ? 'upsert' : 'true'
}

interface Column {
  readonly name: string
  readonly type: DataType
}

/** All rows of a source, before the restore and after it; `columns` are the table's. */
export function fedRows(source: Step, columns: readonly Column[]): FedRow[] {
  const given = physicalOf(source, columns)
  const data = [...(source.dataBeforeRestore ?? []), ...(source.dataAfterRestore ?? [])]
  return data.map(({ kind, row }) => ({
    kind,
    row: Object.fromEntries(
      given.map(({ name, type }, index) => [name, plainOf(taggedValue(row[index], type), type)]),
    ),
  }))
}

/** Those that the case gives values for. */
function physicalOf({ schema }: Step, columns: readonly Column[]): readonly Column[] {
  // A line may hold several columns.
  const lines = schema.flatMap((line) => line.split(/,(?![^<(]*[>)])/))
  const computed = new Set(
    lines.flatMap((line) => /^`?(\w+)`?\s+AS\b/i.exec(line.trim())?.[1] ?? []),
  )
  return columns.filter(({ name }) => !computed.has(name))
}

function plainOf(value: CellValue, type: DataType): Plain {
  if (value === null) return null
  switch (type.kind) {
    case 'decimal':
      return flinkText(value as Plain, type)
    case 'array':
    case 'map':
      return encodeNested(type, value)
    case 'row':
      return (value as readonly CellValue[]).map((each, index) =>
        plainOf(each, type.fields[index]!.type),
      )
    default:
      return value as Plain
  }
}
