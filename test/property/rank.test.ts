/** Top-N tells what the oracle tells, change by change, and the same table in every way. */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { types } from '../../src/data/types.ts'
import { MillraceError } from '../../src/errors.ts'
import type { PlanNode, Rank } from '../../src/plan/nodes.ts'
import type { FedRow } from '../builders/engine-run.ts'
import { runWay } from '../builders/engine-run.ts'
import { column, EVENTS, events, orderBy } from '../builders/plans.ts'
import { appended, equalsOracle, history, way } from './ordered-rows.ts'

const shape = fc.record({
  partition: fc.constantFrom([column('k')], [column('v')], [column('k'), column('d')], []),
  order: fc.constantFrom(
    'v',
    'v desc',
    'v desc nulls last',
    'd, v desc',
    'k desc, t',
    'x',
    't desc',
    '',
  ),
  range: fc.constantFrom([1, 1], [1, 2], [1, 5], [2, 2], [2, 4], [1, 100]),
  outputsNumber: fc.boolean(),
})
interface Shape {
  readonly partition: Rank['partition']
  readonly order: string
  readonly range: readonly number[]
  readonly outputsNumber: boolean
}

function rankOf(input: PlanNode, { partition, order, range, outputsNumber }: Shape): Rank {
  return {
    kind: 'rank',
    input,
    function: 'ROW_NUMBER',
    partition,
    order: order === '' ? [] : orderBy(order),
    from: range[0]!,
    to: range[1]!,
    outputsNumber,
    schema: outputsNumber ? [...EVENTS, { name: 'n', type: types.bigint }] : EVENTS,
  }
}

test('the first N of rows that only come', async () => {
  await fc.assert(
    fc.asyncProperty(appended(), way, shape, (rows, how, given) =>
      equalsOracle(rankOf(events(), given), rows, how),
    ),
    { numRuns: 600 },
  )
})

test('the first N of rows that come and go', async () => {
  await fc.assert(
    fc.asyncProperty(history(), way, shape, (rows, how, given) =>
      equalsOracle(rankOf(events({ changelog: true }), given), rows, how),
    ),
    { numRuns: 600 },
  )
})

test('N from a column is that of the first row of the partition', async () => {
  await fc.assert(
    fc.asyncProperty(history(), fc.boolean(), way, shape, (rows, changelog, how, given) => {
      // No NULLs, and in one partition only the first says how many.
      const told = rows
        .filter(({ kind }) => changelog || kind === '+I')
        .map(({ kind, row }): FedRow => ({ kind, row: { ...row, v: (row.v ?? 3n) as bigint } }))
      if (told.length === 0) return Promise.resolve()
      const plan = { ...rankOf(events({ changelog }), given), from: 1, to: { column: 1 } }
      return equalsOracle(plan, told, how)
    }),
    { numRuns: 300 },
  )
})

test('long lists keep their order as short ones do', async () => {
  const many = fc.array(fc.record({ v: fc.nat(200), k: fc.nat(3), goes: fc.nat(3) }), {
    minLength: 300,
    maxLength: 600,
  })
  await fc.assert(
    fc.asyncProperty(
      many,
      fc.constantFrom(1, 40, 1000),
      fc.boolean(),
      (steps, rowsMax, numbers) => {
        const held: FedRow['row'][] = []
        const rows = steps.map(({ v, k, goes }): FedRow => {
          const row = { k: `${k}`, v: BigInt(v), d: null, x: null, r: null, t: 0n }
          if (goes > 0 || held.length === 0) {
            held.push(row)
            return { kind: '+I', row }
          }
          return { kind: '-D', row: held.splice(v % held.length, 1)[0]! }
        })
        const given = { partition: [], order: 'v desc', range: [1, 3], outputsNumber: numbers }
        const how = { rowsMax, restartAfter: rowsMax === 40 ? [3, 2] : [] }
        return equalsOracle(rankOf(events({ changelog: true }), given), rows, how)
      },
    ),
    { numRuns: 12 },
  )
})

test('the first or last row of rows that come and go is a top 1 by time', async () => {
  await fc.assert(
    fc.asyncProperty(history(), way, fc.constantFrom('first', 'last'), (rows, how, keep) =>
      equalsOracle(
        {
          kind: 'deduplicate',
          input: events({ changelog: true }),
          partition: [column('k')],
          time: 5,
          keep: keep as 'first' | 'last',
        },
        rows,
        how,
      ),
    ),
    { numRuns: 100 },
  )
})

test('RANK() and DENSE_RANK() are refused, with what is supported', async () => {
  const given = { partition: [], order: 'v', range: [1, 3], outputsNumber: false }
  const plan: Rank = { ...rankOf(events(), given), function: 'DENSE_RANK' }
  await assert.rejects(
    runWay(plan, new Map([['events', [[]]]])),
    (error) => error instanceof MillraceError && /ROW_NUMBER/.test(error.hint),
  )
})
