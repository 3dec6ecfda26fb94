/**
 * Runs a plan in a chosen way, in memory: rows cut into chosen pieces, splits read in a chosen order, checkpoints taken and restored
 * at chosen places. It tells the changelog, what was late, what was dead, and in which order the rows were really read.
 */
import type { Connector } from '../../src/connectors/contract/connector.ts'
import type { LinearMemory } from '../../src/data/memory.ts'
import type { Schema } from '../../src/data/types.ts'
import type { Value } from '../../src/data/values.ts'
import { graphOf } from '../../src/engine/graph.ts'
import { type PlanNode, type SinkNode, schemaOf } from '../../src/plan/nodes.ts'
import type { TableDefinition } from '../../src/plan/tables.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { type Assembly, assemble } from '../../src/run/assembly.ts'
import { positionsOf } from '../../src/run/checkpointing.ts'
import { settingsOf } from '../../src/run/settings.ts'
import { writeAhead } from '../../src/run/written-ahead.ts'
import { zonedWindows } from '../../src/run/zoned-windows.ts'
import type { StateFile } from '../../src/state/checkpoint.ts'
import { openSnapshot } from '../../src/state/snapshot-reader.ts'
import { simulatedPorts } from '../../src/testing/ports.ts'
import { batchOf, kindsOf, type Plain, type RowKindText, rowsOf } from './batch.ts'

/** A row as a table's split holds it, by the names of the table's columns. */
export interface FedRow {
  readonly kind: RowKindText
  readonly row: Readonly<Record<string, Plain>>
}

/** Splits by table: what each holds, in order. */
export type Fed = ReadonlyMap<string, readonly (readonly FedRow[])[]>

export interface Way {
  /** At most so many rows a batch. */
  readonly rowsMax?: number
  /** Which split gives how many rows next; when it is used up, whichever the engine asks. */
  readonly schedule?: readonly { readonly split: string; readonly rows: number }[]
  /** After so many batches (each counted from the one before) a checkpoint is taken and a new engine goes on from it. */
  readonly restartAfter?: readonly number[]
  /** Instead: one life after another, an hour of clock between them. */
  readonly lives?: readonly Life[]
  /** What the result is written to, where its types matter. */
  readonly sink?: Pick<SinkNode, 'table' | 'checks' | 'materializes'>
  /** SET, beside those of all runs. */
  readonly settings?: Readonly<Record<string, string>>
  /** After each batch all that has changed is written ahead of the next checkpoint. */
  readonly writesAhead?: boolean
}

/** What there is to read in a life, and when it ends: a minute of clock after all has been read, or as soon as it has given enough. */
export interface Life {
  /** By split: how many of its rows there are by now. */
  readonly rows: ReadonlyMap<string, number>
  /** What is read before all else. */
  readonly first?: readonly { readonly split: string; readonly rows: number }[]
  enough(changes: readonly Changed[]): boolean
}

export interface Changed {
  readonly kind: RowKindText
  readonly row: readonly Plain[]
}

/** What came to the engine, in order. `split` is '<table>/<number of the split>'. */
export type ReadEvent =
  | { readonly kind: 'row'; readonly split: string; readonly index: number }
  | { readonly kind: 'ended'; readonly split: string }

export interface Ran {
  readonly changes: readonly Changed[]
  /** As SIDE_SCHEMAS.late has them, less the node. */
  readonly late: readonly (readonly Value[])[]
  readonly dead: number
  readonly read: readonly ReadEvent[]
  /** Of all windowed nodes, over all restarts. */
  readonly counted: number
}

/** As little state memory as can be: nothing stays but what is at work. */
export const SPILLED = { 'state.memory': '1 KB' }

const SETTINGS = { 'table.exec.source.idle-timeout': '0', 'time.future-guard': 'off' }
const GROUPS = { groupStart: 0, groupEnd: 128 }

