/** State that nothing bounds: what each operator keeps for ever, by what that grows, and what would bound it. Told by `explain`. */
import { unreachable } from '../errors.ts'
import { expressionText } from './expression-text.ts'
import type { Expression } from './expressions.ts'
import { inputsOf } from './inputs.ts'
import {
  type GroupAggregate,
  type Join,
  type PlanNode,
  type Rank,
  type SinkNode,
  schemaOf,
} from './nodes.ts'
import { traitsOf } from './traits.ts'

export interface Growth {
  readonly node: PlanNode | SinkNode
  /** 'an entry for each different shop'. */
  readonly grows: string
  readonly bound: string
}

type Told = Omit<Growth, 'node'>

/** From the sources up, each operator once. */
export function growthsOf(root: PlanNode | SinkNode): readonly Growth[] {
  const found = new Map<string, Growth>()
  const visit = (node: PlanNode | SinkNode): void => {
    for (const input of inputsOf(node)) visit(input)
    const told = node.kind === 'sink' ? ofSink(node) : ofNode(node)
    if (told !== undefined) found.set(JSON.stringify(node), { node, ...told })
  }
  visit(root)
  return [...found.values()]
}

function ofSink({ materializes, table }: SinkNode): Told | undefined {
  if (materializes !== true) return undefined
  return {
    grows: `the rows of each different ${(table.primaryKey ?? []).join(', ')}`,
    bound: 'group by the key of the table, or give the table the key of the query',
  }
}

function ofNode(node: PlanNode): Told | undefined {
  switch (node.kind) {
    case 'scan':
    case 'values':
    case 'watermark-assigner':
    case 'filter':
    case 'project':
    case 'async-call':
    case 'window-table':
    case 'window-aggregate':
    case 'window-rank':
    case 'window-join':
    case 'interval-join':
    case 'union-all':
    case 'correlate':
    case 'expand':
    case 'sort':
    case 'temporal-sort':
      return undefined
    case 'group-aggregate':
      return ofGroups(node)
    case 'over-aggregate': {
      if (node.time === undefined)
        return { grows: 'every row', bound: 'order by the event time, or aggregate by windows' }
      if (node.frame.kind === 'range' && node.frame.preceding !== undefined) return undefined
      return entries(
        node,
        node.partition,
        'rows of a frame',
        'use RANGE BETWEEN INTERVAL ... PRECEDING, or windows',
      )
    }
    case 'rank':
      return ofRank(node)
    case 'deduplicate':
      return entries(
        node,
        node.partition,
        'a row',
        'deduplicate within windows: ROW_NUMBER() over TUMBLE(...)',
      )
    case 'changelog-normalize': {
      const names = node.keys.map((key) => schemaOf(node.input)[key]!.name).join(', ')
      return {
        grows: `a row of each different ${names}`,
        bound: 'tombstones in the table let rows go',
      }
    }
    case 'process':
      if (node.table === 'row') return undefined
      return entries(
        node,
        node.partition,
        'its state',
        'clear it in the function: context.clearAllState(), by a timer',
      )
    case 'match-recognize':
      if (node.withinUs !== undefined) return undefined
      return entries(
        node,
        node.partition,
        'the matches that have begun',
        "end the pattern: WITHIN INTERVAL '1' HOUR",
      )
    case 'temporal-join':
      return {
        grows: `the newest row of ${each(node.rightKeys, node.right)} on the right`,
        bound: 'keep fewer keys in that table',
      }
    case 'join':
      return ofJoin(node)
    default:
      return unreachable(node)
  }
}

function ofGroups({ keys, aggregates, input, ttlUs }: GroupAggregate): Told | undefined {
  const ofValues = aggregates.some(({ distinct }) => distinct)
  if (ttlUs !== undefined || (keys.length === 0 && !ofValues)) return undefined
  const values = ofValues ? ', and each different value of its DISTINCT' : ''
  return {
    grows: `an entry for ${each(keys, input)}${values}`,
    bound: "group by windows (TUMBLE ...), or with /*+ STATE_TTL('t' = '1 d') */",
  }
}

function ofRank(node: Rank): Told | undefined {
  const updates = traitsOf(node.input).changes === 'update'
  if (!updates && typeof node.to === 'number' && node.partition.length === 0) return undefined
  if (updates || typeof node.to !== 'number')
    return { grows: 'every row', bound: 'rank within windows: ROW_NUMBER() over TUMBLE(...)' }
  return entries(
    node,
    node.partition,
    `${node.to} rows`,
    'rank within windows: ROW_NUMBER() over TUMBLE(...)',
  )
}

function ofJoin({ leftTtlUs, rightTtlUs }: Join): Told | undefined {
  const sides = [leftTtlUs === undefined ? 'left' : '', rightTtlUs === undefined ? 'right' : '']
  const told = sides.filter((side) => side !== '')
  if (told.length === 0) return undefined
  return {
    grows: `every row of ${told.length === 2 ? 'both sides' : `the ${told[0]} side`}`,
    bound:
      "join within a time (a.ts BETWEEN b.ts - INTERVAL '1' HOUR AND b.ts), or with /*+ STATE_TTL('a' = '1 d', 'b' = '1 d') */",
  }
}

/** Of one group there is no growth. */
function entries(
  node: PlanNode,
  partition: readonly Expression[],
  what: string,
  bound: string,
): Told | undefined {
  if (partition.length === 0) return undefined
  return { grows: `${what} of ${each(partition, inputsOf(node)[0]!)}`, bound }
}

function each(keys: readonly Expression[], input: PlanNode): string {
  if (keys.length === 0) return 'the whole'
  return `each different ${keys.map((key) => expressionText(key, schemaOf(input))).join(', ')}`
}
