/**
 * Golden scenarios through crashes, restarts and workers that a seed chooses, with their own rows or made up ones: see
 * src/testing/simulate. MILLRACE_SEEDS=2 has both of each.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { arrivalsOf } from '../../src/testing/golden/scenario.ts'
import { waysOf } from '../../src/testing/golden/ways.ts'
import { type Simulated, simulate } from '../../src/testing/simulate/simulate.ts'
import { historyText } from '../../src/testing/simulate/steps.ts'
import { nameOf, readScenarios } from '../golden/scenarios.ts'
import { eachSeed } from './seeds.ts'

/** ORDER BY is of bounded queries, which take no checkpoints. */
const scenarios = (await readScenarios()).filter((scenario) =>
  waysOf(scenario).some(({ lives }) => lives.length > 1),
)

for (const [index, scenario] of scenarios.entries()) {
  test(`${nameOf(scenario)}: whatever befalls it, what comes out is the same`, () =>
    eachSeed(1, async (seed) => {
      const { pipeline } = scenario
      const captured = (seed + index) % 2 === 0 ? { captured: { steps: arrivalsOf(scenario) } } : {}
      holds(await simulate({ pipeline, directory: '.', seed, runs: 1, events: 25, ...captured }))
    }))
}

function holds({ failed }: Simulated): void {
  if (failed === undefined) return
  const { failure, history } = failed
  assert.fail([failure.what, ...failure.lines, historyText(history)].join('\n'))
}
