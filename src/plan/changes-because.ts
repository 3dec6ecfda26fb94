/** What makes the changes of a plan: told to those whose sink takes only rows that stay. */
import { inputsOf } from './inputs.ts'
import type { PlanNode } from './nodes.ts'
import { makesChanges, traitsOf } from './traits.ts'

/** The first node, from the top, that updates rows which it has given, in words that fit behind 'because of'; undefined if none does. */
export function changesBecause(node: PlanNode): string | undefined {
  if (traitsOf(node).changes === 'append') return undefined
  if (makesChanges(node)) return makerText(node)
  if (node.kind === 'scan') return `table ${node.table.name}, which is a changelog`
  for (const input of inputsOf(node)) {
    const found = changesBecause(input)
    if (found !== undefined) return found
  }
  return undefined
}

function makerText(node: PlanNode): string {
  switch (node.kind) {
    case 'window-aggregate':
      return node.emit?.earlyDelayUs === undefined
        ? 'windows that late rows correct (EMIT)'
        : 'windows that are told early (EMIT)'
    case 'group-aggregate':
      return 'GROUP BY without a window'
    case 'over-aggregate':
      return 'OVER ordered by what is no time'
    case 'rank':
      return 'a top-N or LIMIT without a window'
    case 'deduplicate':
      return 'the last row of each key'
    case 'join':
      return `a ${node.type} join without time`
    case 'changelog-normalize':
      return 'a table that is updated by key'
    default:
      return node.kind
  }
}
