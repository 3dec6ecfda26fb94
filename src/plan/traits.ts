/** What can be known of a node without running it: which changes it gives, by which columns they meet, how its state grows. */
import { unreachable } from '../errors.ts'
import type { Expression } from './expressions.ts'
import { inputsOf, type PlanNode, schemaOf } from './nodes.ts'

export interface NodeTraits {
  /** 'append': +I only. 'update': rows may be taken back (-U, +U, -D). */
  readonly changes: 'append' | 'update'
  /** Numbers of output columns that name a row among its changes; absent where none do. */
  readonly upsertKey?: readonly number[]
  /** 'none': keeps nothing. 'windows': what is open, dropped when it fires. 'keys': an entry for every key there ever was. 'rows': all rows. */
  readonly state: 'none' | 'windows' | 'keys' | 'rows'
}

export function traitsOf(node: PlanNode): NodeTraits {
  const inputs = inputsOf(node).map(traitsOf)
  const isUpdating = inputs.some(({ changes }) => changes === 'update')
  const changes = isUpdating ? 'update' : 'append'
  const key = inputs[0]?.upsertKey
  switch (node.kind) {
    case 'scan':
    case 'values':
      return { changes, state: 'none' }
    case 'watermark-assigner':
    case 'filter':
      return { changes, state: 'none', ...(key === undefined ? {} : { upsertKey: key }) }
    case 'project': {
      const projected = key === undefined ? undefined : projectKey(key, node.expressions)
      return {
        changes,
        state: 'none',
        ...(projected === undefined ? {} : { upsertKey: projected }),
      }
    }
    case 'window-table':
    case 'union-all':
      return { changes, state: 'none' }
    case 'window-aggregate': {
      const columns = schemaOf(node).length
      // Keys first; the last three are window_start, window_end and window_time.
      const keys = [...node.keys.map((_, index) => index), columns - 3, columns - 2]
      return { changes: 'append', state: 'windows', upsertKey: keys }
    }
    case 'group-aggregate': {
      // DISTINCT over rows that stay: each comes out once and never changes.
      const isDistinct = node.aggregates.length === 0 && !isUpdating
      const upsertKey = node.keys.map((_, index) => index)
      return { changes: isDistinct ? 'append' : 'update', state: 'keys', upsertKey }
    }
    case 'sort':
      return { changes: 'append', state: 'rows' }
    default:
      return unreachable(node)
  }
}

/** Where the key's columns went; undefined if one of them is gone. */
function projectKey(
  key: readonly number[],
  expressions: readonly Expression[],
): readonly number[] | undefined {
  const places = key.map((column) =>
    expressions.findIndex(
      (expression) => expression.kind === 'column' && expression.index === column,
    ),
  )
  return places.includes(-1) ? undefined : places
}
