/** Rows come in order of time, those that are too late beside them, in every way. */
import test from 'node:test'
import type { TemporalSort } from '../../src/plan/nodes.ts'
import { events, orderBy } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import { appended, equalsOracle, way } from './ordered-rows.ts'

test('ORDER BY event time, then others', async () => {
  await fc.assert(
    fc.asyncProperty(
      appended(40),
      way,
      fc.constantFrom('t', 't, v desc', 't, k, x desc nulls last'),
      fc.constantFrom(0n, 2_000_000n, 30_000_000n),
      (rows, how, order, delayUs) => {
        const input = events({ delayUs })
        const plan: TemporalSort = { kind: 'temporal-sort', input, time: 5, keys: orderBy(order) }
        return equalsOracle(plan, rows, how, { delayUs })
      },
    ),
    { numRuns: 150 },
  )
})

test('by the clock each row goes on as it comes', async () => {
  const input = events()
  const plan: TemporalSort = {
    kind: 'temporal-sort',
    input,
    time: 5,
    timeDomain: 'processing',
    keys: orderBy('v, k desc'),
  }
  await fc.assert(
    fc.asyncProperty(appended(), way, (rows, how) =>
      equalsOracle(plan, rows, how, { oracle: input }),
    ),
    { numRuns: 100 },
  )
})
