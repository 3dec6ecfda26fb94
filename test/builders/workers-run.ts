/**
 * Runs a plan with several workers in one thread, in a seeded order, over rings of a chosen size, with restarts into chosen numbers
 * of workers.
 */
import type { Connector } from '../../src/connectors/contract/connector.ts'
import type { Value } from '../../src/data/values.ts'
import { graphOf } from '../../src/engine/graph.ts'
import { type PlanNode, schemaOf } from '../../src/plan/nodes.ts'
import type { TableDefinition } from '../../src/plan/tables.ts'
import { positionsOf } from '../../src/run/checkpointing.ts'
import { openStore } from '../../src/run/run-store.ts'
import { settingsOf } from '../../src/run/settings.ts'
import { assembleWorkers, type Crew } from '../../src/run/workers.ts'
import { simulatedPorts } from '../../src/testing/ports.ts'
import { type Changed, collected, type Fed, scripted } from './engine-run.ts'

export interface WorkersWay {
  readonly seed: number
  /** Of each life of the run. */
  readonly workers: readonly number[]
  /** Steps of each life but the last. */
  readonly steps: number
  readonly ringBytes: number
  readonly rowsMax: number
  /** Replaces the sink: it must collect into what it is given. */
  readonly sink?: (changes: Changed[]) => Connector
  readonly primaryKey?: readonly string[]
  /** SET, beside those of all runs. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface WorkersRan {
  readonly changes: readonly Changed[]
  readonly late: number
  /** As SIDE_SCHEMAS.late has them, less the node; in no order. */
  readonly lateRows: readonly string[]
  readonly lateValues: readonly (readonly Value[])[]
  readonly counted: number
  /** Rows that the sinks of each worker of the last life were given. */
  readonly shares: readonly number[]
}

const SETTINGS = { 'table.exec.source.idle-timeout': '0', 'time.future-guard': 'off' }

export async function runWorkers(plan: PlanNode, fed: Fed, way: WorkersWay): Promise<WorkersRan> {
  const changes: Changed[] = []
  const ports = simulatedPorts(way.seed)
  const table = resultTable(plan, way.primaryKey)
  const pipeline = {
    name: 'workers',
    nameIsDerived: false,
    settings: SETTINGS,
    sinks: [{ kind: 'sink' as const, input: plan, table }],
  }
  const connectors = [scripted(fed, [], []), (way.sink ?? collected)(changes)]
  const opening = { connectors, ports, dataDirectory: '/data', baseDirectory: '/' }
  let counter = 0
  let late = 0
  const lateValues: Value[][] = []
  let counted = 0
  for (const [life, workers] of way.workers.entries()) {
    const store = await openStore({ pipeline, ...opening }, life === 0)
    const graph = graphOf(pipeline)
    const crew = await assembleWorkers({
      workers,
      ringBytes: way.ringBytes,
      turn: (count) => Math.floor(ports.random.next() * count),
      pipeline: pipeline.name,
      graph,
      opening: { ...opening, environment: {} },
      settings: settingsOf({ ...SETTINGS, ...way.settings }),
      clock: ports.clock,
      until: 'end',
      positions: store.restored?.positions ?? {},
      watermarks: store.watermarks(),
      rowsMax: way.rowsMax,
    })
    store.restore(crew)
    await work(crew, life === way.workers.length - 1 ? undefined : way.steps)
    await crew.task.align?.()
    await store.write(
      {
        checkpoint: { incarnation: store.incarnation, counter: ++counter },
        planFingerprint: store.planFingerprint,
        operators: [],
        positions: positionsOf(crew),
        prepared: {},
        snapshots: store.snapshots(crew),
        ended: false,
      },
      { committables: {}, committed: {} },
    )
    late += crew.side.lateCount
    for (const { rows, kind } of crew.side.take().values())
      if (kind === 'late') lateValues.push(...rows.map(([, ...row]) => row as Value[]))
    for (const { operator } of crew.dataflow.operators)
      counted += operator.progress?.().counted ?? 0
    const sink = graph.nodes.length - 1
    const shares = crew.workers.map((worker) => worker.rowsWritten(sink))
    await crew.dispose()
    const lateRows = lateValues.map((row) => row.join(' '))
    const ran = { changes, late, lateRows, lateValues, counted, shares }
    if (life === way.workers.length - 1) return ran
  }
  throw new Error('a run has at least one life')
}

async function work({ task, sinks }: Crew, steps: number | undefined): Promise<void> {
  task.start()
  for (let step = 0; step !== steps; step++) {
    const result = await task.step()
    for (const { writer } of sinks) if (writer.full) await writer.drain()
    if (result === 'done') return
  }
}

function resultTable(plan: PlanNode, primaryKey: readonly string[] | undefined): TableDefinition {
  return {
    name: 'result',
    columns: schemaOf(plan).map((field) => ({ kind: 'physical', ...field })),
    options: { connector: 'collected' },
    ...(primaryKey === undefined ? {} : { primaryKey }),
  }
}
