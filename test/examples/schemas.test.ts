import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { sqlDirectory } from '../builders/sql-run.ts'
import { inDirectory, millrace } from '../cli/process.ts'

const REGISTRY = readFileSync('docs/registry.md', 'utf8')
const FORMATS = readFileSync('docs/formats.md', 'utf8')

test('the example of docs/registry.md runs as it stands', async () => {
  await inDirectory(async (directory) => {
    for (const [, path, text] of REGISTRY.matchAll(
      /```(?:json|sql)\n(?:\/\/|--) (\S+)\n([\s\S]*?)```/g,
    )) {
      mkdirSync(dirname(join(directory, path!)), { recursive: true })
      writeFileSync(join(directory, path!), text!)
    }
    const lines = [
      ...REGISTRY.matchAll(/^(?:echo '(.*)' \| )?millrace (produce|query|schema check) (.*)$/gm),
    ]
    const said: string[] = []
    for (const [, input, command, rest] of lines) {
      const words = [...rest!.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!)
      const { out, err } = await millrace(directory, [...command!.split(' '), ...words], input)
      said.push(out + (command === 'schema check' ? err : ''))
    }
    assert.equal(said.length, 4)
    const blocks = [...REGISTRY.matchAll(/```\w*\n([\s\S]*?)```/g)].map(([, text]) => text)
    assert.ok(blocks.includes(said[2]), said[2])
    assert.ok(blocks.includes(said[3]), said[3])
  })
})

test('the example of docs/formats.md runs as it stands', async () => {
  await using sql = sqlDirectory()
  await sql.run(/```sql\n([\s\S]*?)```/.exec(FORMATS)![1]!)
  const folder = join(sql.directory, 'out')
  const [part] = readdirSync(folder).filter((name) => !name.startsWith('.'))
  assert.equal(readFileSync(join(folder, part!), 'utf8'), /```csv\n([\s\S]*?)```/.exec(FORMATS)![1])
})
