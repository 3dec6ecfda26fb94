/** `npm run golden`: rewrites every scenario's answers from the way 'rows'. */
import { writeFileSync } from 'node:fs'
import { readScenarios, replay, withAnswers } from './scenario.ts'

for (const scenario of readScenarios()) {
  writeFileSync(scenario.path, withAnswers(scenario, await replay(scenario, { rowsMax: 1 })))
}
