/**
 * How a node's columns hang together with its inputs': which it reads, and which it hands on. Rewrites work on any node by these.
 */
import { unreachable } from '../errors.ts'
import { mapAggregate, mapColumns } from './columns.ts'
import type { AggregateCall, Expression } from './expressions.ts'
import { inputsOf } from './inputs.ts'
import { type MatchRecognize, type PlanNode, type SortKey, schemaOf } from './nodes.ts'
import type { AllRows } from './patterns.ts'
import type { Window, WindowColumns } from './windows.ts'

/**
 * Inputs whose columns a node hands on unchanged, one after another, before its own. Nodes that make all of their columns hand
 * on none; scans, projections and unions choose columns one by one.
 */
export function handedOn(node: PlanNode): readonly number[] {
  switch (node.kind) {
    case 'filter':
    case 'watermark-assigner':
    case 'sort':
    case 'temporal-sort':
    case 'window-table':
    case 'window-rank':
    case 'over-aggregate':
    case 'rank':
    case 'deduplicate':
    case 'correlate':
    case 'async-call':
    case 'changelog-normalize':
      return [0]
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'window-join':
      return node.type === 'semi' || node.type === 'anti' ? [0] : [0, 1]
    case 'scan':
    case 'values':
    case 'project':
    case 'union-all':
    case 'window-aggregate':
    case 'group-aggregate':
    case 'expand':
    case 'process':
    case 'match-recognize':
      return []
    default:
      return unreachable(node)
  }
}

/** Where column `index` of input `input` is to be found from now on. */
export type MoveColumn = (input: number, index: number) => number

/** `node` with the columns that it reads of its inputs moved; `leftWidth` is how many the left input of a join has then. */
export function moveColumns(node: PlanNode, move: MoveColumn, leftWidth = 0): PlanNode {
  const of = (input: number) => (expression: Expression) =>
    mapColumns(expression, (column) => ({ ...column, index: move(input, column.index) }))
  const each = of(0)
  switch (node.kind) {
    case 'scan':
    case 'values':
    case 'union-all':
      return node
    case 'filter':
      return { ...node, condition: each(node.condition) }
    case 'watermark-assigner':
      return { ...node, rowtime: move(0, node.rowtime), watermark: each(node.watermark) }
    case 'project':
      return { ...node, expressions: node.expressions.map(each) }
    case 'expand':
      return { ...node, projections: node.projections.map((projection) => projection.map(each)) }
    case 'window-table':
      return { ...node, time: move(0, node.time), window: movedWindow(node.window, move) }
    case 'window-aggregate':
      return {
        ...node,
        ...movedGroups(node, move),
        time: move(0, node.time),
        window: movedWindow(node.window, move),
      }
    case 'group-aggregate':
      return { ...node, ...movedGroups(node, move) }
    case 'over-aggregate': {
      const time = node.time === undefined ? {} : { time: move(0, node.time) }
      return {
        ...node,
        ...time,
        ...movedOrder(node, move),
        aggregates: node.aggregates.map((call) => movedCall(call, move)),
      }
    }
    case 'rank': {
      const { to } = node
      const moved = typeof to === 'number' ? to : { column: move(0, to.column) }
      return { ...node, ...movedOrder(node, move), to: moved }
    }
    case 'window-rank':
      return { ...node, ...movedOrder(node, move), window: movedBounds(node.window, 0, move) }
    case 'deduplicate':
      return { ...node, partition: node.partition.map(each), time: move(0, node.time) }
    case 'changelog-normalize':
      return { ...node, keys: node.keys.map((key) => move(0, key)) }
    case 'match-recognize':
      return movedMatch(node, move, leftWidth)
    case 'async-call':
      return { ...node, args: node.args.map(each) }
    case 'process': {
      const time = node.time === undefined ? {} : { time: move(0, node.time) }
      const partition = node.partition.map(each)
      return { ...node, ...time, partition, values: node.values.map(each) }
    }
    case 'temporal-sort':
      return { ...node, time: move(0, node.time), keys: movedKeys(node.keys, move) }
    case 'sort':
      return { ...node, keys: movedKeys(node.keys, move) }
    case 'correlate': {
      const width = schemaOf(node.input).length
      const args = node.args.map(each)
      if (node.condition === undefined) return { ...node, args }
      const condition = mapColumns(node.condition, (column) => ({
        ...column,
        index: column.index < width ? move(0, column.index) : column.index - width + leftWidth,
      }))
      return { ...node, args, condition }
    }
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'window-join':
      return movedJoin(node, move, leftWidth)
    default:
      return unreachable(node)
  }
}

