/**
 * Runs a scenario in a chosen way: cut into batches of a size, one life after another with a checkpoint between, each with a number of
 * workers that take turns. Whatever the way, the table must be the same.
 */
import { timestampText } from '../../data/civil.ts'
import { types } from '../../data/types.ts'
import { graphOf } from '../../engine/graph.ts'
import type { Pipeline } from '../../plan/pipeline.ts'
import { positionsOf } from '../../run/checkpointing.ts'
import { openStore } from '../../run/run-store.ts'
import { settingsOf } from '../../run/settings.ts'
import { assembleWorkers, type Crew } from '../../run/workers.ts'
import { zonedWindows } from '../../run/zoned-windows.ts'
import type { KeptTable } from '../kept.ts'
import { type SimulatedPorts, simulatedPorts } from '../ports.ts'
import { rewired } from '../rewired.ts'
import { foldChanges, rowText, valueText } from '../row-text.ts'
import type { Answers } from './golden-file.ts'
import type { Scenario } from './scenario.ts'

export interface Way {
  readonly name: string
  /** At most so many rows a batch. */
  readonly rowsMax?: number
  /** SET, beside those of the scenario. */
  readonly settings?: Readonly<Record<string, string>>
  readonly lives: readonly WayLife[]
}

export interface WayLife {
  readonly workers: number
  /** Batches until a checkpoint is taken and the next life goes on from it; absent: to the end. */
  readonly steps?: number
}

/** The way whose changes a file tells. */
export const ROWS: Way = { name: 'rows', rowsMax: 1, lives: [{ workers: 1 }] }

const RESTARTS = 40
/** As little state memory as can be: nothing stays but what is at work. */
const SPILLED = { 'state.memory': '1 KB' }
const WAYS: readonly Way[] = [
  ROWS,
  { name: 'whole', lives: [{ workers: 1 }] },
  { name: 'in threes', rowsMax: 3, lives: [{ workers: 1 }] },
  { name: 'spilled', settings: SPILLED, rowsMax: 3, lives: [{ workers: 1 }] },
]
const RESTARTED: readonly Way[] = [
  {
    name: 'restarted after each row',
    rowsMax: 1,
    lives: [...Array.from({ length: RESTARTS }, () => ({ workers: 1, steps: 1 })), { workers: 1 }],
  },
  {
    name: 'restarted twice',
    rowsMax: 2,
    lives: [{ workers: 1, steps: 2 }, { workers: 1, steps: 1 }, { workers: 1 }],
  },
  {
    name: 'spilled, restarted, rescaled, 1 to 2 to 3 workers',
    settings: SPILLED,
    rowsMax: 2,
    lives: [{ workers: 1, steps: 2 }, { workers: 2, steps: 2 }, { workers: 3 }],
  },
  ...[[2], [4], [2, 4, 1], [1, 3]].map(
    (workers): Way => ({
      name: `${workers.length === 1 ? '' : 'rescaled, '}${workers.join(' to ')} workers`,
      rowsMax: 2,
      lives: workers.map((count, life) =>
        life === workers.length - 1 ? { workers: count } : { workers: count, steps: 2 },
      ),
    }),
  ),
]

/** ORDER BY is of bounded queries, which take no checkpoints and have one worker. */
export function waysOf({ pipeline }: Pick<Scenario, 'pipeline'>): readonly Way[] {
  return isSorted(pipeline) ? WAYS : [...WAYS, ...RESTARTED]
}

function isSorted({ sinks }: Pipeline): boolean {
  return sinks.some(({ input }) => /"kind":"sort"/.test(JSON.stringify(input)))
}

/** Nodes for which rows may come too late. */
const TIMED =
  /"kind":"(window-aggregate|window-rank|over-aggregate|deduplicate|interval-join|temporal-join|window-join)"/

export function isTimed({ pipeline }: Pick<Scenario, 'pipeline'>): boolean {
  return TIMED.test(JSON.stringify(pipeline))
}

const DATA = '/data'
const RING_BYTES = 1 << 12
/** No split is idle, and no event is from the future: what a file says must not hang on a clock. */
const SETTINGS = { 'table.exec.source.idle-timeout': '0', 'time.future-guard': 'off' }

