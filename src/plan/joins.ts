/**
 * Joins from their conditions: which are keys, which hold on one side alone, and which kind of join it is. A condition stands as
 * deep as it means the same there.
 */
import { type Field, type Schema, withNullability } from '../data/types.ts'
import { mapColumns } from './columns.ts'
import {
  columnsIn,
  conjunctionOf,
  conjunctsOf,
  isSteady,
  isTrue,
  refusesNulls,
} from './conjuncts.ts'
import type { Expression } from './expressions.ts'
import { timeBoundsOf } from './interval-bounds.ts'
import { type KeyPair, keyPairs, sideOf } from './join-keys.ts'
import { type Join, type JoinType, type PlanNode, schemaOf } from './nodes.ts'
import { isOuter } from './outer-columns.ts'
import { processingTimesOf, timeAttributesOf } from './time-attributes.ts'
import { traitsOf } from './traits.ts'
import { carriedWindows, windowSpec } from './window-columns.ts'

/** `left` and `right` joined where all of `conjuncts` hold, which are over left's columns, then right's. */
export function joinOf(
  type: JoinType,
  left: PlanNode,
  right: PlanNode,
  conjuncts: readonly Expression[],
): PlanNode {
  const width = schemaOf(left).length
  const ofLeft: Expression[] = []
  const ofRight: Expression[] = []
  const rest: Expression[] = []
  for (const conjunct of conjuncts) {
    if (isTrue(conjunct)) continue
    const side = isSteady(conjunct) ? sideOf(conjunct, width) : undefined
    // What decides whether a kept row finds a partner must not take the row away.
    if (side === 'left' && ['inner', 'right', 'semi'].includes(type)) ofLeft.push(conjunct)
    else if (side === 'right' && type !== 'right' && type !== 'full')
      ofRight.push(shifted(conjunct, -width))
    else rest.push(conjunct)
  }
  return splitKeys(type, filterOver(left, ofLeft), filterOver(right, ofRight), rest)
}

export function shifted(expression: Expression, by: number): Expression {
  return mapColumns(expression, (column) => ({ ...column, index: column.index + by }))
}

function splitKeys(
  type: JoinType,
  left: PlanNode,
  right: PlanNode,
  conjuncts: readonly Expression[],
): PlanNode {
  const width = schemaOf(left).length
  const keys: KeyPair[] = []
  const others: Expression[] = []
  for (const conjunct of conjuncts) {
    const pairs = keyPairs(conjunct, width)
    if (pairs === undefined) others.push(conjunct)
    else keys.push(...pairs)
  }
  const schema = joinedSchema(type, schemaOf(left), schemaOf(right))
  const condition = conjunctionOf(others)
  const join: Join = {
    kind: 'join',
    type,
    left,
    right,
    leftKeys: keys.map(([key]) => key),
    rightKeys: keys.map(([, key]) => shifted(key, -width)),
    ...(condition === undefined ? {} : { condition }),
    schema,
  }
  if (isUpdating(left) || isUpdating(right)) return join
  return windowJoin(join) ?? intervalJoin(join, conjuncts) ?? join
}

function isUpdating(node: PlanNode): boolean {
  return traitsOf(node).changes === 'update'
}

/** Names that stand twice get numbers. */
export function joinedSchema(type: JoinType, left: Schema, right: Schema): Schema {
  if (type === 'semi' || type === 'anti') return left
  const taken = new Set<string>()
  const field =
    (isOuter: boolean) =>
    (each: Field): Field => {
      let name = each.name
      for (let count = 0; taken.has(name); count++) name = `${each.name}${count}`
      taken.add(name)
      return { name, type: isOuter ? withNullability(each.type, true) : each.type }
    }
  return [
    ...left.map(field(type === 'right' || type === 'full')),
    ...right.map(field(type === 'left' || type === 'full')),
  ]
}

/** Equal window_start and window_end of one window on both sides: neither is a key any more. */
function windowJoin(join: Join): PlanNode | undefined {
  const lefts = carriedWindows(join.left, join.leftKeys)
  const rights = carriedWindows(join.right, join.rightKeys)
  for (const left of lefts) {
    const right = rights.find(({ start, end }) => start === left.start && end === left.end)
    if (right === undefined || right.timeDomain !== left.timeDomain) continue
    const isSame =
      JSON.stringify(windowSpec(left.origin)) === JSON.stringify(windowSpec(right.origin))
    if (!isSame) continue
    const isKey = (_: unknown, index: number): boolean => index !== left.start && index !== left.end
    return {
      ...join,
      kind: 'window-join',
      leftKeys: join.leftKeys.filter(isKey),
      rightKeys: join.rightKeys.filter(isKey),
      leftWindow: left.columns,
      rightWindow: right.columns,
      ...(left.timeDomain === 'event' ? {} : { timeDomain: left.timeDomain }),
    }
  }
  return undefined
}

