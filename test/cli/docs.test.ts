import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { COMMANDS } from '../../src/cli/command-list.ts'
import { processIo } from '../../src/cli/io.ts'
import { createProgram } from '../../src/cli/program.ts'
import { cliReference } from '../../src/cli/reference.ts'

test('docs/cli.md says what the commands say of themselves (node scripts/cli-docs.ts)', async () => {
  assert.equal(readFileSync('docs/cli.md', 'utf8'), await cliReference())
})

test('every command has an example, and --json where it prints data', async () => {
  const program = await createProgram([], processIo(), true)
  const reference = await cliReference()
  for (const { name } of COMMANDS) {
    const command = program.commands.find((each) => each.name() === name)!
    assert.match(
      reference,
      new RegExp(`\\n  (\\S.* \\| )?millrace ${name}`),
      `${name} has an example`,
    )
    const leaves = command.commands.length > 0 ? command.commands : [command]
    for (const leaf of leaves) {
      const hasJson = leaf.options.some(({ long }) => long === '--json')
      assert.ok(hasJson || name === 'demo', `${name} ${leaf.name()} has --json`)
    }
  }
})
