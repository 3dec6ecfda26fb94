/** Writes `docs/cli.md` from the commands' own help; `test/cli/docs.test.ts` holds it to them. */
import { writeFileSync } from 'node:fs'
import { cliReference } from '../src/cli/reference.ts'

writeFileSync('docs/cli.md', await cliReference())
