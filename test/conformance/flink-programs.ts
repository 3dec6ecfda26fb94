/**
 * Streaming programs as Flink has them: `npm run conformance -- flink-programs FILE`. Each is bound and run by the product, one row a batch, one
 * split a source, cut by a checkpoint and a new engine where the case has data for after a restore. What it gives is compared as
 * changes, as Flink prints them. Lists what fails or is skipped, then the plain line `N passed, N failed, N skipped`.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { DataType } from '../../src/data/types.ts'
import { MillraceError } from '../../src/errors.ts'
import { type PlanNode, schemaOf } from '../../src/plan/nodes.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import type { Plain } from '../builders/batch.ts'
import { type Changed, type FedRow, runWay } from '../builders/engine-run.ts'
import { flinkText } from './flink-text.ts'
import { taggedValue } from './flink-values.ts'

type Kind = FedRow['kind']

interface Datum {
  readonly kind: Kind
  readonly row: readonly unknown[]
}

interface Step {
  readonly step: string
  readonly name: string
  readonly schema: readonly string[]
  readonly options: Readonly<Record<string, string>>
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

interface Program {
  readonly id: string
  readonly setup: readonly Step[]
  readonly run: readonly { readonly step: string; readonly sql: string }[]
}

type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed' | 'skipped'; readonly reason: string }

/** Runs the programs of a gzipped file of JSON lines; returns how many passed, failed and were skipped. */
export async function runFlinkPrograms(file: string, print: (line: string) => void) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n')
  for (const line of lines) {
    const program: Program = JSON.parse(line)
    const outcome = await runProgram(program).catch(failure)
    counts[outcome.kind]++
    if (outcome.kind !== 'passed') print(`${outcome.kind} ${program.id}: ${outcome.reason}`)
  }
  print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts
}

/** What Millrace says it has not is skipped; any other error is a failure. */
function failure(error: unknown): Outcome {
  const reason = error instanceof Error ? error.message : String(error)
  const isMissing = error instanceof MillraceError && MISSING.includes(error.code)
  return { kind: isMissing ? 'skipped' : 'failed', reason }
}

const MISSING: readonly string[] = [
  'SQL_UNSUPPORTED',
  'SQL_FUNCTION_UNKNOWN',
  'AGGREGATE_UNSUPPORTED',
  'TYPE_UNKNOWN',
]

/** Settings that change results, which the engine that runs the cases here is not given. */
const HONOURED =
  /^table\.(local-time-zone|exec\.(sink\.\S*-enforcer|source\.cdc-events-duplicate|mini-batch\.\S+))$/

