/** `npm run golden`: rewrites every scenario's answers from the way 'rows'. */
import { writeFileSync } from 'node:fs'
import { withAnswers } from '../../src/testing/golden/golden-file.ts'
import { isTimed, ROWS, replay } from '../../src/testing/golden/ways.ts'
import { readScenarios } from './scenarios.ts'

for (const scenario of await readScenarios()) {
  const answers = await replay(scenario, ROWS, '.')
  writeFileSync(scenario.path, withAnswers(scenario, answers, isTimed(scenario)))
}
