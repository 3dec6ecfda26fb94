import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { inDirectory, millrace } from '../cli/process.ts'

const README = readFileSync('README.md', 'utf8')

/** The words of a command line up to its comment; quotes are all of a shell that is known here. */
function words(line: string): string[] {
  const command = line.replace(/ +#.*$/, '')
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!)
}

test('the example of the README runs as it stands', async () => {
  await inDirectory(async (directory) => {
    for (const [, path, text] of README.matchAll(/```sql\n-- (\S+)\n([\s\S]*?)```/g)) {
      mkdirSync(dirname(join(directory, path!)), { recursive: true })
      writeFileSync(join(directory, path!), text!)
    }
    writeFileSync(join(directory, 'orders.jsonl'), /```json\n([\s\S]*?)```/.exec(README)![1]!)
    const said: string[] = []
    for (const [line] of README.matchAll(/^millrace (?:produce|run|query|late) .*$/gm)) {
      const { code, out, err } = await millrace(directory, words(line).slice(1))
      assert.equal(code, 0, err)
      said.push(out)
    }
    assert.equal(said.length, 4)
    assert.match(said[1]!, /3 rows read = 3 used \+ 0 dead/)
    assert.match(said[2]!, /quito +4\.00\n|oslo +15\.50\n/)
  })
})

test('every page and folder that the README names is there', () => {
  for (const [, path] of README.matchAll(/\]\(([^)#:]+)\)/g)) {
    assert.ok(existsSync(path!), path)
  }
})