function intervalJoin(join: Join, conjuncts: readonly Expression[]): PlanNode | undefined {
  if (join.type === 'semi' || join.type === 'anti') return undefined
  const { left, right } = join
  const times = (node: PlanNode) => ({
    event: timeAttributesOf(node),
    processing: processingTimesOf(node),
  })
  const width = schemaOf(left).length
  const bounds = timeBoundsOf(conjuncts, width, times(left), times(right))
  if (bounds === undefined) return undefined
  const { leftTime, rightTime, timeDomain, lowerUs, upperUs, rest } = bounds
  const pairs = rest.map((conjunct) => keyPairs(conjunct, width))
  const keys = pairs.flatMap((each) => each ?? [])
  const condition = conjunctionOf(rest.filter((_, index) => pairs[index] === undefined))
  return {
    kind: 'interval-join',
    type: join.type,
    left,
    right,
    leftKeys: keys.map(([key]) => key),
    rightKeys: keys.map(([, key]) => shifted(key, -width)),
    ...(condition === undefined ? {} : { condition }),
    leftTime,
    rightTime,
    ...(timeDomain === 'event' ? {} : { timeDomain }),
    lowerUs,
    upperUs,
    schema: join.schema,
  }
}

/** The conditions of a join, one by one, over both sides' columns. */
export function joinConditions(join: Join): readonly Expression[] {
  const width = schemaOf(join.left).length
  const keys = join.leftKeys.map(
    (left, index): Expression => ({
      kind: 'call',
      function: 'EQUALS',
      args: [left, shifted(join.rightKeys[index]!, width)],
      type: {
        kind: 'boolean',
        nullable: left.type.nullable || join.rightKeys[index]!.type.nullable,
      },
    }),
  )
  return [...keys, ...(join.condition === undefined ? [] : conjunctsOf(join.condition))]
}

/** Rows of `node` for which all of `conjuncts` hold: within the joins beneath, where that is the same, else on top. */
export function filterOver(node: PlanNode, conjuncts: readonly Expression[]): PlanNode {
  const asked = conjuncts.filter((conjunct) => !isTrue(conjunct))
  if (asked.length === 0) return node
  if (node.kind === 'join') return filterJoin(node, asked)
  if (node.kind === 'filter' && holdsJoin(node.input))
    return filterOver(node.input, [...conjunctsOf(node.condition), ...asked])
  if (node.kind === 'project' && holdsJoin(node.input)) {
    const { input, expressions } = node
    const isMoved = (conjunct: Expression): boolean =>
      isSteady(conjunct) && [...columnsIn(conjunct)].every((index) => isSteady(expressions[index]!))
    const moved = asked
      .filter(isMoved)
      .map((conjunct) => mapColumns(conjunct, ({ index }) => expressions[index]!))
    const kept = asked.filter((conjunct) => !isMoved(conjunct))
    return filtered({ ...node, input: filterOver(input, moved) }, kept)
  }
  return filtered(node, asked)
}

function filtered(input: PlanNode, conjuncts: readonly Expression[]): PlanNode {
  const condition = conjunctionOf(conjuncts)
  return condition === undefined ? input : { kind: 'filter', input, condition }
}

function holdsJoin(node: PlanNode): boolean {
  if (node.kind === 'join') return true
  return (node.kind === 'filter' || node.kind === 'project') && holdsJoin(node.input)
}

function filterJoin(join: Join, conjuncts: readonly Expression[]): PlanNode {
  const width = schemaOf(join.left).length
  if (join.type === 'semi' || join.type === 'anti') {
    const steady = conjuncts.filter(isSteady)
    const kept = conjuncts.filter((conjunct) => !isSteady(conjunct))
    const left = filterOver(join.left, steady)
    return filtered({ ...join, left }, kept)
  }
  const type = narrowed(join.type, conjuncts, width)
  const within: Expression[] = []
  const lefts: Expression[] = []
  const rights: Expression[] = []
  const above: Expression[] = []
  for (const conjunct of conjuncts) {
    const side = isSteady(conjunct) ? sideOf(conjunct, width) : undefined
    if (type === 'inner' && isWithin(conjunct, join)) within.push(conjunct)
    else if (type === 'left' && side === 'left') lefts.push(conjunct)
    else if (type === 'right' && side === 'right') rights.push(shifted(conjunct, -width))
    else above.push(conjunct)
  }
  const left = filterOver(join.left, lefts)
  const right = filterOver(join.right, rights)
  const inner = joinOf(type, left, right, [...joinConditions(join), ...within])
  return filtered(keepTtl(inner, join), above)
}

/** Not a column of a query around this one. */
function isWithin(conjunct: Expression, join: Join): boolean {
  return (
    !isOuter(conjunct) && [...columnsIn(conjunct)].every((column) => column < join.schema.length)
  )
}

/** What a STATE_TTL hint said of the join. */
function keepTtl(node: PlanNode, { leftTtlUs, rightTtlUs }: Join): PlanNode {
  if (node.kind !== 'join') return node
  return {
    ...node,
    ...(leftTtlUs === undefined ? {} : { leftTtlUs }),
    ...(rightTtlUs === undefined ? {} : { rightTtlUs }),
  }
}

/** An outer join whose rows without partner are all refused is an inner one. */
function narrowed(type: JoinType, conjuncts: readonly Expression[], width: number): JoinType {
  const refuses = (isOf: (column: number) => boolean): boolean =>
    conjuncts.some((conjunct) => refusesNulls(conjunct, isOf))
  const keepsLeft = type === 'left' || type === 'full'
  const keepsRight = type === 'right' || type === 'full'
  const left = keepsLeft && !refuses((column) => column >= width)
  const right = keepsRight && !refuses((column) => column < width)
  if (left && right) return 'full'
  return left ? 'left' : right ? 'right' : 'inner'
}
