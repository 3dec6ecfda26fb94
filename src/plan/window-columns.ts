/** Where a node's columns are the window that a row belongs to, carried from the node that gave it. */
import { unreachable } from '../errors.ts'
import type { Expression } from './expressions.ts'
import { type PlanNode, schemaOf, type WindowAggregate, type WindowTable } from './nodes.ts'
import type { TimeDomain, Window, WindowColumns } from './windows.ts'

/** What a window's own columns are: window_start, window_end, window_time, as they stand last. */
export const WINDOW_COLUMNS = 3

export interface WindowColumn {
  /** The node that made the window. */
  readonly origin: WindowTable | WindowAggregate
  /** 0 window_start, 1 window_end, 2 window_time. */
  readonly which: number
  /** Which of two inputs it came by, below a join of windows: '' where there is none. */
  readonly path: string
}

/** Where column `index` of `node` comes from, if it is a window's column carried through. */
export function windowColumn(node: PlanNode, index: number): WindowColumn | undefined {
  switch (node.kind) {
    case 'window-table':
    case 'window-aggregate': {
      const which = index - (node.schema.length - WINDOW_COLUMNS)
      if (which < 0) return undefined
      return { origin: node, which, path: '' }
    }
    case 'filter':
    case 'deduplicate':
    case 'temporal-sort':
    case 'sort':
      return windowColumn(node.input, index)
    case 'window-rank':
    case 'rank':
    case 'over-aggregate':
    case 'correlate':
    case 'async-call':
      return index < schemaOf(node.input).length ? windowColumn(node.input, index) : undefined
    case 'project':
      return windowOf(node.expressions[index]!, node.input)
    case 'expand': {
      const all = node.projections.map((expressions) => windowOf(expressions[index]!, node.input))
      const isSame = all.every((each) => each !== undefined && sameColumn(each, all[0]!))
      return isSame ? all[0] : undefined
    }
    case 'window-join': {
      const width = schemaOf(node.left).length
      const [side, at] = index < width ? ([node.left, index] as const) : [node.right, index - width]
      const found = windowColumn(side, at)
      return found && { ...found, path: `${index < width ? 'left' : 'right'} ${found.path}` }
    }
    case 'scan':
    case 'values':
    case 'watermark-assigner':
    case 'group-aggregate':
    case 'changelog-normalize':
    case 'union-all':
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'match-recognize':
    case 'process':
      return undefined
    default:
      return unreachable(node)
  }
}

function windowOf(expression: Expression, input: PlanNode): WindowColumn | undefined {
  return expression.kind === 'column' ? windowColumn(input, expression.index) : undefined
}

function sameColumn(left: WindowColumn, right: WindowColumn): boolean {
  return left.origin === right.origin && left.which === right.which && left.path === right.path
}

/** A window as two columns of `expressions` over `node`: where both its start and its end are among them. */
export interface CarriedWindow {
  /** Numbers in `expressions`. */
  readonly start: number
  readonly end: number
  readonly columns: WindowColumns
  readonly origin: WindowTable | WindowAggregate
  readonly timeDomain: TimeDomain
}

/** The windows whose start and end are both among `expressions`. */
export function carriedWindows(
  node: PlanNode,
  expressions: readonly Expression[],
): readonly CarriedWindow[] {
  const found = expressions.map((expression) => windowOf(expression, node))
  return found.flatMap((start, index) => {
    if (start?.which !== 0) return []
    const end = found.findIndex(
      (each) => each?.which === 1 && each.origin === start.origin && each.path === start.path,
    )
    const [from, to] = [expressions[index]!, expressions[end]]
    if (from.kind !== 'column' || to?.kind !== 'column') return []
    const columns = { start: from.index, end: to.index }
    const timeDomain = start.origin.timeDomain ?? 'event'
    return [{ start: index, end, columns, origin: start.origin, timeDomain }]
  })
}

/** The window that a node gives its rows, through those that are attached: what two sides of a join must have in common. */
export function windowSpec(origin: WindowTable | WindowAggregate): Window {
  const { window } = origin
  if (window.kind !== 'attached') return window
  const beneath = windowColumn(origin.input, window.start)
  return beneath === undefined ? window : windowSpec(beneath.origin)
}
