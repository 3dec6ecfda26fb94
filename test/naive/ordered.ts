/** The oracle of what keeps one row a key, or each row several times: changes in, changes out, one by one, over plain arrays. */
import type { ChangelogNormalize, Deduplicate, Expand } from '../../src/plan/nodes.ts'
import { evaluate } from './expression.ts'
import { type Change, keyOf, type Late } from './interpret.ts'

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
    if (kind === '-U' || kind === '-D') {
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
