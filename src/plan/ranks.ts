/**
 * Top-N from how SQL says it: a filter on ROW_NUMBER() OVER (...). The number's bounds become the rank's; what else the filter asks
 * stands above it.
 *
 * @see Flink, FlinkLogicalRankRule, RankUtil
 */
import { types } from '../data/types.ts'
import { columnsIn } from './conjuncts.ts'
import type { Expression } from './expressions.ts'
import {
  type Deduplicate,
  type OverAggregate,
  type PlanNode,
  type Project,
  type Rank,
  schemaOf,
  type WindowRank,
} from './nodes.ts'
import { timeDomainOf } from './time-attributes.ts'
import { traitsOf } from './traits.ts'
import { carriedWindows } from './window-columns.ts'

const FUNCTIONS: ReadonlySet<string> = new Set(['ROW_NUMBER', 'RANK', 'DENSE_RANK'])

export interface Ranked {
  readonly node: PlanNode
  /** What of the conjuncts is still to be asked. */
  readonly rest: readonly Expression[]
}

/** `node` ranked, where `conjuncts` bound a rank that it numbers; undefined where they don't. */
export function rankedBy(node: PlanNode, conjuncts: readonly Expression[]): Ranked | undefined {
  const ranks = overBeneath(node)
  if (ranks === undefined) return undefined
  const { over, projects } = ranks
  const number = over.schema.length - 1
  const bounds = { from: 1, to: undefined as Rank['to'] | undefined }
  const rest: Expression[] = []
  for (const conjunct of conjuncts) {
    if (!bound(conjunct, projects, number, bounds)) rest.push(conjunct)
  }
  if (bounds.to === undefined) return undefined
  const from = bounds.from
  const ranked = rankOf(over, from, bounds.to)
  if (ranked === undefined) return undefined
  return {
    node: projects.reduceRight((input: PlanNode, each) => ({ ...each, input }), ranked),
    rest,
  }
}

interface OverBeneath {
  readonly over: OverAggregate
  /** From the top down. */
  readonly projects: readonly Project[]
}

function overBeneath(node: PlanNode): OverBeneath | undefined {
  if (node.kind === 'over-aggregate') {
    const [call, ...others] = node.aggregates
    const isRank = call !== undefined && others.length === 0 && FUNCTIONS.has(call.function)
    return isRank ? { over: node, projects: [] } : undefined
  }
  if (node.kind !== 'project') return undefined
  const beneath = overBeneath(node.input)
  return beneath && { over: beneath.over, projects: [node, ...beneath.projects] }
}

/** True if `conjunct` bounds the number by a whole number, or from above by a column; `bounds` are narrowed. */
function bound(
  conjunct: Expression,
  projects: readonly Project[],
  number: number,
  bounds: { from: number; to: Rank['to'] | undefined },
): boolean {
  if (conjunct.kind !== 'call' || conjunct.args.length !== 2) return false
  const [first, second] = conjunct.args.map((arg) => beneathAll(bare(arg), projects))
  if (first === undefined || second === undefined) return false
  const isNumber = (each: Expression): boolean => each.kind === 'column' && each.index === number
  if (!isNumber(first) && !isNumber(second)) return false
  const comparison = isNumber(first) ? conjunct.function : MIRRORED[conjunct.function]
  const limit = isNumber(first) ? second : first
  const whole = wholeNumber(limit)
  if (whole === undefined) return boundByColumn(comparison, limit, number, bounds)
  const narrow = (from: number, to: number): boolean => {
    bounds.from = Math.max(bounds.from, from)
    if (to !== Number.POSITIVE_INFINITY)
      bounds.to = typeof bounds.to === 'number' ? Math.min(bounds.to, to) : to
    return true
  }
  const most = Number.POSITIVE_INFINITY
  switch (comparison) {
    case 'EQUALS':
      return narrow(whole, whole)
    case 'LESS':
      return narrow(1, Math.ceil(whole) - 1)
    case 'LESS_OR_EQUAL':
      return narrow(1, Math.floor(whole))
    case 'GREATER':
      return narrow(Math.floor(whole) + 1, most)
    case 'GREATER_OR_EQUAL':
      return narrow(Math.ceil(whole), most)
    default:
      return false
  }
}

