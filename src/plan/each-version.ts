/**
 * The versioned side of a temporal join needs every version there was, with its time. An operator that tells what a batch leaves would
 * lose those that another of the same batch replaces; and the last row by time loses those that come behind a later one.
 */
import { withInputs } from './inputs.ts'
import type { PlanNode } from './nodes.ts'
import { traitsOf } from './traits.ts'

/** `node`, of which rows are versions by their event time and key. Its columns stay where they are. */
export function eachVersion(node: PlanNode): PlanNode {
  switch (node.kind) {
    case 'changelog-normalize':
      return { ...node, eachVersion: true }
    case 'deduplicate':
      // The join itself finds the last one by time.
      return node.keep === 'last' && traitsOf(node.input).changes === 'append' ? node.input : node
    case 'project':
    case 'filter':
    case 'watermark-assigner':
      return withInputs(node, [eachVersion(node.input)])
    default:
      return node
  }
}