export async function runWay(plan: PlanNode, fed: Fed, way: Way = {}): Promise<Ran> {
  const told = {
    changes: [] as Changed[],
    late: [] as Value[][],
    dead: 0,
    read: [] as ReadEvent[],
    counted: 0,
  }
  const clock = steppedClock()
  const schedule = (way.schedule ?? []).map((entry) => ({ ...entry }))
  const lives = [...(way.lives ?? [])]
  const reach: Reach = { rows: undefined, ends: true }
  const connectors = [scripted(fed, schedule, told.read, reach), collected(told.changes)]
  const restarts = [...(way.restartAfter ?? [])]
  const files = simulatedPorts(1).files
  files.makeDirectory('/state')
  const chain: StateFile[] = []
  let positions = {}
  let watermarks: ReadonlyMap<string, bigint> = new Map()
  const settings = settingsOf({ ...SETTINGS, ...way.settings })
  for (;;) {
    const assembly = await assemble({
      pipeline: 'way',
      graph: graphOf({
        sinks: [sinkOf(zonedWindows(plan, settings.timeZone), way)],
      }),
      opening: {
        connectors,
        ports: { ...simulatedPorts(1), clock, files },
        dataDirectory: '/data',
        baseDirectory: '/',
        environment: {},
      },
      settings,
      clock,
      until: 'end',
      positions,
      watermarks,
      ...(way.rowsMax === undefined ? {} : { rowsMax: way.rowsMax }),
    })
    if (chain.length > 0) {
      const reader = openSnapshot(files, '/state', [{ ...GROUPS, files: chain }], GROUPS)
      for (const { node, operator } of assembly.dataflow.operators) {
        operator.restore(reader.operator(node.id))
      }
    }
    const life = lives.shift()
    for (const entry of life?.first ?? []) schedule.push({ ...entry })
    const ended =
      life === undefined
        ? await work(assembly, clock, restarts.shift(), way.writesAhead === true)
        : await live(assembly, clock, life, lives.length === 0, reach, told.changes)
    told.dead += assembly.side.deadCount
    for (const { rows, kind } of assembly.side.take().values()) {
      if (kind === 'late') told.late.push(...rows.map((row) => row.slice(1) as Value[]))
    }
    for (const { operator } of assembly.dataflow.operators) {
      told.counted += operator.progress?.().counted ?? 0
    }
    if (!ended) {
      positions = positionsOf(assembly)
      watermarks = assembly.dataflow.watermarks()
      chain.push(writeState(files, assembly, chain.length))
    }
    await assembly.dispose()
    if (ended) return told
  }
}

async function work(
  { task, dataflow, stateWriter }: Assembly,
  clock: ReturnType<typeof steppedClock>,
  stopAfter: number | undefined,
  writesAhead: boolean,
): Promise<boolean> {
  task.start()
  for (let steps = 0; steps !== stopAfter; steps++) {
    const result = await task.step()
    if (result === 'done') return true
    if (result === 'waiting') clock.step()
    if (writesAhead) writeAhead(dataflow, stateWriter, 1)
  }
  return false
}

const HOUR_MS = 3_600_000
const HOLD_MS = 60_000
const TICK_MS = 100

/** Runs one life; true if it was the last, or all splits ended. */
async function live(
  assembly: Assembly,
  clock: ReturnType<typeof steppedClock>,
  { rows, enough }: Life,
  isLast: boolean,
  reach: Reach,
  changes: readonly Changed[],
): Promise<boolean> {
  const before = changes.length
  Object.assign(reach, { rows, ends: false })
  clock.step(HOUR_MS - (clock.nowMs() % HOUR_MS))
  assembly.task.start()
  let idleSinceMs: number | undefined
  for (;;) {
    const result = await assembly.task.step()
    if (result === 'done') return true
    if (result === 'worked') continue
    idleSinceMs ??= clock.nowMs()
    if (enough(changes.slice(before))) return isLast
    if (clock.nowMs() - idleSinceMs > HOLD_MS) {
      if (!isLast) return false
      reach.ends = true
    }
    clock.step(TICK_MS)
  }
}

function writeState(
  files: ReturnType<typeof simulatedPorts>['files'],
  { dataflow, stateWriter: writer }: Assembly,
  number: number,
): StateFile {
  for (const { node, operator } of dataflow.operators) operator.snapshot(writer.operator(node.id))
  const bytes = Buffer.concat(writer.finish(0, 128).pieces)
  const name = `${number}.state`
  const file = files.open(`/state/${name}`, 'create')
  file.write(bytes, 0)
  file.close()
  return { name, bytes: bytes.length }
}

/** Time that passes only when the engine has nothing to do. */
function steppedClock(): Clock & { step(ms?: number): void } {
  let now = 1_700_000_000_000
  return {
    nowMs: () => now,
    monotonicMs: () => now,
    sleep: async () => {},
    step(ms = 10) {
      now += ms
    },
  }
}

function sinkOf(plan: PlanNode, { sink }: Way): SinkNode {
  const result = resultTable(schemaOf(plan))
  if (sink === undefined) return { kind: 'sink', input: plan, table: result }
  const { columns, primaryKey } = sink.table
  const key = primaryKey === undefined || !sink.materializes ? {} : { primaryKey }
  return { kind: 'sink', ...sink, input: plan, table: { ...result, columns, ...key } }
}

function resultTable(schema: Schema): TableDefinition {
  return {
    name: 'result',
    columns: schema.map((field) => ({ kind: 'physical', ...field })),
    options: { connector: 'collected' },
  }
}

/** How far splits can be read for now. */
interface Reach {
  rows: ReadonlyMap<string, number> | undefined
  ends: boolean
}

