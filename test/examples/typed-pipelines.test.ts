import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { inDirectory, millrace } from '../cli/process.ts'

const library = JSON.stringify(pathToFileURL('src/index.ts').href)
const page = readFileSync('docs/typed-pipelines.md', 'utf8')
const code = /```ts\n([\s\S]*?)```/.exec(page)![1]!.replace("'millrace'", library)

test('the example in docs/typed-pipelines.md runs as it stands', async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, 'example.mts')
    writeFileSync(file, code)
    const out = execFileSync(process.execPath, [file], { cwd: directory, encoding: 'utf8' })
    assert.match(out, /^oslo 1n 12.50$/m)
    assert.match(out, /^oslo 1n 0.40$/m)
    assert.match(out, /^INSERT INTO `revenue` SELECT /m)
    assert.match(out, /^finished$/m)
  })
})

test('a .ts file of a project is checked, explained and run as a .sql file is', async () => {
  await inDirectory(async (directory) => {
    mkdirSync(join(directory, 'pipelines'))
    writeFileSync(join(directory, 'millrace.config.ts'), 'export default {}\n')
    const definition = code
      .slice(0, code.indexOf('const db = '))
      .replace('const definition = ', 'export default ')
    writeFileSync(join(directory, 'pipelines', 'revenue.ts'), definition)
    const checked = await millrace(directory, ['check'])
    assert.equal(checked.code, 0, checked.err)
    const explained = await millrace(directory, ['explain', 'pipelines/revenue.ts'])
    assert.match(explained.out, /TUMBLE/)
    const ran = await millrace(directory, ['run', 'pipelines/revenue.ts', '--until', 'end'])
    assert.equal(ran.code, 0, ran.err)
  })
})
