import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { httpReceiver } from '../builders/http-receiver.ts'
import { inDirectory, millrace } from '../cli/process.ts'

const run = promisify(execFile)
const library = JSON.stringify(pathToFileURL('src/index.ts').href)
const page = readFileSync('docs/typed-pipelines.md', 'utf8')
const [code, FEES, CHARGED] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text]) =>
  text!.replace("'millrace'", library),
) as [string, string, string]

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

test('functions and lookups in docs/typed-pipelines.md run as they stand', async () => {
  const service = await httpReceiver(({ path }, response) => {
    if (path === '/customers/7') response.end('{"tier":"gold"}')
    else response.writeHead(404).end()
  })
  await inDirectory(async (directory) => {
    const file = join(directory, 'example.mts')
    writeFileSync(file, CHARGED)
    writeFileSync(join(directory, 'fees.ts'), FEES)
    writeFileSync(
      join(directory, 'payments.jsonl'),
      '{"customer":7,"cents":1200}\n{"customer":8,"cents":3400}\n',
    )
    const env = { ...process.env, CUSTOMERS_URL: service.url }
    const { stdout } = await run(process.execPath, [file], { cwd: directory, env })
    const [highest, ...rows] = stdout
      .trim()
      .split('\n')
      .sort((a, b) => b.localeCompare(a))
    assert.equal(highest, 'null 3400n 34n')
    assert.deepEqual(rows, ['highest 34n', 'gold 1200n 0n'])
  })
  await service.close()
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
