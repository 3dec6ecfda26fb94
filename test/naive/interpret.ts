/**
 * The oracle of plans: whole tables, a row at a time. Give it what the sources held and it tells the table that must come out,
 * whatever the batches, workers and restarts were. It shares no code with the engine.
 *
 * A changelog is folded before it is aggregated: rows are a bag, -U and -D take one away. Windows drop late rows: a row is late for a window
 * if the watermark of the rows before it had reached the window's end - 1 ms, and the lateness that is allowed (one split, rows in order). TIMESTAMP_LTZ is in UTC.
 */
import assert from 'node:assert/strict'
import type { AggregateCall, Expression } from '../../src/plan/expressions.ts'
import { inputsOf } from '../../src/plan/inputs.ts'
import { type PlanNode, type SinkNode, schemaOf } from '../../src/plan/nodes.ts'
import { makesChanges } from '../../src/plan/traits.ts'
import type { Window } from '../../src/plan/windows.ts'
import type { RowKindText } from '../builders/batch.ts'
import { aggregate } from './aggregate.ts'
import { compareRows } from './compare-rows.ts'
import { evaluate, NaiveFailure, type NaiveRow } from './expression.ts'
import { intervalJoined, joined, temporalJoined, windowJoined } from './joins.ts'
import { changelogNormalize, deduplicate, expand, temporalSort } from './ordered.ts'
import { over } from './over.ts'
import { rank, rankOfDeduplicate, windowRank } from './rank.ts'
import { type Session, sessionsOf } from './sessions.ts'

export interface Change {
  readonly kind: RowKindText
  readonly row: NaiveRow
  /** µs, of the rows before this one; absent where no watermark is declared. */
  readonly watermark?: bigint
  /** Its place among all rows that were read, where it is told: what joins go by. */
  readonly at?: number
}

/** What a source holds: rows, or changes. */
export type Input = readonly (NaiveRow | Change)[]

export interface Interpretation {
  /** What was told, one by one: of nodes whose changes the oracle knows. */
  readonly changes: readonly Change[]
  /** The final table, as a bag of rows. */
  readonly rows: readonly NaiveRow[]
  /** Rows that could not be computed. */
  readonly dead: number
  /** Pairs of a row and a window that it missed. */
  readonly late: number
  /** The same one by one. */
  readonly missed: readonly Missed[]
  /** Pairs of a row and a window that it is in. */
  readonly counted: number
}

export interface Missed {
  readonly row: NaiveRow
  /** µs */
  readonly timeUs: bigint
  /** Of the window that it missed, where there is one. */
  readonly startUs: bigint | null
  readonly watermarkUs: bigint
}

/** The table that `node` gives over `inputs`, by table name. */
export function interpret(
  node: PlanNode | SinkNode,
  inputs: ReadonlyMap<string, Input>,
): Interpretation {
  const counts: Counts = { dead: 0, late: 0, counted: 0, missed: [] }
  const changes = run(node, inputs, counts)
  const rows =
    changes.length > 0 && node.kind === 'sort' ? changes.map(({ row }) => row) : folded(changes)
  return { rows, changes, ...counts }
}

/** Notes a row that came too late for a node without windows. */
export type Late = (change: Change, timeUs: bigint) => void

interface Counts {
  dead: number
  late: number
  counted: number
  readonly missed: Missed[]
}

