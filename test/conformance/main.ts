/** `npm run conformance -- SUITE FILE`: cases that this project did not write. Ends with the plain line `N passed, N failed, N skipped`. */

const SUITES = {
  'flink-functions': async () => (await import('./flink-functions.ts')).runFlinkFunctions,
  'flink-programs': async () => (await import('./flink-programs.ts')).runFlinkPrograms,
  'schema-compatibility': async () =>
    (await import('./schema-compatibility.ts')).runSchemaCompatibility,
} as const

const [suite, file] = process.argv.slice(2)
if (suite === undefined || file === undefined || !Object.hasOwn(SUITES, suite)) {
  console.error(`usage: npm run conformance -- ${Object.keys(SUITES).join(' | ')} FILE`)
  process.exitCode = 2
} else {
  const runSuite = await SUITES[suite as keyof typeof SUITES]()
  const { passed, failed } = await runSuite(file, console.log)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}

export {}