/** @throws what the pipeline throws */
export async function replay(scenario: Scenario, way: Way, baseDirectory = '/'): Promise<Answers> {
  const ports = simulatedPorts(1)
  const given = new Map(
    [...scenario.fed].map(([table, splits]) => [
      table,
      splits.map((entries) => ({ entries: [...entries], ended: true })),
    ]),
  )
  const parts = rewired(zoned(scenario.pipeline, way), given)
  const side: SideTexts = { late: [], dead: [] }
  const opening = { connectors: parts.connectors, ports, dataDirectory: DATA, baseDirectory }
  const { pipeline } = parts
  for (const [life, { workers, steps }] of way.lives.entries()) {
    const store = await openStore({ pipeline, ...opening }, life === 0)
    const crew = await assembleWorkers({
      workers,
      ringBytes: RING_BYTES,
      turn: (count) => ports.random.below(count),
      pipeline: pipeline.name,
      graph: graphOf(pipeline),
      opening: { ...opening, environment: {} },
      settings: settingsOf(pipeline.settings),
      clock: ports.clock,
      until: 'end',
      positions: store.restored?.positions ?? {},
      watermarks: store.watermarks(),
      ...(way.rowsMax === undefined ? {} : { rowsMax: way.rowsMax }),
    })
    store.restore(crew)
    const isDone = await work(crew, ports, steps)
    if (!isDone) await checkpoint(crew, store, life)
    takeSide(crew, side)
    await crew.dispose()
    if (isDone) break
  }
  const kept = parts.sinks.tables.get(pipeline.sinks[0]!.table.name)!
  return { ...answersOf(kept), late: side.late.sort(), dead: side.dead.sort() }
}

function zoned(pipeline: Pipeline, way: Way): Pipeline {
  const settings = { ...pipeline.settings, ...SETTINGS, ...way.settings }
  const { timeZone } = settingsOf(settings)
  const sinks = pipeline.sinks.map((sink) => ({
    ...sink,
    input: zonedWindows(sink.input, timeZone),
  }))
  return { ...pipeline, settings, sinks }
}

/** True if all has been read and every window has fired. */
async function work(
  { task, sinks }: Crew,
  { clock }: SimulatedPorts,
  steps: number | undefined,
): Promise<boolean> {
  task.start()
  for (let step = 0; step !== steps; step++) {
    const result = await task.step()
    for (const { writer } of sinks) if (writer.full) await writer.drain()
    if (result === 'done') return true
    if (result === 'waiting') clock.leap(10)
  }
  return false
}

async function checkpoint(
  crew: Crew,
  store: Awaited<ReturnType<typeof openStore>>,
  life: number,
): Promise<void> {
  await crew.task.align?.()
  await store.write(
    {
      checkpoint: { incarnation: store.incarnation, counter: life + 1 },
      planFingerprint: store.planFingerprint,
      operators: [],
      positions: positionsOf(crew),
      prepared: {},
      snapshots: store.snapshots(crew),
      ended: false,
    },
    { committables: {}, committed: {} },
  )
}

interface SideTexts {
  readonly late: string[]
  readonly dead: string[]
}

function takeSide({ side }: Crew, { late, dead }: SideTexts): void {
  for (const { rows, kind } of side.take().values()) {
    for (const row of rows) {
      if (kind === 'late') late.push([row[1], row[3], row[4]].map(timeText).join(' '))
      else dead.push(valueText(types.string, String(row[3])))
    }
  }
}

/** µs */
function timeText(us: unknown): string {
  return valueText(types.timestamp(6), typeof us === 'bigint' ? timestampText(us, 6) : null)
}

function answersOf(kept: KeptTable): Pick<Answers, 'changes' | 'table'> {
  const changes = kept.changes()
  return {
    changes: changes.map(({ kind, row }) => `${kind} ${rowText(kept.schema, row)}`),
    table: foldChanges(kept, changes)
      .map((row) => rowText(kept.schema, row))
      .sort(),
  }
}