/**
 * Gives the rows of `fed`, as `schedule` says, and notes what it gave. Tables with 'changelog' = 'true' take rows back, with 'upsert'
 * by their key alone.
 */
export function scripted(
  fed: Fed,
  schedule: { split: string; rows: number }[],
  read: ReadEvent[],
  reach: Reach = { rows: undefined, ends: true },
): Connector {
  return {
    name: 'scripted',
    summary: 'Rows of a test',
    options: [
      { name: 'changelog', kind: 'string', required: false, fallback: 'false', summary: '' },
      { name: 'endless', kind: 'boolean', required: false, fallback: 'false', summary: '' },
    ],
    metadata: {},
    source: {
      replay: 'exact',
      mode: ({ changelog }) =>
        changelog === 'upsert' ? 'upsert' : changelog === 'true' ? 'retract' : 'append',
      bounded: () => true,
      open: async ({ table, schema, options }) => ({
        replay: 'exact',
        bounded: options.endless !== 'true',
        splits: async () => (fed.get(table) ?? []).map((_, index) => `${index}`),
        endPosition: async (split) => `${fed.get(table)![Number(split)]!.length}`,
        open: async (split, start, memory) =>
          reader(
            `${table}/${split}`,
            fed.get(table)![Number(split)]!,
            schema,
            start === undefined ? 0 : Number(start),
            memory,
            schedule,
            read,
            reach,
          ),
        close: async () => {},
      }),
    },
  }
}

function reader(
  id: string,
  rows: readonly FedRow[],
  schema: Schema,
  start: number,
  memory: LinearMemory,
  schedule: { split: string; rows: number }[],
  read: ReadEvent[],
  reach: Reach,
) {
  let next = start
  return {
    poll({ rowsMax }: { readonly rowsMax: number }) {
      const end = Math.min(reach.rows?.get(id) ?? rows.length, rows.length)
      if (next >= end && !reach.ends) return undefined
      if (next >= end) {
        read.push({ kind: 'ended', split: id })
        for (let at = schedule.length - 1; at >= 0; at--) {
          if (schedule[at]!.split === id) schedule.splice(at, 1)
        }
        return 'ended' as const
      }
      const turn = schedule[0]
      if (turn !== undefined && turn.split !== id) return undefined
      const most = Math.min(rowsMax, turn?.rows ?? rowsMax, end - next)
      const some = rows.slice(next, next + most)
      if (turn !== undefined) {
        turn.rows -= some.length
        if (turn.rows <= 0) schedule.shift()
      }
      for (const index of some.keys()) read.push({ kind: 'row', split: id, index: next + index })
      next += some.length
      const hasKinds = some.some(({ kind }) => kind !== '+I')
      const batch = batchOf(
        memory,
        schema,
        some.map(({ row }) => schema.map(({ name }) => row[name] ?? null)),
        hasKinds ? { kinds: some.map(({ kind }) => kind) } : {},
      )
      return { batch, appendTimeUs: 0, next: `${next}`, dead: [] }
    },
    committed: async () => {},
    close: async () => {},
  }
}

/** Keeps every change that the query gives. */
export function collected(changes: Changed[]): Connector {
  return {
    name: 'collected',
    summary: 'Changes of a test',
    options: [],
    metadata: {},
    sink: {
      guarantee: 'at-least-once',
      modes: () => ['retract', 'append'],
      open: async () => ({
        guarantee: 'at-least-once',
        prepareTable: async () => {},
        openWriter: async (_worker, memory) => ({
          write(batch) {
            const kinds = kindsOf(memory, batch)
            rowsOf(memory, batch).forEach((row, at) => {
              changes.push({ kind: kinds[at]!, row })
            })
          },
          full: false,
          drain: async () => {},
          prepare: async () => undefined,
          close: async () => {},
        }),
        openCommitter: async () => ({
          commit: async () => ({ kind: 'committed', already: false }),
          lastCommitted: async () => undefined,
          close: async () => {},
        }),
      }),
    },
  }
}

/** The table that the changes leave, as sorted texts; a row taken away that is not there shows itself. */
export function tableOf(changes: readonly Changed[]): string[] {
  const counts = new Map<string, number>()
  for (const { kind, row } of changes) {
    const text = rowText(row)
    const adds = kind === '+I' || kind === '+U'
    const count = (counts.get(text) ?? 0) + (adds ? 1 : -1)
    if (count === 0) counts.delete(text)
    else counts.set(text, count)
  }
  return [...counts]
    .flatMap(([text, count]) =>
      count < 0 ? [`${count} x ${text}`] : Array.from({ length: count }, () => text),
    )
    .sort()
}

export function rowText(row: readonly unknown[]): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'number') return Object.is(value, -0) ? '0' : `${value}`
    return value
  })
}
