/** What nodes of a plan stand on. */
import { unreachable } from '../errors.ts'
import type { PlanNode, SinkNode } from './nodes.ts'

/** The inputs of `node`, left to right. A new kind does not compile until it is listed here. */
export function inputsOf(node: PlanNode | SinkNode): readonly PlanNode[] {
  switch (node.kind) {
    case 'scan':
    case 'values':
      return []
    case 'watermark-assigner':
    case 'filter':
    case 'project':
    case 'window-table':
    case 'window-aggregate':
    case 'window-rank':
    case 'group-aggregate':
    case 'over-aggregate':
    case 'rank':
    case 'deduplicate':
    case 'correlate':
    case 'process':
    case 'async-call':
    case 'expand':
    case 'match-recognize':
    case 'changelog-normalize':
    case 'temporal-sort':
    case 'sort':
    case 'sink':
      return [node.input]
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'window-join':
      return [node.left, node.right]
    case 'union-all':
      return node.inputs
    default:
      return unreachable(node)
  }
}

/** `node` over other inputs, as many as it has. Columns stay where they are. */
export function withInputs<Node extends PlanNode>(node: Node, inputs: readonly PlanNode[]): Node {
  if (inputsOf(node).length === 0) return node
  if ('left' in node) return { ...node, left: inputs[0]!, right: inputs[1]! }
  if ('inputs' in node) return { ...node, inputs }
  return { ...node, input: inputs[0]! }
}
