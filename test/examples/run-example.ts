/** The TypeScript of a page of docs, run as a user's own test file. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inDirectory } from '../cli/process.ts'

/** The first example of `page` passes. */
export async function runExample(page: string): Promise<void> {
  const code = /```ts\n([\s\S]*?)```/.exec(readFileSync(page, 'utf8'))![1]!
  const testing = JSON.stringify(pathToFileURL('src/testing/index.ts').href)
  await inDirectory(async (directory) => {
    const file = join(directory, 'example.test.mts')
    writeFileSync(file, code.replace("'millrace/testing'", testing))
    const environment = { ...process.env }
    // Else the inner runner reports to the outer one, in a form for programs.
    delete environment.NODE_TEST_CONTEXT
    const out = execFileSync(process.execPath, ['--test', '--test-reporter=tap', file], {
      cwd: directory,
      encoding: 'utf8',
      env: environment,
    })
    assert.match(out, /^# pass 1$/m)
    assert.match(out, /^# fail 0$/m)
  })
}
