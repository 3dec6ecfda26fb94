/** Which columns of a plan's node still are event time: those that a watermark follows. */
import { unreachable } from '../errors.ts'
import type { Expression } from './expressions.ts'
import { type PlanNode, schemaOf } from './nodes.ts'

/** Indexes of columns. A window table function leaves window_time as the only one. */
export function timeAttributesOf(node: PlanNode): ReadonlySet<number> {
  switch (node.kind) {
    case 'scan':
    case 'values':
    case 'group-aggregate':
    case 'rank':
    case 'changelog-normalize':
    case 'join':
    case 'sort':
      return new Set()
    case 'watermark-assigner':
      return new Set([node.rowtime])
    case 'filter':
    case 'over-aggregate':
    case 'deduplicate':
    case 'window-rank':
    case 'correlate':
    case 'temporal-sort':
      return timeAttributesOf(node.input)
    case 'temporal-join':
      return timeAttributesOf(node.left)
    case 'interval-join':
    case 'window-join': {
      const width = schemaOf(node.left).length
      const isOneSided = node.type === 'semi' || node.type === 'anti'
      const right = isOneSided ? [] : [...timeAttributesOf(node.right)]
      return new Set([...timeAttributesOf(node.left), ...right.map((index) => width + index)])
    }
    case 'project':
      return passedOn(node.expressions, timeAttributesOf(node.input))
    case 'expand': {
      const beneath = timeAttributesOf(node.input)
      const sets = node.projections.map((expressions) => passedOn(expressions, beneath))
      return new Set([...sets[0]!].filter((index) => sets.every((set) => set.has(index))))
    }
    case 'window-table':
    case 'window-aggregate':
      return new Set([schemaOf(node).length - 1])
    case 'union-all': {
      const [first, ...rest] = node.inputs.map(timeAttributesOf)
      return new Set([...(first ?? [])].filter((index) => rest.every((set) => set.has(index))))
    }
    default:
      return unreachable(node)
  }
}

function passedOn(
  expressions: readonly Expression[],
  beneath: ReadonlySet<number>,
): ReadonlySet<number> {
  return new Set(
    expressions.flatMap((expression, index) =>
      expression.kind === 'column' && beneath.has(expression.index) ? [index] : [],
    ),
  )
}
