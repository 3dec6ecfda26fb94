/**
 * ORDER BY and LIMIT of rows that have no end: LIMIT keeps the first rows there are so far, as a changelog; an order by ascending
 * event time alone lets rows out when time has passed them. Nothing else can be sorted before all of it is there.
 */
import type { Expression } from './expressions.ts'
import { inputsOf, withInputs } from './inputs.ts'
import { type PlanNode, type Rank, type Sort, schemaOf } from './nodes.ts'
import { timeDomainOf } from './time-attributes.ts'
import { traitsOf } from './traits.ts'

/** `node` without sorts of all rows; undefined if there is one that has no end. */
export function streamedOrder(node: PlanNode): PlanNode | undefined {
  const inputs = inputsOf(node).map(streamedOrder)
  if (inputs.includes(undefined)) return undefined
  const over = withInputs(node, inputs as PlanNode[])
  return over.kind === 'sort' ? streamed(over) : over
}

function streamed(sort: Sort): PlanNode | undefined {
  const { input, keys, limit, offset = 0 } = sort
  if (limit !== undefined) {
    const rank: Rank = {
      kind: 'rank',
      input,
      function: 'ROW_NUMBER',
      partition: [],
      order: keys,
      from: offset + 1,
      to: offset + limit,
      outputsNumber: false,
      schema: schemaOf(input),
    }
    return limit === 0 ? withoutRows(input) : rank
  }
  const [first] = keys
  if (first === undefined || first.descending || offset > 0) return undefined
  if (first.expression.kind !== 'column' || traitsOf(input).changes === 'update') return undefined
  const time = first.expression.index
  const timeDomain = timeDomainOf(input, time)
  if (timeDomain === undefined) return undefined
  return {
    kind: 'temporal-sort',
    input,
    time,
    ...(timeDomain === 'event' ? {} : { timeDomain }),
    keys,
  }
}

function withoutRows(input: PlanNode): PlanNode {
  const never: Expression = {
    kind: 'literal',
    value: false,
    type: { kind: 'boolean', nullable: false },
  }
  return { kind: 'filter', input, condition: never }
}
