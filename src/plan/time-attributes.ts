/** Which columns of a plan's node still are event time: those that a watermark follows. */
import { unreachable } from '../errors.ts'
import { type PlanNode, schemaOf } from './nodes.ts'

/** Indexes of columns. A window table function leaves window_time as the only one. */
export function timeAttributesOf(node: PlanNode): ReadonlySet<number> {
  switch (node.kind) {
    case 'scan':
    case 'values':
    case 'group-aggregate':
    case 'sort':
      return new Set()
    case 'watermark-assigner':
      return new Set([node.rowtime])
    case 'filter':
      return timeAttributesOf(node.input)
    case 'project': {
      const beneath = timeAttributesOf(node.input)
      return new Set(
        node.expressions.flatMap((expression, index) =>
          expression.kind === 'column' && beneath.has(expression.index) ? [index] : [],
        ),
      )
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
