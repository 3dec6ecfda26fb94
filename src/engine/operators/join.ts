/**
 * Join of all rows that there have been on either side: a changelog.
 *
 *   in     rows that come and go on either side
 *   out    inner: each pair as the row that came or went; outer: -D of the row with NULLs and +I of the pair when a row meets its first,
 *          -D of the pair and +I with NULLs when it loses its last. Semi and anti: left rows alone, when they meet their first or lose
 *          their last
 *   state  both sides' rows, in lists by key; where there is a condition or a TTL, of rows that are told with NULLs (of semi and anti: of left
 *          rows) the number of rows they meet; with a TTL the time at which they were last written
 *
 * With one-row batches the changelog is Flink's, row for row, but for the order of the rows that one row meets. NULL keys meet nothing.
 *
 * @see Flink, StreamingJoinOperator and StreamingSemiAntiJoinOperator
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { type Join, type PlanNode, schemaOf } from '../../plan/nodes.ts'
import { pairedRowLists } from '../../state/memory-row-lists.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { keepingByKey, meetingsOfKeys, turningByKey } from './join-by-key.ts'
import { type JoinChanges, joinChanges, meetingsOfEntries } from './join-changes.ts'
import { matcherOf } from './join-matches.ts'
import { type KeyedBatch, keyedBatches, listsOf } from './join-side.ts'
import { extrasOf, type SideNotes, type StoredSide, storedSide } from './join-store.ts'

const TABLES = ['left', 'right'] as const

interface Side {
  readonly keyed: (batch: Batch) => KeyedBatch
  readonly store: StoredSide
  readonly changes: JoinChanges
}

export function join(plan: Join, context: OperatorContext): Operator {
  const sides = sidesOf(plan, context)
  const hasTtl = plan.leftTtlUs !== undefined || plan.rightTtlUs !== undefined
  return {
    name: `join(${plan.type})`,
    onBatch(batch, emit, input) {
      const { keyed, store, changes } = sides[input]!
      const rows = keyed(batch)
      if (rows.batch.count === 0) return
      const lists = listsOf(context.memory, rows, store.rows)
      const met = changes(rows.batch, lists, emit)
      store.store(rows.batch, lists, met)
      if (hasTtl) for (const side of sides) side.store.expiry?.buryDead()
    },
    onWatermark() {},
    ...(hasTtl ? { onClock: () => sweep(sides) } : {}),
    onEnd() {},
    snapshot(writer) {
      for (const [at, { store }] of sides.entries())
        writer.table(TABLES[at]!, (sink) => store.rows.writeChanges(sink))
    },
    restore(reader) {
      for (const [at, { store }] of sides.entries()) {
        const source = reader.source(TABLES[at]!)
        if (source !== undefined) store.rows.restore(source)
      }
    },
    dispose() {
      for (const { store } of sides) store.rows.dispose()
    },
  }
}

function sweep(sides: readonly Side[]): void {
  for (const { store } of sides) store.expiry?.sweep()
}

function sidesOf(plan: Join, context: OperatorContext): readonly Side[] {
  const { memory, nowUs } = context
  const { type, left, right, leftKeys, rightKeys } = plan
  // Without a condition or a time to live a row meets all of its key.
  const isByKey =
    plan.condition === undefined && plan.leftTtlUs === undefined && plan.rightTtlUs === undefined
  const isTurned = type === 'semi' || type === 'anti'
  const isOuter = [type === 'left' || type === 'full', type === 'right' || type === 'full'] as const
  const notes = [
    { isCounted: !isByKey && (isOuter[0] || isTurned), ...ttlOf(plan.leftTtlUs) },
    { isCounted: !isByKey && isOuter[1], ...ttlOf(plan.rightTtlUs) },
  ] as const
  const layout = (input: PlanNode, side: SideNotes) => ({
    row: schemaOf(input).map((field) => field.type),
    extras: extrasOf(side),
  })
  const keyTypes = leftKeys.map((key) => key.type)
  const layouts = [layout(left, notes[0]), layout(right, notes[1])] as const
  const rows = pairedRowLists(memory, keyTypes, layouts)()
  const stores = [
    storedSide(memory, rows[0], notes[0], nowUs),
    storedSide(memory, rows[1], notes[1], nowUs),
  ] as const
  return [0, 1].map((side) => {
    const isLeft = side === 0
    const other = stores[isLeft ? 1 : 0]
    const filter = other.expiry?.keepLiving
    const matches = matcherOf(
      {
        left,
        right,
        ...(plan.condition === undefined ? {} : { condition: plan.condition }),
        isLeft,
        other: other.rows,
        ...(filter === undefined ? {} : { filter }),
      },
      context,
    )
    const store = stores[isLeft ? 0 : 1]
    const meetings = isByKey ? meetingsOfKeys(memory, store.rows) : meetingsOfEntries(other)
    const changes = joinChanges({
      memory,
      type,
      isLeft,
      other,
      matches,
      ...(isOuter[isLeft ? 1 : 0] ? { meetings } : {}),
    })
    const turned = isTurned && isByKey ? turnedByKey(memory, type, isLeft, stores) : undefined
    return {
      keyed: keyedBatches(isLeft ? left : right, isLeft ? leftKeys : rightKeys, context),
      store,
      changes: turned ?? changes,
    }
  })
}

function turnedByKey(
  memory: LinearMemory,
  type: 'semi' | 'anti',
  isLeft: boolean,
  [left, right]: readonly [StoredSide, StoredSide],
): JoinChanges {
  return isLeft
    ? keepingByKey(memory, type, right.rows)
    : turningByKey(memory, type, left.rows, right.rows)
}

function ttlOf(ttlUs: number | undefined): Pick<SideNotes, 'ttlUs'> {
  return ttlUs === undefined ? {} : { ttlUs }
}
