/**
 * Every scenario in every way of running, by the runner of `millrace test`. `npm run golden` rewrites the answers from the way 'rows';
 * a reviewer reads the diff.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { differencesIn } from '../../src/testing/golden/check.ts'
import { waysOf } from '../../src/testing/golden/ways.ts'
import { nameOf, readScenarios } from './scenarios.ts'

for (const scenario of await readScenarios()) {
  for (const way of waysOf(scenario)) {
    test(`${nameOf(scenario)}, ${way.name}`, async () => {
      const differences = await differencesIn(scenario, way, '.')
      assert.deepEqual(differences, [], differences.flatMap(({ lines }) => lines).join('\n'))
    })
  }
}
