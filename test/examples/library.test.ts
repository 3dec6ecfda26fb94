import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { inDirectory } from '../cli/process.ts'

test('the example in docs/library.md runs as it stands', async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readFileSync('docs/library.md', 'utf8'))![1]!
  const library = JSON.stringify(pathToFileURL('src/index.ts').href)
  await inDirectory(async (directory) => {
    const file = join(directory, 'example.mts')
    writeFileSync(file, code.replace("'millrace'", library))
    const out = execFileSync(process.execPath, [file], { cwd: directory, encoding: 'utf8' })
    assert.match(out, /^oslo 2n$/m)
    assert.match(out, /^\+I quito 1n /m)
    assert.match(out, /^finished$/m)
    assert.match(out, /cents: 1590n/)
  })
})