function run(
  node: PlanNode | SinkNode,
  inputs: ReadonlyMap<string, Input>,
  counts: Counts,
): readonly Change[] {
  const input = (of: PlanNode) => run(of, inputs, counts)
  const lateFor = ({ row, watermark }: Change, timeUs: bigint, startUs: bigint | null) => {
    counts.late++
    counts.missed.push({ row, timeUs, startUs, watermarkUs: watermark! })
  }
  const late: Late = (change, timeUs) => lateFor(change, timeUs, null)
  switch (node.kind) {
    case 'scan':
      return (inputs.get(node.table.name) ?? []).map(changeOf)
    case 'values':
      return node.rows.map((literals) => ({
        kind: '+I',
        row: literals.map((value, index) =>
          evaluate({ kind: 'literal', value, type: node.schema[index]!.type }, []),
        ),
      }))
    case 'watermark-assigner':
      return withWatermarks(input(node.input), node.watermark)
    case 'filter':
      return computed(input(node.input), counts, (change) =>
        evaluate(node.condition, change.row) === true ? [change] : [],
      )
    case 'project':
      return computed(input(node.input), counts, (change) => [
        { ...change, row: node.expressions.map((each) => evaluate(each, change.row)) },
      ])
    case 'union-all':
      return node.inputs.flatMap(input)
    case 'window-table':
      if (node.window.kind === 'session')
        return sessionsIn(node, input(node.input), counts).flatMap(({ start, end, changes }) =>
          changes.map(({ row }) => inserted([...row, start, end, end - 1000n])),
        )
      return input(node.input).flatMap((change) =>
        windowsOf(node.window, change.row[node.time] as bigint).map(([start, end]) => ({
          ...change,
          row: [...change.row, start, end, end - 1000n],
        })),
      )
    case 'window-aggregate':
      return windowAggregate(node, input(node.input), counts)
    case 'group-aggregate':
      return groupAggregate(node.keys, node.aggregates, folded(input(node.input))).map(inserted)
    case 'sort':
      return sorted(folded(input(node.input)), node).map(inserted)
    case 'expand':
      return expand(node, input(node.input))
    case 'changelog-normalize':
      return changelogNormalize(node, input(node.input))
    case 'temporal-sort':
      return temporalSort(node, input(node.input), late)
    case 'over-aggregate':
      return over(node, input(node.input), late, isUpdating(node.input))
    case 'window-rank': {
      const [key, ...others] = node.order
      const isLastByTime =
        node.to === 1 &&
        others.length === 0 &&
        key?.descending === true &&
        key.expression.kind === 'column' &&
        timeColumnsOf(node.input).includes(key.expression.index)
      return windowRank(node, input(node.input), counts, lateFor, isLastByTime)
    }
    case 'rank':
      return rank(node, input(node.input), isUpdating(node.input))
    case 'deduplicate': {
      const changes = input(node.input)
      if (!isUpdating(node.input)) return deduplicate(node, changes, late)
      return rank(rankOfDeduplicate(node, schemaOf(node)), changes, true)
    }
    case 'join':
      return joined(node, input(node.left), input(node.right))
    case 'interval-join':
      return intervalJoined(node, input(node.left), input(node.right), late)
    case 'window-join':
      return windowJoined(
        node,
        input(node.left),
        input(node.right),
        ({ row, watermark }, startUs, endUs) => {
          counts.late++
          const timeUs = endUs - 1000n
          counts.missed.push({ row, timeUs, startUs, watermarkUs: watermark! })
        },
      )
    case 'temporal-join':
      return temporalJoined(node, input(node.left), input(node.right), late)
    case 'sink':
      return input(node.input)
    default:
      throw new Error(`the naive interpreter has no ${node.kind}`)
  }
}

/** True if the rows of `node` may be taken back. */
function isUpdating(node: PlanNode): boolean {
  if (node.kind === 'scan') return node.table.options.changelog === 'true'
  return makesChanges(node) || inputsOf(node).some(isUpdating)
}

/** The time that a window table function went by, and window_time. */
function timeColumnsOf(node: PlanNode): readonly number[] {
  return node.kind === 'window-table' ? [node.time, node.schema.length - 1] : []
}

function changeOf(given: NaiveRow | Change): Change {
  return 'kind' in given ? given : inserted(given)
}
function inserted(row: NaiveRow): Change {
  return { kind: '+I', row }
}

/** Rows that fail are dead, the others go on. */
function computed(
  changes: readonly Change[],
  counts: Counts,
  compute: (change: Change) => readonly Change[],
): readonly Change[] {
  return changes.flatMap((change) => {
    try {
      return compute(change)
    } catch (error) {
      if (!(error instanceof NaiveFailure)) throw error
      counts.dead++
      return []
    }
  })
}

function withWatermarks(changes: readonly Change[], watermark: Expression): readonly Change[] {
  let greatest: bigint | undefined
  return changes.map((change) => {
    const before = greatest
    const now = evaluate(watermark, change.row) as bigint | null
    if (now !== null && (greatest === undefined || now > greatest)) greatest = now
    return before === undefined ? change : { ...change, watermark: before }
  })
}

/** The bag that is left when all changes are done. */
export function folded(changes: readonly Change[]): readonly NaiveRow[] {
  const bag = new Map<string, { row: NaiveRow; count: number }>()
  for (const { kind, row } of changes) {
    const key = keyOf(row)
    const entry = bag.get(key) ?? { row, count: 0 }
    entry.count += kind === '+I' || kind === '+U' ? 1 : -1
    bag.set(key, entry)
  }
  return [...bag.values()].flatMap(({ row, count }) => {
    assert.ok(count >= 0, `a row is taken away that is not there: ${keyOf(row)}`)
    return Array.from({ length: count }, () => row)
  })
}

/** Equal rows have equal keys: -0 is 0. */
export function keyOf(row: NaiveRow): string {
  return JSON.stringify(row, (_, value) =>
    typeof value === 'bigint' ? `${value}n` : typeof value === 'number' ? String(value + 0) : value,
  )
}

