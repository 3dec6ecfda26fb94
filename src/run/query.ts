/** Bounded queries, and the changes of an unbounded one: the engine without checkpoints, its results handed to who iterates. */
import type { Connector } from '../connectors/contract/connector.ts'
import { jsonText, type Row, type ValueOptions } from '../data/values.ts'
import { graphOf } from '../engine/graph.ts'
import { inputsOf } from '../plan/inputs.ts'
import type { PlanNode } from '../plan/nodes.ts'
import { traitsOf } from '../plan/traits.ts'
import type { Ports } from '../ports/ports.ts'
import { type Assembly, assemble } from './assembly.ts'
import { collectorOf } from './collect.ts'
import type { Change, ReadPositions } from './handle.ts'
import { createNudge, type Nudge } from './nudge.ts'
import { givesChanges } from './open-tables.ts'
import { settingsOf } from './settings.ts'
import { zonedWindows } from './zoned-windows.ts'

export interface QueryStart {
  readonly query: PlanNode
  /** As SET of a pipeline. */
  readonly settings?: Readonly<Record<string, string>>
  readonly connectors: readonly Connector[]
  readonly ports: Ports
  readonly dataDirectory: string
  readonly baseDirectory: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
  readonly values?: ValueOptions
  /** Called when the sources have nothing more for the first time. */
  readonly onCaughtUp?: () => void
  /** Ends the wait of an idle query when its sources have something new; it looks again now and then in any case. */
  readonly nudge?: Nudge | undefined
  /** Told once, at the end, how many rows could not be used or came too late, if any. */
  readonly onSideRows?: (counts: { readonly dead: number; readonly late: number }) => void
}

/** How long an idle query waits before it looks for new rows. */
const WAIT_MS = 2

/** The rows of a bounded query: every source is read to where it ends now, and all windows fire. */
export async function* runQuery(start: QueryStart): AsyncGenerator<Row> {
  if (!mayTakeBack(start.query, start.connectors)) {
    for await (const { row } of iterate(start, 'end')) yield row
    return
  }
  const folded = new Map<string, Row[]>()
  for await (const { kind, row } of iterate(start, 'end')) fold(folded, kind, row)
  for (const rows of folded.values()) yield* rows
}

/** Whether a row of the result may be taken back later: by the query, or by a source that gives changes. */
function mayTakeBack(node: PlanNode, connectors: readonly Connector[]): boolean {
  if (traitsOf(node).changes === 'update') return true
  if (node.kind !== 'scan') return inputsOf(node).some((input) => mayTakeBack(input, connectors))
  return givesChanges(node, connectors)
}

/** The changes of a query as they come, for ever, or until the signal aborts or the sources end. Iterating slowly reads slowly. */
export function runChanges(start: QueryStart): AsyncGenerator<Change> {
  return iterate(start, undefined)
}

async function* iterate(start: QueryStart, until: 'end' | undefined): AsyncGenerator<Change> {
  const { query, ports, signal } = start
  const settings = settingsOf(start.settings ?? {})
  const collector = collectorOf(zonedWindows(query, settings.timeZone), start.values ?? {})
  const assembly = await assemble({
    pipeline: 'query',
    graph: graphOf({ sinks: [collector.sink] }),
    opening: {
      connectors: [...start.connectors, collector.connector],
      ports,
      dataDirectory: start.dataDirectory,
      baseDirectory: start.baseDirectory,
      environment: start.environment ?? {},
    },
    settings,
    clock: ports.clock,
    until,
    positions: {},
    watermarks: new Map(),
    checkpoints: false,
  })
  let caughtUp = start.onCaughtUp
  const nudge = start.nudge ?? createNudge()
  try {
    assembly.task.start()
    for (;;) {
      const result = await assembly.task.step()
      const changes = collector.take()
      if (changes.length > 0) {
        const positions = positionsOf(assembly)
        for (const change of changes) {
          if (signal?.aborted) return
          yield { ...change, positions }
        }
      }
      assembly.side.take()
      if (result === 'done' || signal?.aborted) break
      if (result !== 'waiting') continue
      caughtUp?.()
      caughtUp = undefined
      if (await nudge.wait(ports.clock, WAIT_MS, signal)) assembly.task.lookNow?.()
    }
    tellSideRows(start, assembly)
  } finally {
    await assembly.dispose()
  }
}

function positionsOf({ sources }: Assembly): ReadPositions {
  return Object.fromEntries(
    sources.map(({ name, splits }) => [
      name,
      Object.fromEntries(splits.map(({ id, position }) => [id, position ?? ''])),
    ]),
  )
}

function tellSideRows({ onSideRows }: QueryStart, { side }: Assembly): void {
  const dead = side.deadCount + side.madeDeadCount
  if (dead + side.lateCount > 0) onSideRows?.({ dead, late: side.lateCount })
}

function fold(folded: Map<string, Row[]>, kind: Change['kind'], row: Row): void {
  const key = jsonText(row)
  const rows = folded.get(key) ?? []
  if (kind === '+I' || kind === '+U') rows.push(row)
  else rows.pop()
  if (rows.length === 0) folded.delete(key)
  else folded.set(key, rows)
}