/** Conditions are over the input's columns, then the references: `width` is how many the input has from now on. */
function movedMatch(node: MatchRecognize, move: MoveColumn, width: number): MatchRecognize {
  const before = schemaOf(node.input).length
  const of = (expression: Expression): Expression =>
    mapColumns(expression, (column) => ({ ...column, index: move(0, column.index) }))
  const tried = (expression: Expression): Expression =>
    mapColumns(expression, (column) => ({
      ...column,
      index: column.index < before ? move(0, column.index) : column.index - before + width,
    }))
  return {
    ...node,
    ...movedOrder(node, move),
    time: move(0, node.time),
    pattern: node.pattern.map((term) =>
      term.condition === undefined ? term : { ...term, condition: tried(term.condition) },
    ),
    references: node.references.map((reference) => {
      if (reference.kind === 'aggregate')
        return { ...reference, call: movedCall(reference.call, move) }
      if (reference.kind === 'match-number' || reference.kind === 'classifier') return reference
      return { ...reference, expression: of(reference.expression) }
    }),
    ...(node.allRows === undefined ? {} : { allRows: movedRows(node.allRows, move) }),
  }
}

function movedRows({ before, after, unmatched }: AllRows, move: MoveColumn): AllRows {
  const of = (columns: readonly number[]) => columns.map((column) => move(0, column))
  return { before: of(before), after: of(after), unmatched }
}

type AnyJoin = Extract<PlanNode, { readonly left: PlanNode }>

function movedJoin(node: AnyJoin, move: MoveColumn, leftWidth: number): AnyJoin {
  const width = schemaOf(node.left).length
  const side = (input: number) => (expression: Expression) =>
    mapColumns(expression, (column) => ({ ...column, index: move(input, column.index) }))
  const both = (index: number): number =>
    index < width ? move(0, index) : leftWidth + move(1, index - width)
  const shared = {
    leftKeys: node.leftKeys.map(side(0)),
    rightKeys: node.rightKeys.map(side(1)),
    ...(node.condition === undefined
      ? {}
      : {
          condition: mapColumns(node.condition, (column) => ({
            ...column,
            index: both(column.index),
          })),
        }),
  }
  switch (node.kind) {
    case 'join':
      return { ...node, ...shared }
    case 'interval-join':
      return {
        ...node,
        ...shared,
        leftTime: move(0, node.leftTime),
        rightTime: move(1, node.rightTime),
      }
    case 'temporal-join': {
      const right = node.rightTime === undefined ? {} : { rightTime: move(1, node.rightTime) }
      return { ...node, ...shared, ...right, leftTime: move(0, node.leftTime) }
    }
    case 'window-join':
      return {
        ...node,
        ...shared,
        leftWindow: movedBounds(node.leftWindow, 0, move),
        rightWindow: movedBounds(node.rightWindow, 1, move),
      }
  }
}

function movedWindow(window: Window, move: MoveColumn): Window {
  if (window.kind === 'attached') return { ...window, ...movedBounds(window, 0, move) }
  if (window.kind !== 'session') return window
  const partition = window.partition.map((key) =>
    mapColumns(key, (column) => ({ ...column, index: move(0, column.index) })),
  )
  return { ...window, partition }
}

function movedBounds(
  { start, end }: WindowColumns,
  input: number,
  move: MoveColumn,
): WindowColumns {
  return { start: move(input, start), end: move(input, end) }
}

function movedGroups(
  { keys, aggregates }: { keys: readonly Expression[]; aggregates: readonly AggregateCall[] },
  move: MoveColumn,
): { keys: readonly Expression[]; aggregates: readonly AggregateCall[] } {
  return {
    keys: keys.map((key) =>
      mapColumns(key, (column) => ({ ...column, index: move(0, column.index) })),
    ),
    aggregates: aggregates.map((call) => movedCall(call, move)),
  }
}

function movedCall(call: AggregateCall, move: MoveColumn): AggregateCall {
  return mapAggregate(call, (column) => ({ ...column, index: move(0, column.index) }))
}

function movedOrder(
  { partition, order }: { partition: readonly Expression[]; order: readonly SortKey[] },
  move: MoveColumn,
): { partition: readonly Expression[]; order: readonly SortKey[] } {
  return {
    partition: partition.map((key) =>
      mapColumns(key, (column) => ({ ...column, index: move(0, column.index) })),
    ),
    order: movedKeys(order, move),
  }
}

function movedKeys(keys: readonly SortKey[], move: MoveColumn): readonly SortKey[] {
  return keys.map((key) => ({
    ...key,
    expression: mapColumns(key.expression, (column) => ({
      ...column,
      index: move(0, column.index),
    })),
  }))
}

/** The columns that `node` computes with, by input; those that it only hands on are not among them. */
export function columnsRead(node: PlanNode): readonly Set<number>[] {
  const read = inputsOf(node).map(() => new Set<number>())
  moveColumns(node, (input, index) => {
    read[input]!.add(index)
    return index
  })
  return read
}
