/** The oracle of what keeps one row a key, or each row several times: changes in, changes out, one by one, over plain arrays. */
import {
  type ChangelogNormalize,
  type Deduplicate,
  type Expand,
  schemaOf,
  type TemporalSort,
} from '../../src/plan/nodes.ts'
import { compareRows } from './compare-rows.ts'
import { evaluate } from './expression.ts'
import { type Change, keyOf, type Late } from './interpret.ts'
import { onTime } from './over.ts'

export function expand(node: Expand, changes: readonly Change[]): readonly Change[] {
  return changes.flatMap((change) =>
    node.projections.map((projection) => ({
      ...change,
      row: projection.map((each) => evaluate(each, change.row)),
    })),
  )
}

export function changelogNormalize(
  node: ChangelogNormalize,
  changes: readonly Change[],
): readonly Change[] {
  const rows = new Map<string, Change['row']>()
  return changes.flatMap(({ kind, row }): Change[] => {
    const key = keyOf(node.keys.map((index) => row[index]!))
    const before = rows.get(key)
    if (kind === '-U') return []
    if (kind === '-D') {
      rows.delete(key)
      return before === undefined ? [] : [{ kind: '-D', row: before }]
    }
    rows.set(key, row)
    if (before === undefined) return [{ kind: '+I', row }]
    if (keyOf(before) === keyOf(row)) return []
    return [
      { kind: '-U', row: before },
      { kind: '+U', row },
    ]
  })
}

/** Rows in their order; those that are not ahead of what has been told are late. */
export function temporalSort(
  node: TemporalSort,
  changes: readonly Change[],
  late: Late,
): readonly Change[] {
  const frame = { kind: 'rows', preceding: 0 } as const
  const rows = onTime({ time: node.time, frame }, changes, () => '', late)
  const times = { ...node.keys[0]!, descending: false, expression: timeOf(node) }
  return rows
    .toSorted((a, b) => compareRows([times, ...node.keys], a, b))
    .map((row) => ({ kind: '+I', row }))
}

function timeOf({ input, time }: TemporalSort) {
  return { kind: 'column', index: time, type: schemaOf(input)[time]!.type } as const
}

export function deduplicate(
  node: Deduplicate,
  changes: readonly Change[],
  late: Late,
): readonly Change[] {
  const partitionOf = ({ row }: Change) => keyOf(node.partition.map((each) => evaluate(each, row)))
  const timeOf = ({ row }: Change) => row[node.time] as bigint
  const isByArrival = node.timeDomain === 'processing'
  const held = new Map<string, Change>()
  if (node.keep === 'last') {
    return changes.flatMap((change): Change[] => {
      const before = held.get(partitionOf(change))
      if (before !== undefined && !isByArrival && timeOf(change) < timeOf(before)) return []
      held.set(partitionOf(change), change)
      if (before === undefined) return [change]
      if (isByArrival && keyOf(before.row) === keyOf(change.row)) return []
      return [
        { kind: '-U', row: before.row },
        { kind: '+U', row: change.row },
      ]
    })
  }
  for (const change of changes) {
    if (!isByArrival && change.watermark !== undefined && timeOf(change) < change.watermark) {
      late(change, timeOf(change))
      continue
    }
    const before = held.get(partitionOf(change))
    if (before === undefined || (!isByArrival && timeOf(change) < timeOf(before)))
      held.set(partitionOf(change), change)
  }
  const firsts = changes.filter((change) => held.get(partitionOf(change)) === change)
  if (isByArrival) return firsts
  return firsts.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0))
}
