/** Which operators' state may leave memory: those that only ask for the rows of one key, and of whom it is known when something is due. */

import { isSteady } from '../../plan/conjuncts.ts'
import { firedThrough, gridOf } from '../../time/windows.ts'
import { cutsBelow } from '../dataflow.ts'
import { routesOf } from '../exchange-routes.ts'
import type { Graph, OperatorGraphNode } from '../graph.ts'
import type { KeyedInput } from './part-routes.ts'

export type Spillable =
  | {
      readonly kind: 'spills'
      /** By input. */
      readonly inputs: readonly KeyedInput[]
      readonly fires?: (fromUs: bigint, toUs: bigint) => boolean
    }
  | { readonly kind: 'stays'; readonly because: string }

/** Undefined for what keeps no state of its own, or only what waits for a moment. */
export function spillable(graph: Graph, node: OperatorGraphNode): Spillable | undefined {
  const { plan } = node
  switch (plan.kind) {
    case 'group-aggregate':
      if (plan.ttlUs !== undefined) return stays('its groups go by the clock (STATE_TTL)')
      return answering(graph, node)
    case 'join':
      if (plan.leftTtlUs !== undefined || plan.rightTtlUs !== undefined)
        return stays('its rows go by the clock (STATE_TTL)')
      return answering(graph, node)
    case 'rank':
    case 'changelog-normalize':
      return answering(graph, node)
    case 'deduplicate':
      if (plan.keep === 'first' && plan.timeDomain !== 'processing')
        return stays('the watermark decides which row is first')
      return answering(graph, node)
    case 'over-aggregate':
      if (plan.time !== undefined) return stays('the watermark orders its rows')
      return answering(graph, node)
    case 'window-aggregate': {
      const { window } = plan
      if (window.kind === 'session' || window.kind === 'attached')
        return stays('its windows lie on no grid')
      if (plan.timeDomain === 'processing') return stays('its windows go by the clock')
      if (plan.emit !== undefined) return stays('its windows are told before or after their end')
      const grid = gridOf(window)
      return byKey(
        graph,
        node,
        (fromUs, toUs) => firedThrough(grid, toUs) > firedThrough(grid, fromUs),
      )
    }
    case 'window-rank':
    case 'window-join':
    case 'interval-join':
    case 'temporal-join':
    case 'match-recognize':
    case 'temporal-sort':
      return stays('its rows go by the watermark')
    case 'process':
      return plan.table === 'set' ? stays('its function has timers') : undefined
    case 'sort':
      return stays('it gives its rows at the end')
    default:
      return undefined
  }
}

/** Of operators that give their rows whenever others come: what reads them must not go by time. */
function answering(graph: Graph, node: OperatorGraphNode): Spillable {
  if (timeMattersBelow(graph, node.index)) return stays('what reads it goes by the watermark')
  return byKey(graph, node)
}

function byKey(
  graph: Graph,
  node: OperatorGraphNode,
  fires?: (fromUs: bigint, toUs: bigint) => boolean,
): Spillable {
  const inputs = routesOf(graph).filter(({ to }) => to === node.index)
  if (inputs.length !== node.inputs.length || inputs.some(({ keys }) => keys.length === 0))
    return stays('all its rows are of one key')
  if (!inputs.every(({ keys }) => keys.every(isSteady)))
    return stays('its key is not the same whenever it is asked for')
  return {
    kind: 'spills',
    inputs: inputs.map(({ keys, schema }) => ({ keys, schema })),
    ...(fires === undefined ? {} : { fires }),
  }
}

function stays(because: string): Spillable {
  return { kind: 'stays', because }
}

/** Nodes that ask for their rows by time, beside those that rows are cut for. */
const TIMED: ReadonlySet<string> = new Set([
  'deduplicate',
  'over-aggregate',
  'process',
  'temporal-join',
  'window-aggregate',
  'window-join',
  'window-rank',
])

function timeMattersBelow(graph: Graph, node: number): boolean {
  const { grids, aheadUs } = cutsBelow(graph, node)
  if (grids.length > 0 || aheadUs !== undefined) return true
  const asks = (index: number): boolean =>
    graph.nodes[index]!.consumers.some(({ node: reader }) => {
      const at = graph.nodes[reader]!
      return (at.kind === 'operator' && TIMED.has(at.plan.kind)) || asks(reader)
    })
  return asks(node)
}
