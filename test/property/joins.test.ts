/** Joins of two tables that take rows back: the oracle's table in every way, its changes with one-row batches. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Expression } from '../../src/plan/expressions.ts'
import type { JoinType, PlanNode } from '../../src/plan/nodes.ts'
import {
  type Changed,
  type Fed,
  type FedRow,
  rowText,
  runWay,
  SPILLED,
  tableOf,
  type Way,
} from '../builders/engine-run.ts'
import { column, EVENTS, events } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import { watermarkedInputs, withoutAssigners } from '../builders/watermarked.ts'
import { runWorkers } from '../builders/workers-run.ts'
import { interpret } from '../naive/interpret.ts'
import { appended, history } from './ordered-rows.ts'

const TYPES: readonly JoinType[] = ['inner', 'left', 'right', 'full', 'semi', 'anti']

const bool = { kind: 'boolean', nullable: true } as const
const width = EVENTS.length
/** left.v < right.v OR left.d = right.d, over both sides' columns. */
const condition: Expression = {
  kind: 'call',
  function: 'OR',
  type: bool,
  args: [
    { kind: 'call', function: 'LESS', type: bool, args: [column('v'), ofRight('v')] },
    { kind: 'call', function: 'EQUALS', type: bool, args: [column('d'), ofRight('d')] },
  ],
}

function ofRight(name: string): Expression {
  const of = column(name)
  return of.kind === 'column' ? { ...of, index: of.index + width } : of
}

const keys = fc.constantFrom(['k'], ['v'], ['k', 'd'], ['x'], [])

/** Which table gives how many rows next. */
const schedule = fc.array(
  fc.record({ split: fc.constantFrom('left/0', 'right/0'), rows: fc.integer({ min: 1, max: 4 }) }),
  { maxLength: 20 },
)
const way = fc.record({
  rowsMax: fc.constantFrom(1, 2, 5, 1000),
  restartAfter: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
  writesAhead: fc.boolean(),
  settings: fc.constantFrom({}, SPILLED),
  schedule,
})

function joinOf(
  type: JoinType,
  names: readonly string[],
  hasCondition: boolean,
  changelog: boolean,
): PlanNode {
  const left = events({ name: 'left', changelog })
  const right = events({ name: 'right', changelog })
  const isOfLeft = type === 'semi' || type === 'anti'
  return {
    kind: 'join',
    type,
    left,
    right,
    leftKeys: names.map((name) => column(name)),
    rightKeys: names.map((name) => column(name)),
    ...(hasCondition ? { condition } : {}),
    schema: isOfLeft
      ? EVENTS
      : [...EVENTS, ...EVENTS.map(({ name, type }) => ({ name: `${name}_right`, type }))],
  }
}

for (const type of TYPES) {
  test(`${type} join: the table and the changes are the oracle's`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(history(16), appended(16)),
        fc.oneof(history(16), appended(16)),
        keys,
        fc.boolean(),
        way,
        async (left, right, names, hasCondition, how) => {
          const fed: Fed = new Map([
            ['left', [left]],
            ['right', [right]],
          ])
          await equalsOracle(joinOf(type, names, hasCondition, true), fed, how)
        },
      ),
      { numRuns: 120 },
    )
  })
}

test('joins give the same table with several workers, through rescaling', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...TYPES),
      appended(30),
      appended(30),
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      fc.nat(1000),
      async (type, left, right, hasCondition, workers, seed) => {
        const fed: Fed = new Map([
          ['left', [left.slice(0, 9), left.slice(9)]],
          ['right', [right]],
        ])
        const plan = joinOf(type, ['k'], hasCondition, false)
        const how = { seed, workers, steps: 4, ringBytes: 1 << 16, rowsMax: 3 }
        const ran = await runWorkers(plan, fed, how)
        const inputs = new Map(
          [...fed].map(([table, splits]) => [
            table,
            splits.flat().map(({ row }) => EVENTS.map(({ name }) => row[name] ?? null)),
          ]),
        )
        assert.deepEqual(tableOf(ran.changes), interpret(plan, inputs).rows.map(rowText).sort())
      },
    ),
    { numRuns: 40 },
  )
})

test('pairs beyond one chunk are all told', async () => {
  const many = (count: number): FedRow[] =>
    Array.from({ length: count }, (_, index) => ({
      kind: '+I' as const,
      row: { k: 'hot', v: BigInt(index), d: null, x: null, r: null, t: 0n },
    }))
  const plan = joinOf('full', ['k'], false, false)
  const fed: Fed = new Map([
    ['left', [many(150)]],
    ['right', [many(130)]],
  ])
  const { changes } = await runWay(plan, fed, { rowsMax: 1000 })
  assert.equal(tableOf(changes).length, 150 * 130)
})

test('rows of a hot key go again, in any order, copies of one another too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 150, maxLength: 300 }),
      fc.integer({ min: 0, max: 150 }),
      fc.constantFrom(7, 50, 1000),
      async (values, kept, rowsMax) => {
        const row = (v: number) => ({ k: 'hot', v: BigInt(v), d: null, x: null, r: null, t: 0n })
        const come = values.map((v): FedRow => ({ kind: '+I', row: row(v) }))
        const go = [...values]
          .sort((a, b) => ((a * 7919) % 151) - ((b * 7919) % 151))
          .slice(kept)
          .map((v): FedRow => ({ kind: '-D', row: row(v) }))
        const one: FedRow = { kind: '+I', row: row(1000) }
        const fed: Fed = new Map([
          ['left', [[...come, ...go]]],
          ['right', [[one]]],
        ])
        const { changes } = await runWay(joinOf('full', ['k'], false, true), fed, {
          rowsMax,
          restartAfter: [3, 4],
        })
        assert.equal(tableOf(changes).length, kept === 0 ? 1 : kept)
        neverTakesWhatIsNotThere(changes)
      },
    ),
    { numRuns: 30 },
  )
})

async function equalsOracle(plan: PlanNode, fed: Fed, how: Way): Promise<void> {
  const ran = await runWay(plan, fed, how)
  const { inputs } = watermarkedInputs(plan, fed, ran.read, 0n)
  const expected = interpret(withoutAssigners(plan), inputs)
  assert.deepEqual(tableOf(ran.changes), expected.rows.map(rowText).sort())
  neverTakesWhatIsNotThere(ran.changes)
  if (how.rowsMax !== 1) return
  const told = ran.changes.map(({ kind, row }) => `${kind} ${rowText(row)}`)
  const wanted = expected.changes.map(({ kind, row }) => `${kind} ${rowText(row)}`)
  assert.deepEqual(told.sort(), wanted.sort())
}

function neverTakesWhatIsNotThere(changes: readonly Changed[]): void {
  const counts = new Map<string, number>()
  for (const { kind, row } of changes) {
    const text = rowText(row)
    const count = (counts.get(text) ?? 0) + (kind === '+I' || kind === '+U' ? 1 : -1)
    assert.ok(count >= 0, `${kind} ${text}`)
    counts.set(text, count)
  }
}
