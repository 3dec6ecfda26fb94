import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import { runDemo } from '../../src/cli/demo/demo.ts'
import { NEXT_COMMANDS } from '../../src/cli/demo/demo-project.ts'
import type { Io } from '../../src/cli/io.ts'
import { PLAIN } from '../../src/cli/render/style.ts'
import { widthOf } from '../../src/cli/render/table.ts'
import { inDirectory } from './process.ts'

const COLUMNS = 80

test('the demo loses and duplicates nothing, shows what a naive program does, and leaves commands that work', async () => {
  await inDirectory(async (directory) => {
    const { code, lines } = await demo(directory)
    const screen = lines.join('\n')
    assert.equal(code, 0, screen)
    assert.match(screen, /0 lost, 0 duplicated/)
    assert.match(screen, /orders accounted for +[\d,]+ +20,000 +20,000\n/)
    assert.match(screen, /late orders, from phones +\d+ gone +\d+ kept/)
    assert.match(screen, /a clock a day ahead +[\d,]+ gone +24 quarantined/)
    assert.match(screen, /counted twice +at least \d+ +0 +0/)
    assertBooks(screen)
    assert.deepEqual(
      lines.filter((line) => widthOf(line) > COLUMNS),
      [],
      'nothing is wider than a small terminal',
    )
    const project = join(directory, 'millrace-demo')
    const own = NEXT_COMMANDS.filter(({ command }) => command.startsWith('./millrace '))
    assert.equal(own.length, NEXT_COMMANDS.length - 1, 'all but another reader')
    for (const { command } of own) {
      assert.ok(screen.includes(command))
      assert.notEqual(execFileSync('sh', ['-c', command], { cwd: project, encoding: 'utf8' }), '')
    }
  })
})

for (const sabotage of ['lose', 'duplicate'] as const) {
  test(`a table that is sabotaged (${sabotage}) ends the demo with 1 and names the rows`, async () => {
    await inDirectory(async (directory) => {
      const { code, lines } = await demo(directory, sabotage)
      assert.equal(code, 1)
      const what = sabotage === 'lose' ? 'lost' : 'too many'
      const named = new RegExp(`^ {2}[a-z]+ \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d {2}${what}: `)
      assert.ok(
        lines.some((line) => named.test(line)),
        lines.join('\n'),
      )
    })
  })
}

/** read = used + dead, as the screen tells it. */
function assertBooks(screen: string): void {
  const books = /([\d,]+) rows read = ([\d,]+) used \+ ([\d,]+) dead/.exec(screen)
  const [read, used, dead] = books!.slice(1).map((text) => Number(text.replaceAll(',', '')))
  assert.equal(read, used! + dead!)
}

async function demo(directory: string, sabotage?: 'lose' | 'duplicate') {
  const lines: string[] = []
  const io: Io = {
    out: (line) => lines.push(...line.split('\n')),
    err: (line) => lines.push(line),
    write: () => {},
    stdin: new PassThrough(),
    isTerminal: false,
    columns: () => COLUMNS,
    rows: () => 24,
    environment: {},
    directory,
    style: PLAIN,
    errorStyle: PLAIN,
    exitCode: 0,
  }
  const options = { orders: 20_000, ...(sabotage === undefined ? {} : { sabotage }) }
  return { code: await runDemo(io, options), lines }
}