const MIRRORED: Readonly<Record<string, string>> = {
  EQUALS: 'EQUALS',
  LESS: 'GREATER',
  LESS_OR_EQUAL: 'GREATER_OR_EQUAL',
  GREATER: 'LESS',
  GREATER_OR_EQUAL: 'LESS_OR_EQUAL',
}

function boundByColumn(
  comparison: string | undefined,
  limit: Expression,
  number: number,
  bounds: { to: Rank['to'] | undefined },
): boolean {
  const isColumn = limit.kind === 'column' && limit.index < number
  if (comparison !== 'LESS_OR_EQUAL' || !isColumn || bounds.to !== undefined) return false
  bounds.to = { column: limit.index }
  return true
}

function bare(expression: Expression): Expression {
  return expression.kind === 'cast' ? bare(expression.input) : expression
}

function wholeNumber(expression: Expression): number | undefined {
  if (expression.kind !== 'literal' || expression.value === null) return undefined
  const value = Number(expression.value)
  return Number.isNaN(value) ? undefined : value
}

/** `expression` over the top projection as one beneath the last; undefined if it is computed there. */
function beneathAll(expression: Expression, projects: readonly Project[]): Expression | undefined {
  let found = expression
  for (const { expressions } of projects) {
    if (found.kind === 'literal') return found
    if (found.kind !== 'column') return undefined
    const beneath: Expression | undefined = expressions[found.index]
    if (beneath === undefined) return undefined
    found = bare(beneath)
  }
  return found
}

/** The rank of an OVER, as narrow as it can be told. */
function rankOf(over: OverAggregate, from: number, to: Rank['to']): PlanNode | undefined {
  const { input, partition, order, schema } = over
  const name = over.aggregates[0]!.function as Rank['function']
  if (order.length === 0) return undefined
  const numbered = (node: PlanNode): PlanNode => withNumber(node, over, from)
  const window = carriedWindows(input, partition)[0]
  if (window !== undefined && typeof to === 'number' && traitsOf(input).changes === 'append') {
    const isOther = (_: unknown, index: number): boolean =>
      index !== window.start && index !== window.end
    const isOne = from === to && name === 'ROW_NUMBER'
    const ranked: WindowRank = {
      kind: 'window-rank',
      input,
      window: window.columns,
      ...(window.timeDomain === 'event' ? {} : { timeDomain: window.timeDomain }),
      function: name,
      partition: partition.filter(isOther),
      order,
      from,
      to,
      outputsNumber: !isOne,
      schema: isOne ? schemaOf(input) : schema,
    }
    return isOne ? numbered(ranked) : ranked
  }
  // Equal rows share a rank: how many there are is not bounded, so that all are kept and numbered.
  if (name !== 'ROW_NUMBER') return undefined
  const deduplicated = from === 1 && to === 1 && deduplicate(over)
  if (deduplicated) return numbered(deduplicated)
  const isOne = from === to
  const ranked: Rank = {
    kind: 'rank',
    input,
    function: name,
    partition,
    order,
    from,
    to,
    outputsNumber: !isOne,
    schema: isOne ? schemaOf(input) : schema,
  }
  return isOne ? numbered(ranked) : ranked
}

/** Ordered by a time attribute and nothing else, over rows that only come. */
function deduplicate({ input, partition, order }: OverAggregate): Deduplicate | undefined {
  const [key, ...others] = order
  if (key === undefined || others.length > 0 || key.expression.kind !== 'column') return undefined
  const time = key.expression.index
  const timeDomain = timeDomainOf(input, time)
  if (timeDomain === undefined || traitsOf(input).changes !== 'append') return undefined
  if ([...partition].some((each) => columnsIn(each).size === 0)) return undefined
  return {
    kind: 'deduplicate',
    input,
    partition,
    time,
    ...(timeDomain === 'event' ? {} : { timeDomain }),
    keep: key.descending ? 'last' : 'first',
  }
}

/** All rows have one number: it stands for itself. */
function withNumber(input: PlanNode, { schema }: OverAggregate, number: number): Project {
  const columns = schemaOf(input).map(
    ({ type }, index): Expression => ({ kind: 'column', index, type }),
  )
  const type = { ...types.bigint, nullable: false }
  const literal: Expression = { kind: 'literal', value: `${number}`, type }
  return { kind: 'project', input, expressions: [...columns, literal], schema }
}
