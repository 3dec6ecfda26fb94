/** What a node's output does to a table: its changelog mode, its upsert key, and how its state grows. */
import { unreachable } from '../errors.ts'
import { inputsOf, type PlanNode, type SinkNode, schemaOf } from './nodes.ts'

export interface Changelog {
  /** 'append': +I only. 'retract': all four kinds; with `upsertKey`, each key has one row at a time. */
  readonly mode: 'append' | 'retract'
  /** Indexes of columns. */
  readonly upsertKey?: readonly number[]
  readonly state: StateGrowth
}

export type StateGrowth = 'none' | 'open-windows' | 'keys' | 'rows'

/** Of `node` itself: `state` is its own, not its inputs'. */
export function changelogOf(node: PlanNode): Changelog {
  switch (node.kind) {
    case 'scan':
    case 'values':
      return { mode: 'append', state: 'none' }
    case 'watermark-assigner':
    case 'filter':
      return { ...changelogOf(node.input), state: 'none' }
    case 'project':
      return projected(node)
    case 'window-table':
      return { mode: changelogOf(node.input).mode, state: 'none' }
    case 'window-aggregate': {
      const first = node.keys.length + node.aggregates.length
      return {
        mode: 'append',
        upsertKey: [...node.keys.keys(), first, first + 1],
        state: 'open-windows',
      }
    }
    case 'group-aggregate':
      return { mode: 'retract', upsertKey: [...node.keys.keys()], state: 'keys' }
    case 'union-all':
      return {
        mode: node.inputs.every((input) => changelogOf(input).mode === 'append')
          ? 'append'
          : 'retract',
        state: 'none',
      }
    case 'sort':
      return { mode: 'append', state: 'rows' }
    default:
      return unreachable(node)
  }
}

function projected(node: Extract<PlanNode, { kind: 'project' }>): Changelog {
  const { mode, upsertKey } = changelogOf(node.input)
  const places = upsertKey?.map((key) =>
    node.expressions.findIndex((expression) => columnBehind(expression) === key),
  )
  if (places === undefined || places.includes(-1)) return { mode, state: 'none' }
  return { mode, upsertKey: places, state: 'none' }
}

/** A cast to a wider type of the same kind keeps keys apart as the column did. */
function columnBehind(
  expression: Extract<PlanNode, { kind: 'project' }>['expressions'][number],
): number | undefined {
  if (expression.kind === 'column') return expression.index
  if (expression.kind !== 'cast' || expression.input.kind !== 'column') return undefined
  return expression.type.kind === expression.input.type.kind ? expression.input.index : undefined
}

/**
 * The first of `modes` that can take the sink's input: 'append' for append-only input, 'upsert' where the table's
 * primary key is the input's upsert key, 'retract' for all. Undefined: the sink can't take it.
 */
export function sinkMode<Mode extends 'append' | 'upsert' | 'retract'>(
  sink: SinkNode,
  modes: readonly Mode[],
): Mode | undefined {
  const { mode, upsertKey } = changelogOf(sink.input)
  if (mode === 'append') return modes.find((taken) => taken === 'append') ?? modes[0]
  const names = upsertKey?.map((index) => schemaOf(sink.input)[index]!.name)
  const key = sink.table.primaryKey ?? []
  const isKeyed =
    names !== undefined && names.length === key.length && key.every((name) => names.includes(name))
  return modes.find((taken) => taken === 'retract' || (taken === 'upsert' && isKeyed))
}

/** The node that makes `node`'s output not append-only; undefined if it is. */
export function retractingNode(node: PlanNode): PlanNode | undefined {
  if (changelogOf(node).mode === 'append') return undefined
  for (const input of inputsOf(node)) {
    const beneath = retractingNode(input)
    if (beneath !== undefined) return beneath
  }
  return node
}
