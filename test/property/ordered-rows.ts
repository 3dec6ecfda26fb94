/** Arbitraries and comparisons that tests of nodes which order rows share. */
import assert from 'node:assert/strict'
import type { PlanNode } from '../../src/plan/nodes.ts'
import {
  type Fed,
  type FedRow,
  rowText,
  runWay,
  SPILLED,
  tableOf,
  type Way,
} from '../builders/engine-run.ts'
import { fc } from '../builders/properties.ts'
import { watermarkedInputs, withoutAssigners } from '../builders/watermarked.ts'
import { interpret } from '../naive/interpret.ts'

/** Few values: keys meet, rows tie and equal one another. */
export const eventRow = fc.record({
  k: fc.constantFrom('a', 'b', '', null),
  v: fc.constantFrom(0n, 1n, 2n, 7n, null),
  d: fc.constantFrom('1.50', '-2.25', null),
  x: fc.constantFrom(0.5, -1, Number.NaN, null),
  r: fc.constantFrom(['p', 1n], ['q', null], [null, null], null),
  t: fc.integer({ min: 0, max: 20 }).map((seconds) => BigInt(seconds) * 1_000_000n),
})

/** Only what comes. */
export const appended = (maxLength = 24) =>
  fc.array(
    eventRow.map((row): FedRow => ({ kind: '+I', row })),
    { maxLength, minLength: 1 },
  )

/** Rows that come, and go again. */
export const history = (maxLength = 30) =>
  fc
    .array(
      fc.record({ row: eventRow, takes: fc.nat(2), which: fc.nat(30), update: fc.boolean() }),
      {
        maxLength,
        minLength: 1,
      },
    )
    .map((steps) => {
      const held: FedRow['row'][] = []
      return steps.map(({ row, takes, which, update }): FedRow => {
        if (takes > 0 || held.length === 0) {
          held.push(row)
          return { kind: update ? '+U' : '+I', row }
        }
        const [gone] = held.splice(which % held.length, 1)
        return { kind: update ? '-U' : '-D', row: gone! }
      })
    })

export const way: fc.Arbitrary<Way> = fc.record({
  rowsMax: fc.constantFrom(1, 2, 3, 1000),
  restartAfter: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  writesAhead: fc.boolean(),
  settings: fc.constantFrom({}, SPILLED),
})

/** Rows that wait for their state are dealt with several at a time. */
export function isRowByRow(how: Way): boolean {
  return how.rowsMax === 1 && how.settings !== SPILLED
}

/** The table and the late rows are the oracle's; with one-row batches the changes too, one for one. */
export async function equalsOracle(
  plan: PlanNode,
  rows: readonly FedRow[],
  how: Way,
  options: {
    readonly delayUs?: bigint
    readonly inAnyOrder?: boolean
    /** What the oracle is given instead. */
    readonly oracle?: PlanNode
  } = {},
): Promise<void> {
  const fed: Fed = new Map([['events', [rows]]])
  const ran = await runWay(plan, fed, how)
  const { inputs } = watermarkedInputs(plan, fed, ran.read, options.delayUs ?? 0n)
  const expected = interpret(withoutAssigners(options.oracle ?? plan), inputs)
  assert.deepEqual(tableOf(ran.changes), tableOf(expected.changes))
  assert.deepEqual(
    ran.late.map(([start, , time, watermark]) => rowText([start, time, watermark])).sort(),
    expected.missed
      .map(({ startUs, timeUs, watermarkUs }) => rowText([startUs, timeUs, watermarkUs]))
      .sort(),
  )
  if (!isRowByRow(how)) return
  const told = ran.changes.map(({ kind, row }) => `${kind} ${rowText(row)}`)
  const wanted = expected.changes.map(({ kind, row }) => `${kind} ${rowText(row)}`)
  if (options.inAnyOrder) assert.deepEqual(told.sort(), wanted.sort())
  else assert.deepEqual(told, wanted)
}