async function runProgram({ setup, run }: Program): Promise<Outcome> {
  const setting = setup.find(({ option }) => option !== undefined && HONOURED.test(option))
  if (setting !== undefined) return { kind: 'skipped', reason: `the setting ${setting.option}` }
  const sinks = setup.filter(({ step }) => step.startsWith('SINK'))
  if (run.length !== 1 || run[0]!.step !== 'SQL' || sinks.length !== 1)
    return { kind: 'skipped', reason: 'several statements or sinks' }
  if (/DESCRIPTOR\(proc/.test(run[0]!.sql))
    return { kind: 'skipped', reason: 'windows of processing time' }
  const reason = setup.map(unfit).find((each) => each !== undefined)
  if (reason !== undefined) return { kind: 'skipped', reason }
  const script = `${setup.map(statementOf).join('')}${run[0]!.sql}`
  const { pipeline, tables, errors } = bindText(script, 'program', [])
  if (errors[0] !== undefined) throw errors[0]
  const { input, table } = pipeline!.sinks[0]!
  const sources = setup.filter(({ step }) => step.startsWith('SOURCE'))
  const fed = new Map(
    sources.map((source) => {
      const columns = tables.find(({ name }) => name === source.name)!.schema
      return [source.name, [rowsOf(source, physicalOf(source, columns))]] as const
    }),
  )
  const changes = await runCut(input, fed, sources)
  return compared(changes, input, table.primaryKey !== undefined, sinks[0]!)
}

function unfit({ step, schema, options }: Step): string | undefined {
  if (!step.startsWith('SOURCE')) return undefined
  const mode = options['changelog-mode'] ?? 'I'
  if (mode.includes('UA') && !mode.includes('UB')) return 'an upsert source'
  if (schema.some((line) => /\bMETADATA\b/i.test(line))) return 'metadata of a test source'
  if (schema.some((line) => /\b(ARRAY|MAP|MULTISET|VARIANT)\s*</i.test(line)))
    return 'collections in a test source'
  return undefined
}

function statementOf({ step, name, schema, options, sql }: Step): string {
  if (step === 'SQL') return `${sql};\n`
  if (!step.startsWith('SOURCE') && !step.startsWith('SINK')) return ''
  const changelog = (options['changelog-mode'] ?? 'I') === 'I' ? 'false' : 'true'
  return `CREATE TABLE ${name} (${schema.join(', ')}) WITH ('connector' = 'scripted', 'changelog' = '${changelog}');\n`
}

interface Column {
  readonly name: string
  readonly type: DataType
}

/** Those that the case gives values for. */
function physicalOf({ schema }: Step, columns: readonly Column[]): readonly Column[] {
  const computed = new Set(
    schema.flatMap((line) => /^`?(\w+)`? AS\b/i.exec(line.trim())?.[1] ?? []),
  )
  return columns.filter(({ name }) => !computed.has(name))
}

function rowsOf(source: Step, columns: readonly Column[]): FedRow[] {
  const data = [...(source.dataBeforeRestore ?? []), ...(source.dataAfterRestore ?? [])]
  return data.map(({ kind, row }) => ({
    kind,
    row: Object.fromEntries(
      columns.map(({ name, type }, index) => [name, plainOf(row[index], type)]),
    ),
  }))
}

function plainOf(told: unknown, type: DataType): Plain {
  const value = taggedValue(told, type) as Plain
  return type.kind === 'decimal' && value !== null ? flinkText(value, type) : value
}

/** All rows before the restore, of each source in turn; a checkpoint there; then those after it. */
async function runCut(
  plan: PlanNode,
  fed: ReadonlyMap<string, readonly (readonly FedRow[])[]>,
  sources: readonly Step[],
): Promise<readonly Changed[]> {
  const turns = (data: 'dataBeforeRestore' | 'dataAfterRestore') =>
    sources
      .map((source) => ({ split: `${source.name}/0`, rows: source[data]?.length ?? 0 }))
      .filter(({ rows, split }) => rows > 0 && isRead(plan, split.slice(0, -2)))
  const before = turns('dataBeforeRestore')
  const after = turns('dataAfterRestore')
  const restartAfter = after.length === 0 ? [] : [before.reduce((sum, { rows }) => sum + rows, 0)]
  const ran = await runWay(plan, fed, { rowsMax: 1, schedule: [...before, ...after], restartAfter })
  return ran.changes
}

function isRead(node: PlanNode, table: string): boolean {
  return JSON.stringify(node).includes(`"kind":"scan","table":{"name":"${table}"`)
}

/** A sink with a key takes no -U: the row that follows says it. */
function compared(
  changes: readonly Changed[],
  plan: PlanNode,
  hasKey: boolean,
  sink: Step,
): Outcome {
  const columns = schemaOf(plan)
  const shown = changes
    .filter(({ kind }) => !(hasKey && kind === '-U'))
    .map(({ kind, row }) => {
      const cells = row.map((value, index) => flinkText(value, columns[index]!.type))
      return { kind, cells: `[${cells.join(', ')}]` }
    })
  const isChangelog = sink.testChangelogData !== false
  const wanted = isChangelog
    ? [...(sink.expectedBeforeRestoreStrings ?? []), ...(sink.expectedAfterRestoreStrings ?? [])]
    : (sink.expectedMaterializedStrings ?? [])
  const given = isChangelog
    ? shown.map(({ kind, cells }) => `${kind}${cells}`)
    : folded(shown).map((cells) => `+I${cells}`)
  const [left, right] = [given.toSorted().join('\n'), wanted.toSorted().join('\n')]
  if (left === right) return { kind: 'passed' }
  const missing = wanted.filter((row) => !given.includes(row)).slice(0, 4)
  const surplus = given.filter((row) => !wanted.includes(row)).slice(0, 4)
  return {
    kind: 'failed',
    reason: `${given.length} changes for ${wanted.length}; not given: ${missing.join(' ')}; not wanted: ${surplus.join(' ')}`,
  }
}

function folded(changes: readonly { readonly kind: Kind; readonly cells: string }[]): string[] {
  const rows: string[] = []
  for (const { kind, cells } of changes) {
    if (kind === '+I' || kind === '+U') rows.push(cells)
    else rows.splice(rows.indexOf(cells), 1)
  }
  return rows
}
