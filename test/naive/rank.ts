/**
 * The oracle of top-N: all rows of a partition in an array that is sorted anew for every change, and the rows that are among the
 * first N before and after it.
 */
import assert from 'node:assert/strict'
import type { Deduplicate, Rank, WindowRank } from '../../src/plan/nodes.ts'
import { updatedTopKey } from '../../src/plan/updated-top.ts'
import { compareRows } from './compare-rows.ts'
import { evaluate, type NaiveRow } from './expression.ts'
import { type Change, keyOf } from './interpret.ts'

/** `retracts`: rows may be taken back. */
export function rank(node: Rank, changes: readonly Change[], retracts: boolean): readonly Change[] {
  const named = retracts ? updatedTopKey(node) : undefined
  if (named !== undefined) return updatedRank(node, changes, named)
  const partitions = new Map<string, { rows: NaiveRow[]; to: number }>()
  // A top 1 that only grows is one row that changes.
  const isByNumber = node.outputsNumber || node.from > 1 || (node.to === 1 && !retracts)
  return changes.flatMap(({ kind, row }): readonly Change[] => {
    const key = keyOf(node.partition.map((each) => evaluate(each, row)))
    const to = typeof node.to === 'number' ? node.to : Number(row[node.to.column])
    const partition = partitions.get(key) ?? { rows: [], to }
    partitions.set(key, partition)
    const range = () => partition.rows.slice(0, Math.max(partition.to, 0))
    const before = range()
    if (kind === '+I' || kind === '+U') {
      // A copy: equal rows are told apart by being themselves.
      partition.rows.push([...row])
      partition.rows = partition.rows.toSorted((a, b) => compareRows(node.order, a, b))
    } else {
      const at = partition.rows.findIndex((each) => keyOf(each) === keyOf(row))
      if (at >= 0) partition.rows.splice(at, 1)
    }
    return isByNumber ? byNumber(node, before, range()) : byMembership(before, range())
  })
}

/** Rows that are updated by key, for the better alone: what a -U says is known. */
export function updatedRank(
  node: Rank,
  changes: readonly Change[],
  named: readonly number[],
): readonly Change[] {
  const partitions = new Map<string, readonly NaiveRow[]>()
  return changes.flatMap(({ kind, row: given }): readonly Change[] => {
    assert.notEqual(kind, '-D')
    if (kind === '-U') return []
    const row: NaiveRow = [...given]
    const key = keyOf(node.partition.map((each) => evaluate(each, row)))
    const nameOf = (each: NaiveRow) => keyOf(named.map((index) => each[index]!))
    const all = partitions.get(key) ?? []
    const old = all.find((each) => nameOf(each) === nameOf(row))
    const keepsPlace = old !== undefined && compareRows(node.order, row, old) === 0
    const now = keepsPlace
      ? all.map((each) => (each === old ? row : each))
      : [...all.filter((each) => each !== old), row].toSorted((a, b) =>
          compareRows(node.order, a, b),
        )
    partitions.set(key, now)
    const to = node.to as number
    const [before, after] = [all.slice(0, to), now.slice(0, to)]
    const wasThere = old !== undefined && before.includes(old)
    if (node.outputsNumber || node.from > 1) {
      return wasThere ? risen(node, before, after, old) : byNumber(node, before, after)
    }
    if (!wasThere) return byMembership(before, after)
    return [
      { kind: '-U', row: old },
      { kind: '+U', row },
    ]
  })
}

/** Flink takes an updated row back right behind the row whose place it takes, be that told or not. */
function risen(
  node: Rank,
  before: readonly NaiveRow[],
  after: readonly NaiveRow[],
  old: NaiveRow,
): readonly Change[] {
  const told = byNumber(node, before, after)
  const [lowest, highest] = [before.indexOf(old), after.findIndex((row, at) => row !== before[at])]
  const at = told.findLastIndex(
    ({ kind, row }) => kind === '-U' && keyOf(row.slice(0, old.length)) === keyOf(old),
  )
  if (lowest === highest || at < 0) return told
  const others = told.filter((_, index) => index !== at)
  const place = highest < node.from - 1 ? 0 : 1
  return [...others.slice(0, place), told[at]!, ...others.slice(place)]
}

function byNumber(node: Rank, before: readonly NaiveRow[], after: readonly NaiveRow[]): Change[] {
  const told: Change[] = []
  for (let at = node.from - 1; at < Math.max(before.length, after.length); at++) {
    const [old, now] = [before[at], after[at]]
    if (old === now) continue
    const numbered = (row: NaiveRow) => (node.outputsNumber ? [...row, BigInt(at + 1)] : row)
    if (old !== undefined) told.push({ kind: now === undefined ? '-D' : '-U', row: numbered(old) })
    if (now !== undefined) told.push({ kind: old === undefined ? '+I' : '+U', row: numbered(now) })
  }
  return told
}

function byMembership(before: readonly NaiveRow[], after: readonly NaiveRow[]): Change[] {
  return [
    ...before.filter((row) => !after.includes(row)).map((row): Change => ({ kind: '-D', row })),
    ...after.filter((row) => !before.includes(row)).map((row): Change => ({ kind: '+I', row })),
  ]
}

/** Over rows that are taken back it is a top 1 by time. */
export function rankOfDeduplicate(node: Deduplicate, schema: Rank['schema']): Rank {
  const expression = { kind: 'column', index: node.time, type: schema[node.time]!.type } as const
  const descending = node.keep === 'last'
  return {
    ...node,
    kind: 'rank',
    function: 'ROW_NUMBER',
    order: [{ expression, descending, nullsFirst: !descending }],
    from: 1,
    to: 1,
    outputsNumber: false,
    schema,
  }
}

/** Each window's rows but the late ones, ordered at its end. Of a top 1 that is the last by time, the last of those that tie. */
export function windowRank(
  node: WindowRank,
  changes: readonly Change[],
  counts: { counted: number },
  late: (change: Change, timeUs: bigint, startUs: bigint) => void,
  isLastByTime: boolean,
): readonly Change[] {
  const partitions = new Map<string, { rows: NaiveRow[]; end: bigint }>()
  for (const change of changes) {
    const { row, watermark, kind } = change
    const [start, end] = [row[node.window.start] as bigint, row[node.window.end] as bigint]
    if (watermark !== undefined && watermark >= end - 1000n) {
      late(change, end - 1000n, start)
      continue
    }
    counts.counted++
    const key = keyOf([start, end, ...node.partition.map((each) => evaluate(each, row))])
    const partition = partitions.get(key) ?? { rows: [], end }
    partitions.set(key, partition)
    if (kind === '+I' || kind === '+U') partition.rows.push(row)
    else partition.rows.splice(partition.rows.map(keyOf).indexOf(keyOf(row)), 1)
  }
  return [...partitions.values()]
    .sort((a, b) => Number(a.end - b.end))
    .flatMap(({ rows }) => {
      const given = isLastByTime ? rows.toReversed() : rows
      const ordered = given.toSorted((a, b) => compareRows(node.order, a, b))
      return ordered.slice(node.from - 1, node.to).map((row, at): Change => {
        const number = BigInt(node.from + at)
        return { kind: '+I', row: node.outputsNumber ? [...row, number] : row }
      })
    })
}
