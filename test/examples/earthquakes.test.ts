import assert from 'node:assert/strict'
import { cpSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { inDirectory, millrace } from '../cli/process.ts'

/** The words of a command line, as a shell parts them: quotes are all that this one knows. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!)
}

test('examples/earthquakes does what its README says, and no quake is missing', async () => {
  await inDirectory(async (directory) => {
    cpSync('examples/earthquakes', directory, { recursive: true })
    const commands = [
      ...readFileSync('examples/earthquakes/README.md', 'utf8').matchAll(/^npx millrace (.*)$/gm),
    ]
    assert.equal(commands.length, 3)
    const said: string[] = []
    for (const [, line] of commands) {
      const { code, out, err } = await millrace(directory, words(line!))
      assert.equal(code, 0, err)
      said.push(out)
    }
    assert.match(said[0]!, /1,707 rows read = 1,707 used \+ 0 dead/)
    assert.match(said[1]!, /quakes/)
    assert.match(said[2]!, / late for /)
    const sql = 'SELECT SUM(quakes) AS counted FROM quakes_per_hour'
    const [row] = (await millrace(directory, ['query', sql, '--json'])).out.trim().split('\n')
    const late = await millrace(directory, [
      'late',
      'list',
      'quakes_per_hour',
      '--limit',
      '2000',
      '--json',
    ])
    assert.equal(JSON.parse(row!).counted + late.out.trim().split('\n').length, 1707)
  })
})
