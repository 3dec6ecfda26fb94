/**
 * Streaming programs as Flink has them: `npm run conformance -- flink-programs FILE`. Each is bound and run by the product, one row a batch
 * (or as many as mini-batches have), one split a source, cut by a checkpoint and a new engine where the case has data for after a restore.
 * What it gives is compared as changes, as Flink prints them. Lists what fails or is skipped, and why it may, then the plain line
 * `N passed, N failed, N skipped`.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Connector } from '../../src/connectors/contract/connector.ts'
import { type DataType, types } from '../../src/data/types.ts'
import { MillraceError } from '../../src/errors.ts'
import { inputsOf } from '../../src/plan/inputs.ts'
import { type PlanNode, schemaOf } from '../../src/plan/nodes.ts'
import type { Pipeline } from '../../src/plan/pipeline.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { type Changed, type FedRow, type Life, runWay, scripted } from '../builders/engine-run.ts'
import { DIFFERENT } from './flink-differences.ts'
import { type Datum, fedRows, type Step, scriptOf } from './flink-steps.ts'
import { flinkText } from './flink-text.ts'

interface Run {
  readonly step: string
  readonly sql: string
  readonly exception?: string
  readonly message?: string
}

interface Program {
  readonly id: string
  readonly setup: readonly Step[]
  readonly run: readonly Run[]
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
    const outcome = await runProgram(program)
    counts[outcome.kind]++
    if (outcome.kind !== 'passed') {
      const why = DIFFERENT[program.id]
      print(`${outcome.kind} ${program.id}: ${outcome.reason}${why ? `. Why: ${why}` : ''}`)
    }
  }
  print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts
}

/** The first of its statements that does not do what it should. */
async function runProgram({ setup, run }: Program): Promise<Outcome> {
  const steps = withoutBefore(setup)
  for (const statement of run) {
    const outcome =
      statement.step === 'FAILING_SQL'
        ? await runRefused(steps, statement)
        : await runStatement(steps, statement).catch(failure)
    if (outcome.kind !== 'passed') return outcome
  }
  return { kind: 'passed' }
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

/** The reason must be the one that is told, though in other words: what Flink names in quotes or by type is named here too. */
async function runRefused(
  setup: readonly Step[],
  { sql, exception, message }: Run,
): Promise<Outcome> {
  try {
    await runStatement(setup, { step: 'SQL', sql })
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    if (MISSING.includes(error.code)) return failure(error)
    const named = /'([^']+)' is ([A-Z]+(?: NULL|\(\d+\))?)/.exec(message ?? '')
    const told = `${error.message} ${error.hint}`
    const isOfRun = /Runtime/.test(exception ?? '')
    if (isOfRun === error.code.startsWith('SQL_'))
      return { kind: 'failed', reason: `is refused ${isOfRun ? 'before' : 'while'} it runs` }
    const isSame = named === null || [named[1]!, named[2]!].every((word) => told.includes(word))
    if (isSame) return { kind: 'passed' }
    return { kind: 'failed', reason: `is refused as "${error.message}", not "${message}"` }
  }
  return { kind: 'failed', reason: `is not refused: ${message}` }
}

async function runStatement(setup: readonly Step[], { sql }: Run): Promise<Outcome> {
  const sinks = setup.filter(({ step }) => step.startsWith('SINK'))
  const sources = setup.filter(({ step }) => step.startsWith('SOURCE'))
  const { pipeline, tables, errors } = bindText(scriptOf(setup, sql), 'program', [
    { ...scripted(new Map(), [], []), metadata: metadataOf(setup) },
  ])
  if (errors[0] !== undefined) throw errors[0]
  const fed = new Map<string, FedRow[][]>(
    sources.map((source) => {
      const columns = tables.find(({ name }) => name === source.name)!.schema
      return [source.name, [fedRows(source, columns)]]
    }),
  )
  for (const sink of sinks) {
    const outcome = await runSink(pipeline!, sink, fed, setup)
    if (outcome.kind !== 'passed') return outcome
  }
  return { kind: 'passed' }
}

/** Flink asks a source that is normalised for no -U; a mini-batch then has as many rows of others. */
function withoutBefore(setup: readonly Step[]): readonly Step[] {
  const isSet = (name: string): boolean =>
    setup.some(({ option, value }) => option === name && value === 'true')
  if (!isSet('table.exec.source.cdc-events-duplicate') || !isSet('table.exec.mini-batch.enabled'))
    return setup
  const others = (data: readonly Datum[] = []) => data.filter(({ kind }) => kind !== '-U')
  return setup.map((step) => ({
    ...step,
    dataBeforeRestore: others(step.dataBeforeRestore),
    dataAfterRestore: others(step.dataAfterRestore),
  }))
}

/** What a line declares is what the source has: it delivers values as they are declared. */
function metadataOf(setup: readonly Step[]): Connector['metadata'] {
  const lines = setup.flatMap(({ schema = [] }) => schema)
  const declared = lines.flatMap((line) => {
    const match = /^`?(\w+)`?\s+(.*?)\s*\bMETADATA(?:\s+FROM\s+'([^']+)')?/i.exec(line.trim())
    return match === null ? [] : [[match[3] ?? match[1]!, match[2]!] as const]
  })
  return Object.fromEntries(
    declared.map(([key, text]) => [key, { type: metadataType(text), writable: true }]),
  )
}

