/** What it costs to look at a plan as a tree: how a query grows whose views name each other twice, or that joins hundreds of tables. */
import { inputsOf } from './inputs.ts'
import { type PlanNode, schemaOf } from './nodes.ts'

interface Cost {
  /** Columns of it and all beneath. */
  readonly columns: number
  /** Of each node beneath, its columns and those beneath it. */
  readonly sum: number
}

const known = new WeakMap<PlanNode, Cost>()

/** Plans are rewritten as trees, each node with all that is beneath it. */
export const PLAN_COST_MAX = 500_000

/** In columns. Takes what it has seen before as it was. */
export function planCost(root: PlanNode): number {
  return costOf(root).sum
}

function costOf(node: PlanNode): Cost {
  const before = known.get(node)
  if (before !== undefined) return before
  const beneath = inputsOf(node).map(costOf)
  const columns = beneath.reduce((sum, each) => sum + each.columns, schemaOf(node).length)
  const cost = { columns, sum: beneath.reduce((sum, each) => sum + each.sum, columns) }
  known.set(node, cost)
  return cost
}
