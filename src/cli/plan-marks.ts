/** How the nodes of a plan run: `kernel` where every primitive beneath is one. Compiles each node as a worker would. */
import { compileAggregates } from '../compile/aggregates/compile-aggregates.ts'
import { compileExpression, compilePredicate } from '../compile/expression.ts'
import { LinearMemory } from '../data/memory.ts'
import type { Expression } from '../plan/expressions.ts'
import { userFunctionName } from '../plan/functions/user.ts'
import { inputsOf } from '../plan/inputs.ts'
import type { PlanNode } from '../plan/nodes.ts'
import { traitsOf } from '../plan/traits.ts'
import type { NodeMark } from './render/plan.ts'

interface Marked {
  readonly mark: 'kernel' | 'js'
  readonly jsBecause: readonly string[]
}

/** Nodes that compute nothing (scans, unions) have no mark. */
export function planMarker(): (node: PlanNode) => NodeMark | undefined {
  const memory = new LinearMemory()
  const expression = (each: Expression) => compileExpression(each, { memory })
  const predicate = (each: Expression) => compilePredicate(each, { memory })
  return (node) => {
    switch (node.kind) {
      case 'filter':
        return together([predicate(node.condition)])
      case 'project':
        return together(node.expressions.map(expression))
      case 'watermark-assigner':
        return together([expression(node.watermark)])
      case 'window-aggregate':
      case 'group-aggregate': {
        const retracts = inputsOf(node).some((input) => traitsOf(input).changes === 'update')
        const aggregates = compileAggregates(node.aggregates, {
          memory,
          expression,
          predicate,
          retracts,
        })
        return together([...node.keys.map(expression), aggregates])
      }
      case 'async-call':
        return {
          mark: 'js',
          because: [node.lookup?.table.name ?? userFunctionName(node.function)],
        }
      case 'process': {
        const { mark, because } = together([...node.partition, ...node.values].map(expression))
        return {
          mark: 'js',
          because: [userFunctionName(node.function), ...(mark === 'js' ? because : [])],
        }
      }
      default:
        return undefined
    }
  }
}

function together(parts: readonly Marked[]): NodeMark {
  const because = [...new Set(parts.flatMap(({ jsBecause }) => jsBecause))]
  return { mark: parts.every(({ mark }) => mark === 'kernel') ? 'kernel' : 'js', because }
}