function metadataType(text: string): DataType {
  const { tables } = bindText(`CREATE TABLE t (c ${text});`, 'program', [])
  return tables[0]?.schema[0]?.type ?? types.string
}

async function runSink(
  pipeline: Pipeline,
  sink: Step,
  fed: ReadonlyMap<string, readonly (readonly FedRow[])[]>,
  setup: readonly Step[],
): Promise<Outcome> {
  const written = pipeline.sinks.find(({ table }) => table.name === sink.name)
  if (written === undefined) return { kind: 'failed', reason: `${sink.name} is not written` }
  const columns = schemaOf(written.input)
  const hasKey = written.table.primaryKey !== undefined
  const show = (changes: readonly Changed[]) => shown(changes, columns, hasKey)
  const lives = livesOf(sink, setup, written.input, show)
  const { settings } = pipeline
  const rowsMax =
    settings['table.exec.mini-batch.enabled'] === 'true'
      ? Number(settings['table.exec.mini-batch.size'] ?? 1)
      : 1
  const zone = settings['table.local-time-zone']
  const ran = await runWay(written.input, fed, {
    rowsMax,
    lives,
    sink: {
      table: written.table,
      ...(written.checks === undefined ? {} : { checks: written.checks }),
      ...(written.materializes === undefined ? {} : { materializes: true }),
    },
    ...(zone === undefined ? {} : { settings: { 'table.local-time-zone': zone } }),
  })
  return compared(show(ran.changes), sink)
}

/** All rows before the restore, those that others look up first; then those after it. */
function livesOf(
  sink: Step,
  setup: readonly Step[],
  plan: PlanNode,
  show: (changes: readonly Changed[]) => readonly Shown[],
): Life[] {
  const sources = setup.filter(({ step }) => step.startsWith('SOURCE'))
  const count = (rows: readonly Datum[] | undefined): number => rows?.length ?? 0
  const upTo = (isAfter: boolean) =>
    new Map(
      sources.map((source) => [
        `${source.name}/0`,
        count(source.dataBeforeRestore) + (isAfter ? count(source.dataAfterRestore) : 0),
      ]),
    )
  const isChangelog = sink.testChangelogData !== false
  const enough =
    (wanted: readonly string[] | undefined) =>
    (changes: readonly Changed[]): boolean =>
      isChangelog && wanted !== undefined && show(changes).length >= wanted.length
  const first = (data: 'dataBeforeRestore' | 'dataAfterRestore') =>
    sources
      .filter((source) => isLookedUp(source) && count(source[data]) > 0)
      .filter(({ name }) => isRead(plan, name))
      .map((source) => ({ split: `${source.name}/0`, rows: count(source[data]) }))
  const before: Life = {
    rows: upTo(false),
    first: first('dataBeforeRestore'),
    enough: enough(sink.expectedBeforeRestoreStrings),
  }
  const after: Life = {
    rows: upTo(true),
    first: first('dataAfterRestore'),
    enough: enough(sink.expectedAfterRestoreStrings),
  }
  const isRestored = sources.some(({ dataAfterRestore }) => count(dataAfterRestore) > 0)
  return isRestored ? [before, after] : [before]
}

function isLookedUp({ options }: Step): boolean {
  return options['disable-lookup'] === 'false'
}

function isRead(node: PlanNode, table: string): boolean {
  if (node.kind === 'scan') return node.table.name === table
  return inputsOf(node).some((input) => isRead(input, table))
}

interface Shown {
  readonly kind: FedRow['kind']
  readonly cells: string
}

/** A sink with a key takes no -U: the row that follows says it. */
function shown(
  changes: readonly Changed[],
  columns: ReturnType<typeof schemaOf>,
  hasKey: boolean,
): readonly Shown[] {
  return changes
    .filter(({ kind }) => !(hasKey && kind === '-U'))
    .map(({ kind, row }) => {
      const cells = row.map((value, index) => flinkText(value, columns[index]!.type))
      return { kind, cells: `[${cells.join(', ')}]` }
    })
}

function compared(changes: readonly Shown[], sink: Step): Outcome {
  const isChangelog = sink.testChangelogData !== false
  const wanted = isChangelog
    ? [...(sink.expectedBeforeRestoreStrings ?? []), ...(sink.expectedAfterRestoreStrings ?? [])]
    : (sink.expectedMaterializedStrings ?? [])
  const given = isChangelog
    ? changes.map(({ kind, cells }) => `${kind}${cells}`)
    : folded(changes).map((cells) => `+I${cells}`)
  const [left, right] = [given.toSorted().join('\n'), wanted.toSorted().join('\n')]
  if (left === right) return { kind: 'passed' }
  const missing = wanted.filter((row) => !given.includes(row)).slice(0, 4)
  const surplus = given.filter((row) => !wanted.includes(row)).slice(0, 4)
  return {
    kind: 'failed',
    reason: `${given.length} changes for ${wanted.length}; not given: ${missing.join(' ')}; not wanted: ${surplus.join(' ')}`,
  }
}

function folded(changes: readonly Shown[]): string[] {
  const rows: string[] = []
  for (const { kind, cells } of changes) {
    if (kind === '+I' || kind === '+U') rows.push(cells)
    else if (rows.includes(cells)) rows.splice(rows.indexOf(cells), 1)
  }
  return rows
}
