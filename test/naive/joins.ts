/**
 * Joins by their definition: after each row that came or went the whole joined table is worked out anew, and what is told is how it
 * differs from the one before.
 */
import type { Expression } from '../../src/plan/expressions.ts'
import type { PlanNode } from '../../src/plan/nodes.ts'
import { schemaOf } from '../../src/plan/nodes.ts'
import { evaluate, type NaiveRow } from './expression.ts'
import type { Change, Late } from './interpret.ts'

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

type IntervalJoin = Extract<PlanNode, { kind: 'interval-join' }>

interface Kept {
  readonly row: NaiveRow
  readonly isLeft: boolean
  readonly timeUs: bigint
  /** When time is beyond this it can meet none any more. */
  readonly reachUs: bigint
  met: boolean
}

/** Each row with the rows before it that are still there and within its bounds; what is outer and has met none comes at the end. */
export function intervalJoined(
  node: IntervalJoin,
  left: readonly Change[],
  right: readonly Change[],
  late: Late,
): readonly Change[] {
  const kept: Kept[] = []
  const lonely: NaiveRow[] = []
  const told: Change[] = []
  const isOuter = (isLeft: boolean) => [isLeft ? 'left' : 'right', 'full'].includes(node.type)
  const alone = ({ row, isLeft }: Kept) => {
    if (isOuter(isLeft))
      lonely.push(isLeft ? [...row, ...nulls(node.right)] : [...nulls(node.left), ...row])
  }
  for (const { change, isLeft } of inOrder(left, right)) {
    const { row, watermark } = change
    const timeUs = row[isLeft ? node.leftTime : node.rightTime] as bigint
    const reachUs = timeUs + BigInt(isLeft ? -node.lowerUs : node.upperUs)
    const own: Kept = { row, isLeft, timeUs, reachUs, met: false }
    for (const other of kept) {
      if (other.isLeft === isLeft) continue
      if (watermark !== undefined && watermark > other.reachUs) continue
      const [one, two] = isLeft ? [own, other] : [other, own]
      const apart = one.timeUs - two.timeUs
      if (apart < BigInt(node.lowerUs) || apart > BigInt(node.upperUs)) continue
      if (!meets(node, one.row, two.row)) continue
      own.met = true
      other.met = true
      told.push({ kind: '+I', row: [...one.row, ...two.row] })
    }
    const keys = isLeft ? node.leftKeys : node.rightKeys
    const hasKey = keys.every((key) => evaluate(key, row) !== null)
    if (hasKey && (watermark === undefined || watermark < reachUs)) kept.push(own)
    else if (!own.met) {
      alone(own)
      if (!isOuter(isLeft) && hasKey && timeUs <= watermark!) late(change, timeUs)
    }
  }
  for (const each of kept) if (!each.met) alone(each)
  return [...told, ...lonely.map((row): Change => ({ kind: '+I', row }))]
}

type TemporalJoin = Extract<PlanNode, { kind: 'temporal-join' }>

interface Version {
  readonly row: NaiveRow
  readonly timeUs: bigint
  readonly isGone: boolean
}

/** Each left row, when the watermark has reached it, with the latest version that is not after it. */
export function temporalJoined(
  node: TemporalJoin,
  left: readonly Change[],
  right: readonly Change[],
  late: Late,
): readonly Change[] {
  const versions = new Map<string, Version[]>()
  const told: Change[] = []
  let waiting: Change[] = []
  let now: bigint | undefined
  const ofKey = (keys: readonly Expression[], row: NaiveRow) => {
    const values = keys.map((key) => evaluate(key, row))
    if (values.includes(null)) return undefined
    if (!versions.has(textOf(values))) versions.set(textOf(values), [])
    return versions.get(textOf(values))!
  }
  const give = (change: Change, version: Version | undefined) => {
    const isMet = version !== undefined && !version.isGone
    const holds = isMet && meets(node, change.row, version.row)
    if (holds) told.push({ kind: change.kind, row: [...change.row, ...version.row] })
    else if (node.type === 'left')
      told.push({ kind: change.kind, row: [...change.row, ...nulls(node.right)] })
    else return false
    return true
  }
  const reach = (watermark: bigint | undefined) => {
    now = watermark
    const isReady = ({ row }: Change) => now === undefined || (row[node.leftTime] as bigint) <= now
    for (const change of waiting.filter(isReady)) {
      const timeUs = change.row[node.leftTime] as bigint
      const list = ofKey(node.leftKeys, change.row)!
      const isLate = change.watermark !== undefined && timeUs <= change.watermark
      if (!give(change, latest(list, timeUs)) && isLate) late(change, timeUs)
    }
    waiting = waiting.filter((change) => !isReady(change))
    for (const [key, list] of versions) {
      const valid = now === undefined ? undefined : latest(list, now)
      if (valid !== undefined) versions.set(key, list.slice(list.indexOf(valid)))
    }
  }
  for (const { change, isLeft } of inOrder(left, right)) {
    if (change.watermark !== undefined && (now === undefined || change.watermark > now))
      reach(change.watermark)
    if (isLeft) {
      if (ofKey(node.leftKeys, change.row) === undefined) give(change, undefined)
      else waiting.push(change)
      continue
    }
    const list = ofKey(node.rightKeys, change.row)
    if (list === undefined || change.kind === '-U') continue
    const timeUs = change.row[node.rightTime!] as bigint
    const valid = now === undefined ? undefined : latest(list, now)
    if (now !== undefined && timeUs <= now && valid !== undefined && valid.timeUs > timeUs) {
      late(change, timeUs)
      continue
    }
    const after = list.findIndex((each) => each.timeUs > timeUs)
    const version = { row: change.row, timeUs, isGone: change.kind === '-D' }
    list.splice(after < 0 ? list.length : after, 0, version)
  }
  reach(undefined)
  return told
}

function latest(list: readonly Version[], timeUs: bigint): Version | undefined {
  return list.findLast((each) => each.timeUs <= timeUs)
}

type WindowJoin = Extract<PlanNode, { kind: 'window-join' }>

/** The joins of the rows of each window, without the rows that come when it has fired. */
export function windowJoined(
  node: WindowJoin,
  left: readonly Change[],
  right: readonly Change[],
  missed: (change: Change, startUs: bigint, endUs: bigint) => void,
): readonly Change[] {
  const windows = new Map<string, { lefts: NaiveRow[]; rights: NaiveRow[] }>()
  for (const { change, isLeft } of inOrder(left, right)) {
    const { start, end } = isLeft ? node.leftWindow : node.rightWindow
    const startUs = change.row[start] as bigint
    const endUs = change.row[end] as bigint
    if (change.watermark !== undefined && change.watermark >= endUs - 1000n) {
      missed(change, startUs, endUs)
      continue
    }
    const key = `${startUs} ${endUs}`
    const window = windows.get(key) ?? { lefts: [], rights: [] }
    windows.set(key, window)
    if (isLeft) window.lefts.push(change.row)
    else window.rights.push(change.row)
  }
  return [...windows.values()].flatMap(({ lefts, rights }) =>
    pairsOf(node, lefts, rights).map(({ row }): Change => ({ kind: '+I', row })),
  )
}
