/** Runs the tests: `npm test`, `npm test -- src/sql` for a part. Ends with the plain line `N passed, N failed, N skipped`. */

import { globSync } from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const parts = process.argv.slice(2)
/** They need systems that must be fetched and started: only when they are named. */
const ASKED_FOR = ['test/interop', 'test/kafka']
const areAskedFor = parts.some((part) => ASKED_FOR.some((folder) => part.startsWith(folder)))
const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'])
  .filter((file) => areAskedFor || !ASKED_FOR.some((folder) => file.startsWith(`${folder}/`)))
  .filter((file) => parts.length === 0 || parts.some((part) => file.startsWith(part)))
  .sort()

let passed = 0
let failed = 0
let skipped = 0
const stream = run({
  files: files.map((file) => `${process.cwd()}/${file}`),
  // Real engines listen on fixed ports: their tests follow one another.
  concurrency: areAskedFor ? 1 : 2,
  timeout: 600_000,
})
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return
  if (event.skip) skipped++
  else passed++
})
stream.on('test:fail', (event) => {
  if (event.details.type !== 'suite') failed++
})
stream.compose(new spec()).pipe(process.stdout)
process.stdout.on('unpipe', () => {
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
})
