/**
 * Every scenario in every way of running. `npm run golden` rewrites the answers from the way 'rows'; a reviewer reads the diff.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { SPILLED, type Way } from '../builders/engine-run.ts'
import type { WorkersWay } from '../builders/workers-run.ts'
import { readScenarios, replay, replayWorkers } from './scenario.ts'

const WAYS: Readonly<Record<string, Way>> = {
  whole: {},
  'in threes': { rowsMax: 3 },
  'restarted after each row': { rowsMax: 1, restartAfter: Array.from({ length: 40 }, () => 1) },
  'restarted twice': { rowsMax: 2, restartAfter: [2, 1] },
}

const SPILLED_WAYS: Readonly<Record<string, Way>> = {
  spilled: { settings: SPILLED, rowsMax: 3 },
  'spilled, restarted': { settings: SPILLED, rowsMax: 1, restartAfter: [2, 1, 3] },
}

const WORKERS: Readonly<Record<string, Pick<WorkersWay, 'workers' | 'settings'>>> = {
  '1 worker': { workers: [1] },
  '2 workers': { workers: [2] },
  '4 workers': { workers: [4] },
  'rescaled from 2 workers to 4 to 1': { workers: [2, 4, 1] },
  'rescaled from 1 worker to 3': { workers: [1, 3] },
  'spilled, rescaled from 2 workers to 3': { workers: [2, 3], settings: SPILLED },
}

for (const scenario of readScenarios()) {
  test(`${scenario.name}, rows`, async () => {
    const { changes, table, late } = await replay(scenario, { rowsMax: 1 })
    assert.deepEqual(changes, scenario.changes)
    assert.deepEqual({ table, late }, { table: scenario.table, late: scenario.late })
  })
  // ORDER BY is of bounded queries, which take no checkpoints.
  const isSorted = scenario.plan.kind === 'sort'
  for (const [name, way] of Object.entries({ ...WAYS, ...SPILLED_WAYS })) {
    if (isSorted && way.restartAfter !== undefined) continue
    test(`${scenario.name}, ${name}`, async () => {
      const { table, late } = await replay(scenario, way)
      assert.deepEqual({ table, late }, { table: scenario.table, late: scenario.late })
    })
  }
  if (isSorted) continue
  for (const [name, way] of Object.entries(WORKERS)) {
    test(`${scenario.name}, ${name}`, async () => {
      const some = { seed: 1, steps: 2, ringBytes: 1 << 12, rowsMax: 2, ...way }
      const { table, late } = await replayWorkers(scenario, some)
      assert.deepEqual({ table, late }, { table: scenario.table, late: scenario.late })
    })
  }
}
