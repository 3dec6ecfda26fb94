/** What operators are given of the run: its settings, clock and chance, where their late and dead rows go, and what is counted. */
import type { LinearMemory } from '../data/memory.ts'
import type { OperatorContext } from '../engine/evaluation.ts'
import { areRowsRead, type GraphNode, isSink, isUpdating, sinksBelow } from '../engine/graph.ts'
import type { SideOutput } from '../engine/side-output.ts'
import { UNREAD_US } from '../engine/source-stage.ts'
import { invariant } from '../errors.ts'
import type { Scan } from '../plan/nodes.ts'
import type { Clock } from '../ports/clock.ts'
import type { SourcesRequest } from './open-sources.ts'
import { givesChanges } from './open-tables.ts'
import type { Settings } from './settings.ts'
import type { SideRows } from './side-rows.ts'

export interface ContextRequest extends Pick<SourcesRequest, 'graph' | 'opening'> {
  readonly settings: Settings
  readonly clock: Clock
}

export interface Counters {
  rowsUsed: number
  readonly events: Map<string, number>
}

/** What each node's operator works with. */
export function contextMaker(
  { graph, settings, clock, opening }: ContextRequest,
  memory: LinearMemory,
  side: SideRows,
  counters: Counters,
  watermarkUs: (node: number) => bigint,
): (node: GraphNode) => OperatorContext {
  const changing = (scan: Scan): boolean => givesChanges(scan, opening.connectors)
  const sideOf = (node: GraphNode, sinks: readonly string[]): SideOutput => {
    const areMade = !areRowsRead(graph, node)
    const output = side.output(sinks, areMade)
    if (areMade || node.kind === 'source') return output
    return {
      ...output,
      dead(row) {
        // It was passed on as one that is used.
        counters.rowsUsed--
        output.dead(row)
      },
    }
  }
  return (node) => {
    const sinkNames = sinksBelow(graph, node.index).map((index) => {
      const sink = graph.nodes[index]!
      invariant(isSink(sink), 'sinksBelow names sinks')
      return sink.plan.table.name
    })
    return {
      node: node.id,
      inputUpdates: node.inputs.some((input) => isUpdating(graph, input, changing)),
      memory,
      settings: { timeZone: settings.timeZone, overflow: settings.overflow },
      side: sideOf(node, sinkNames),
      nowUs: () => BigInt(Math.round(clock.nowMs() * 1000)),
      random: () => opening.ports.random.next(),
      watermarkUs() {
        const us = watermarkUs(node.index)
        return us <= UNREAD_US ? undefined : us
      },
      count: (event, rows) => counters.events.set(event, (counters.events.get(event) ?? 0) + rows),
    }
  }
}
