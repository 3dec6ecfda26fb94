import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { inDirectory } from '../cli/process.ts'

test('the example in docs/testing.md runs as it stands', async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readFileSync('docs/testing.md', 'utf8'))![1]!
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
})
