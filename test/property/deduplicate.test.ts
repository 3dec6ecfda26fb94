/** What keeps one row a key tells what the oracle tells, change by change, and the same table in every way. */
import test from 'node:test'
import type { PlanNode } from '../../src/plan/nodes.ts'
import { column, EVENTS, events } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import { appended, equalsOracle, history, way } from './ordered-rows.ts'

const partition = fc.constantFrom([column('k')], [column('v')], [column('k'), column('d')], [])

for (const keep of ['first', 'last'] as const) {
  test(`by event time the ${keep} row of each key stays`, async () => {
    await fc.assert(
      fc.asyncProperty(
        appended(),
        way,
        partition,
        fc.constantFrom(0n, 2_000_000n),
        (rows, how, by, delayUs) =>
          equalsOracle(
            { kind: 'deduplicate', input: events({ delayUs }), partition: by, time: 5, keep },
            rows,
            how,
            { delayUs },
          ),
      ),
      { numRuns: 200 },
    )
  })

  test(`by arrival the ${keep} row of each key stays`, async () => {
    await fc.assert(
      fc.asyncProperty(appended(), way, partition, (rows, how, by) =>
        equalsOracle(
          {
            kind: 'deduplicate',
            input: events(),
            partition: by,
            time: 5,
            timeDomain: 'processing',
            keep,
          },
          rows,
          how,
        ),
      ),
      { numRuns: 200 },
    )
  })
}

test('an upsert stream becomes a changelog with what was before', async () => {
  const keys = fc.constantFrom([0], [1], [0, 2])
  await fc.assert(
    fc.asyncProperty(history(), way, keys, (rows, how, by) =>
      equalsOracle(
        { kind: 'changelog-normalize', input: events({ changelog: true }), keys: by },
        rows,
        how,
      ),
    ),
    { numRuns: 200 },
  )
})

test('each row comes once a projection, with its kind', async () => {
  const none = { kind: 'literal', value: null } as const
  const plan: PlanNode = {
    kind: 'expand',
    input: events({ changelog: true }),
    projections: [
      [column('k'), column('v')],
      [column('k'), { ...none, type: column('v').type }],
      [
        { ...none, type: column('k').type },
        { ...none, type: column('v').type },
      ],
    ],
    schema: EVENTS.slice(0, 2),
  }
  await fc.assert(
    fc.asyncProperty(history(), way, (rows, how) => equalsOracle(plan, rows, how)),
    { numRuns: 100 },
  )
})
