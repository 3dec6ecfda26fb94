/** Writes the project's own cases to test/conformance/schema-compatibility.jsonl. */
import { writeFileSync } from 'node:fs'
import { ownCases } from './cases.ts'

writeFileSync(
  new URL('../schema-compatibility.jsonl', import.meta.url),
  ownCases()
    .map((each) => `${JSON.stringify(each)}\n`)
    .join(''),
)
