/**
 * The oracle of OVER: every row's frame is cut out of its partition and aggregated whole.
 *
 * In order of time rows are told once, those that are late left out. By other columns every change is the difference that it makes to
 * the partition, told in the partition's order.
 */
import type { AggregateCall } from '../../src/plan/expressions.ts'
import type { OverAggregate } from '../../src/plan/nodes.ts'
import type { Plain } from '../builders/batch.ts'
import { aggregate } from './aggregate.ts'
import { compareRows } from './compare-rows.ts'
import { evaluate, type NaiveRow } from './expression.ts'
import { type Change, keyOf, type Late } from './interpret.ts'

export function over(
  node: OverAggregate,
  changes: readonly Change[],
  late: Late,
  retracts: boolean,
): readonly Change[] {
  const partitionOf = (row: NaiveRow) => keyOf(node.partition.map((each) => evaluate(each, row)))
  if (node.time === undefined || retracts) return byOrder(node, changes, partitionOf)
  const isByArrival = node.timeDomain === 'processing'
  const rows = isByArrival
    ? changes.map(({ row }) => row)
    : onTime(node, changes, partitionOf, late).toSorted((a, b) => compareRows(node.order, a, b))
  const partitions = new Map<string, NaiveRow[]>()
  for (const row of rows) {
    const key = partitionOf(row)
    partitions.set(key, [...(partitions.get(key) ?? []), row])
  }
  return rows.map((row) => {
    const partition = partitions.get(partitionOf(row))!
    return { kind: '+I', row: [...row, ...results(node, partition, row, isByArrival)] }
  })
}

/** Rows that are not late: unbounded, ahead of the watermark; bounded, ahead of what their partition has been told. */
export function onTime(
  node: Pick<OverAggregate, 'time' | 'frame'>,
  changes: readonly Change[],
  partitionOf: (row: NaiveRow) => string,
  late: Late,
): readonly NaiveRow[] {
  const kept: { readonly row: NaiveRow; readonly key: string; told: boolean }[] = []
  let reached: bigint | undefined
  for (const change of changes) {
    const { row, watermark } = change
    const time = row[node.time!] as bigint
    const key = partitionOf(row)
    if (watermark !== undefined && (reached === undefined || watermark > reached)) {
      reached = watermark
      for (const each of kept) each.told ||= (each.row[node.time!] as bigint) <= watermark
    }
    const { preceding, kind } = node.frame
    const toldTimes = kept
      .filter((each) => each.told && each.key === key)
      .map((each) => each.row[node.time!] as bigint)
    // A RANGE is dropped with its last row: then what reaches back to it is late.
    const reaches = toldTimes.map((told) => told + BigInt(kind === 'range' ? (preceding ?? 0) : 0))
    const isDropped = kind === 'range' && reaches.every((each) => each <= (reached ?? each - 1n))
    const isLate =
      preceding === undefined
        ? watermark !== undefined && time <= watermark
        : toldTimes.some((told) => told >= time) ||
          (isDropped && reaches.some((each) => each >= time))
    if (isLate) late(change, time)
    else kept.push({ row: [...row], key, told: false })
  }
  return kept.map(({ row }) => row)
}

function results(
  node: OverAggregate,
  partition: readonly NaiveRow[],
  row: NaiveRow,
  isByArrival: boolean,
): readonly Plain[] {
  const at = partition.indexOf(row)
  const ties = (other: NaiveRow) => !isByArrival && compareRows(node.order, other, row) === 0
  const sortKey = (other: NaiveRow) =>
    isByArrival
      ? `${partition.indexOf(other)}`
      : keyOf(node.order.map((key) => evaluate(key.expression, other)))
  const { kind, preceding } = node.frame
  const time = row[node.time!] as bigint
  const frame = partition.filter((other, index) => {
    if (index > at && !(kind === 'range' && ties(other))) return false
    if (preceding === undefined) return true
    if (kind === 'rows') return index >= at - preceding
    return (other[node.time!] as bigint) >= time - BigInt(preceding)
  })
  return node.aggregates.map((call) => result(call, { partition, at, frame, ties, sortKey }))
}

interface Place {
  readonly partition: readonly NaiveRow[]
  readonly at: number
  readonly frame: readonly NaiveRow[]
  readonly ties: (other: NaiveRow) => boolean
  readonly sortKey: (row: NaiveRow) => string
}

function result(call: AggregateCall, { partition, at, frame, ties, sortKey }: Place): Plain {
  const before = partition.slice(0, at).filter((other) => !ties(other))
  const [value, distance, otherwise] = call.args
  // The sort keys of the rows up to this one.
  const distinct = new Set(partition.slice(0, at + 1).map(sortKey))
  switch (call.function) {
    case 'ROW_NUMBER':
      return BigInt(at + 1)
    case 'RANK':
      return BigInt(before.length + 1)
    case 'DENSE_RANK':
      return BigInt(distinct.size)
    case 'LAG': {
      const back = distance === undefined ? 1 : Number(evaluate(distance, []))
      const found = partition[at - back]
      if (found !== undefined) return evaluate(value!, found)
      return otherwise === undefined ? null : evaluate(otherwise, partition[at]!)
    }
    case 'FIRST_VALUE':
    case 'LAST_VALUE': {
      const given = frame
        .filter((row) => call.filter === undefined || evaluate(call.filter, row) === true)
        .map((row) => evaluate(value!, row))
        .filter((each) => each !== null)
      return (call.function === 'FIRST_VALUE' ? given[0] : given.at(-1)) ?? null
    }
    default:
      return aggregate(call, frame)
  }
}

function byOrder(
  node: OverAggregate,
  changes: readonly Change[],
  partitionOf: (row: NaiveRow) => string,
): readonly Change[] {
  const partitions = new Map<string, readonly NaiveRow[]>()
  return changes.flatMap(({ kind, row }) => {
    const key = partitionOf(row)
    const before = partitions.get(key) ?? []
    const adds = kind === '+I' || kind === '+U'
    const added: NaiveRow = [...row]
    const found = before.findIndex((each) => keyOf(each) === keyOf(row))
    const after = adds
      ? [...before, added].toSorted((a, b) => compareRows(node.order, a, b))
      : before.filter((_, index) => index !== found)
    partitions.set(key, after)
    const all = adds ? after : before
    return all.flatMap((each): Change[] => {
      const old = before.includes(each)
        ? [...each, ...results(node, before, each, false)]
        : undefined
      const now = after.includes(each) ? [...each, ...results(node, after, each, false)] : undefined
      if (old === undefined) return [{ kind, row: now! }]
      if (now === undefined) return [{ kind: '-D', row: old }]
      if (keyOf(old) === keyOf(now)) return []
      return [
        { kind: '-U', row: old },
        { kind: '+U', row: now },
      ]
    })
  })
}
