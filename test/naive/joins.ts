/**
 * Joins by their definition: after each row that came or went the whole joined table is worked out anew, and what is told is how it
 * differs from the one before.
 */
import type { Expression } from '../../src/plan/expressions.ts'
import type { PlanNode } from '../../src/plan/nodes.ts'
import { schemaOf } from '../../src/plan/nodes.ts'
import { evaluate, type NaiveRow } from './expression.ts'
import type { Change } from './interpret.ts'

type Join = Extract<PlanNode, { kind: 'join' }>
type AnyJoin = Pick<Join, 'type' | 'left' | 'right' | 'leftKeys' | 'rightKeys' | 'condition'>

interface Told {
  readonly change: Change
  readonly isLeft: boolean
}

/** Left rows and right rows by the order in which they were read; where that is not known, all left rows first. */
export function inOrder(left: readonly Change[], right: readonly Change[]): readonly Told[] {
  const told = [
    ...left.map((change) => ({ change, isLeft: true })),
    ...right.map((change) => ({ change, isLeft: false })),
  ]
  return told.sort((a, b) => (a.change.at ?? 0) - (b.change.at ?? 0))
}

export function joined(
  node: Join,
  left: readonly Change[],
  right: readonly Change[],
): readonly Change[] {
  const lefts: NaiveRow[] = []
  const rights: NaiveRow[] = []
  let before: readonly Pair[] = []
  return inOrder(left, right).flatMap(({ change, isLeft }) => {
    const adds = change.kind === '+I' || change.kind === '+U'
    apply(isLeft ? lefts : rights, change.row, adds)
    const after = pairsOf(node, lefts, rights)
    const came = without(after, before)
    const gone = without(before, after)
    before = after
    const at = change.at === undefined ? {} : { at: change.at }
    return [
      ...gone.map(({ row }) => ({ ...at, kind: kindOfGone(node, change, isLeft, adds), row })),
      ...came.map(({ row }) => ({ ...at, kind: kindOfCame(node, change, isLeft, adds), row })),
    ]
  })
}

/** As Flink tells it: rows of outer joins come and go, others do what the row that made them did. */
function kindOfCame(node: Join, change: Change, isLeft: boolean, adds: boolean): Change['kind'] {
  if (node.type === 'inner') return change.kind
  if (node.type === 'semi' || node.type === 'anti') return isLeft || adds ? change.kind : '+I'
  return '+I'
}

function kindOfGone(node: Join, change: Change, isLeft: boolean, adds: boolean): Change['kind'] {
  if (node.type === 'inner') return change.kind
  if (node.type === 'semi') return change.kind
  if (node.type === 'anti') return isLeft ? change.kind : '-D'
  const isOuter = node.type === 'full' || node.type === (isLeft ? 'left' : 'right')
  return adds || isOuter ? '-D' : change.kind
}

interface Pair {
  /** Tells a pair from a row with NULLs that looks the same. */
  readonly kind: 'pair' | 'left' | 'right'
  readonly row: NaiveRow
}

/** The joined table of two bags. */
export function pairsOf(
  node: AnyJoin,
  lefts: readonly NaiveRow[],
  rights: readonly NaiveRow[],
): readonly Pair[] {
  const { type } = node
  const pairs: Pair[] = []
  const metRights = new Set<number>()
  for (const left of lefts) {
    const met = rights.flatMap((right, index) => (meets(node, left, right) ? [index] : []))
    for (const index of met) metRights.add(index)
    if (type === 'semi' || type === 'anti') {
      if (met.length > 0 === (type === 'semi')) pairs.push({ kind: 'left', row: left })
      continue
    }
    for (const index of met) pairs.push({ kind: 'pair', row: [...left, ...rights[index]!] })
    if (met.length === 0 && (type === 'left' || type === 'full'))
      pairs.push({ kind: 'left', row: [...left, ...nulls(node.right)] })
  }
  if (type === 'right' || type === 'full') {
    rights.forEach((right, index) => {
      if (!metRights.has(index)) pairs.push({ kind: 'right', row: [...nulls(node.left), ...right] })
    })
  }
  return pairs
}

export function meets(node: AnyJoin, left: NaiveRow, right: NaiveRow): boolean {
  const areEqual = node.leftKeys.every((key, index) =>
    sameKey(evaluate(key, left), evaluate(node.rightKeys[index] as Expression, right)),
  )
  if (!areEqual) return false
  return node.condition === undefined || evaluate(node.condition, [...left, ...right]) === true
}

function sameKey(a: unknown, b: unknown): boolean {
  return a !== null && b !== null && textOf(a) === textOf(b)
}

export function nulls(node: PlanNode): NaiveRow {
  return schemaOf(node).map(() => null)
}

function apply(bag: NaiveRow[], row: NaiveRow, adds: boolean): void {
  if (adds) bag.push(row)
  else {
    const at = bag.findIndex((each) => textOf(each) === textOf(row))
    if (at >= 0) bag.splice(at, 1)
  }
}

/** `some` less `others`, as bags. */
function without(some: readonly Pair[], others: readonly Pair[]): readonly Pair[] {
  const left = others.map(textOf)
  return some.filter((each) => {
    const at = left.indexOf(textOf(each))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? `${each}n` : typeof each === 'number' ? String(each + 0) : each,
  )
}
