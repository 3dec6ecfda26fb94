/** `npm run conformance -- SUITE FILE`: cases that this project did not write. Ends with the plain line `N passed, N failed, N skipped`. */
import { runFlinkFunctions } from './flink-functions.ts'
import { runFlinkPrograms } from './flink-programs.ts'

const SUITES = { 'flink-functions': runFlinkFunctions, 'flink-programs': runFlinkPrograms } as const

const [suite, file] = process.argv.slice(2)
if (suite === undefined || file === undefined || !Object.hasOwn(SUITES, suite)) {
  console.error(`usage: npm run conformance -- ${Object.keys(SUITES).join(' | ')} FILE`)
  process.exitCode = 2
} else {
  const { passed, failed } = await SUITES[suite as keyof typeof SUITES](file, console.log)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}
