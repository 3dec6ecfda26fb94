/**
 * Every scenario in every way of running, by the runner of `millrace test`. `npm run golden` rewrites the answers from the way 'rows';
 * a reviewer reads the diff.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { differencesIn } from '../../src/testing/golden/check.ts'
import { withAnswers } from '../../src/testing/golden/golden-file.ts'
import { isTimed, waysOf } from '../../src/testing/golden/ways.ts'
import { nameOf, readScenarios } from './scenarios.ts'

for (const scenario of await readScenarios()) {
  test(`${nameOf(scenario)}, written as 'npm run golden' writes it`, () => {
    const written = withAnswers(scenario, scenario.answers, isTimed(scenario))
    assert.equal(readFileSync(scenario.path, 'utf8'), written)
  })
  for (const way of waysOf(scenario)) {
    test(`${nameOf(scenario)}, ${way.name}`, async () => {
      const differences = await differencesIn(scenario, way, '.')
      assert.deepEqual(differences, [], differences.flatMap(({ lines }) => lines).join('\n'))
    })
  }
}
