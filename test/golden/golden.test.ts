/**
 * Every scenario in every way of running. `npm run golden` rewrites the answers from the way 'rows'; a reviewer reads the diff.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Way } from '../builders/engine-run.ts'
import { readScenarios, replay } from './scenario.ts'

const WAYS: Readonly<Record<string, Way>> = {
  whole: {},
  'in threes': { rowsMax: 3 },
  'restarted after each row': { rowsMax: 1, restartAfter: Array.from({ length: 40 }, () => 1) },
  'restarted twice': { rowsMax: 2, restartAfter: [2, 1] },
}

for (const scenario of readScenarios()) {
  test(`${scenario.name}, rows`, async () => {
    const { changes, table, late } = await replay(scenario, { rowsMax: 1 })
    assert.deepEqual(changes, scenario.changes)
    assert.deepEqual({ table, late }, { table: scenario.table, late: scenario.late })
  })
  // ORDER BY is of bounded queries, which take no checkpoints.
  const isSorted = scenario.plan.kind === 'sort'
  for (const [name, way] of Object.entries(WAYS)) {
    if (isSorted && way.restartAfter !== undefined) continue
    test(`${scenario.name}, ${name}`, async () => {
      const { table, late } = await replay(scenario, way)
      assert.deepEqual({ table, late }, { table: scenario.table, late: scenario.late })
    })
  }
}
