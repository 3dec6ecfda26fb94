/** The tables that a worker looks rows up in. */
import type { LinearMemory } from '../data/memory.ts'
import type { Graph } from '../engine/graph.ts'
import { type LookupCalls, lookupCalls } from '../engine/operators/lookup-calls.ts'
import type { Clock } from '../ports/clock.ts'
import type { Closing } from './open-sources.ts'
import { openLookup, type TableOpening } from './open-tables.ts'

export interface LookupsRequest {
  readonly graph: Graph
  readonly opening: TableOpening
  readonly clock: Clock
}

/** By node. @throws what connectors throw */
export async function openLookups(
  { graph, opening, clock }: LookupsRequest,
  memory: LinearMemory,
  closing: Closing,
): Promise<ReadonlyMap<number, LookupCalls>> {
  const lookups = new Map<number, LookupCalls>()
  for (const node of graph.nodes) {
    if (node.kind === 'source' || node.plan.kind !== 'async-call') continue
    const { lookup } = node.plan
    if (lookup === undefined) continue
    const opened = await openLookup(lookup, opening, memory)
    const calls = lookupCalls(opened, () => clock.monotonicMs())
    closing.push(() => calls.close())
    lookups.set(node.index, calls)
  }
  return lookups
}