/** [start, end) of each window that holds `time`, µs. */
function windowsOf(window: Window, time: bigint): readonly (readonly [bigint, bigint])[] {
  assert.ok(window.kind !== 'session' && window.kind !== 'attached', `windows of ${window.kind}`)
  const size = BigInt(window.sizeUs)
  if (window.kind === 'cumulate') {
    const offset = BigInt(window.offsetUs)
    const start = time - ((((time - offset) % size) + size) % size)
    const windows: [bigint, bigint][] = []
    for (
      let end = start + BigInt(window.stepUs);
      end <= start + size;
      end += BigInt(window.stepUs)
    ) {
      if (end > time) windows.push([start, end])
    }
    return windows
  }
  const step = window.kind === 'tumble' ? size : BigInt(window.slideUs)
  const offset = BigInt(window.offsetUs)
  let start = time - ((((time - offset) % step) + step) % step)
  const windows: [bigint, bigint][] = []
  while (start + size > time) {
    windows.unshift([start, start + size])
    start -= step
  }
  return windows
}

function groupAggregate(
  keys: readonly Expression[],
  calls: readonly AggregateCall[],
  rows: readonly NaiveRow[],
): readonly NaiveRow[] {
  const groups = new Map<string, { key: NaiveRow; rows: NaiveRow[] }>()
  for (const row of rows) {
    const key = keys.map((each) => evaluate(each, row))
    const name = keyOf(key)
    const group = groups.get(name) ?? { key, rows: [] }
    group.rows.push(row)
    groups.set(name, group)
  }
  return [...groups.values()].map((group) => [
    ...group.key,
    ...calls.map((each) => aggregate(each, group.rows)),
  ])
}

function windowAggregate(
  node: Extract<PlanNode, { kind: 'window-aggregate' }>,
  changes: readonly Change[],
  counts: Counts,
): readonly Change[] {
  if (node.window.kind === 'session') return sessionAggregate(node, changes, counts)
  const panes = new Map<string, { start: bigint; end: bigint; changes: Change[] }>()
  const lateness = BigInt(node.emit?.latenessUs ?? 0)
  for (const change of changes) {
    const time = change.row[node.time]
    // A row without a time belongs to no window.
    if (time === null || time === undefined) {
      counts.dead++
      continue
    }
    const windows =
      node.window.kind === 'attached'
        ? [[change.row[node.window.start], change.row[node.window.end]] as [bigint, bigint]]
        : windowsOf(node.window, time as bigint)
    for (const [start, end] of windows) {
      if (change.watermark !== undefined && change.watermark >= end - 1000n + lateness) {
        counts.late++
        const { row, watermark } = change
        counts.missed.push({ row, timeUs: time as bigint, startUs: start, watermarkUs: watermark })
        continue
      }
      counts.counted++
      const pane = panes.get(`${start} ${end}`) ?? { start, end, changes: [] }
      pane.changes.push(change)
      panes.set(`${start} ${end}`, pane)
    }
  }
  return [...panes.values()].flatMap(({ start, end, changes }) =>
    groupAggregate(node.keys, node.aggregates, folded(changes)).map((row) =>
      inserted([...row, start, end, end - 1000n]),
    ),
  )
}

function sessionAggregate(
  node: Extract<PlanNode, { kind: 'window-aggregate' }>,
  changes: readonly Change[],
  counts: Counts,
): readonly Change[] {
  return sessionsIn(node, changes, counts).flatMap(({ start, end, changes }) =>
    groupAggregate(node.keys, node.aggregates, folded(changes)).map((row) =>
      inserted([...row, start, end, end - 1000n]),
    ),
  )
}

function sessionsIn(
  { window, time }: Extract<PlanNode, { kind: 'window-aggregate' | 'window-table' }>,
  changes: readonly Change[],
  counts: Counts,
): readonly Session[] {
  assert.ok(window.kind === 'session')
  const { sessions, missed } = sessionsOf(changes, window.partition, time, BigInt(window.gapUs))
  counts.dead += changes.filter(({ row }) => row[time] === null).length
  counts.late += missed.length
  counts.missed.push(...missed)
  for (const session of sessions) counts.counted += session.changes.length
  return sessions
}

function sorted(
  rows: readonly NaiveRow[],
  node: Extract<PlanNode, { kind: 'sort' }>,
): readonly NaiveRow[] {
  const ordered = rows.toSorted((a, b) => compareRows(node.keys, a, b))
  const start = node.offset ?? 0
  return ordered.slice(start, node.limit === undefined ? undefined : start + node.limit)
}
