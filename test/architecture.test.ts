/** The arrows of ARCHITECTURE.md, cycles, sizes and words, checked over the sources. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import test from 'node:test'

const LINES_MAX = 400
const sources = globSync('src/**/*.ts')
  .filter((file) => !file.endsWith('.as.ts') && !file.endsWith('.generated.ts'))
  .sort()
const production = sources.filter((file) => !file.endsWith('.test.ts'))
const allowed = readArrows(readFileSync('ARCHITECTURE.md', 'utf8'))

test('the table of arrows names every room', () => {
  const missing = [...new Set(production.map(roomOf))].filter((room) => !allowed.has(room))
  assert.deepEqual(missing, [])
})

test('a room imports only what its arrow names', () => {
  const broken: string[] = []
  for (const file of production) {
    const from = roomOf(file)
    for (const target of importsOf(file)) {
      const to = roomOf(target)
      if (to === from || to === 'errors' || allowed.get(from)?.has(to)) continue
      broken.push(`${file} imports ${target} (${from} -> ${to})`)
    }
  }
  assert.deepEqual(broken, [])
})

test('no import goes in a circle, types included', () => {
  const cycle = findCycle(new Map(production.map((file) => [file, importsOf(file)])))
  assert.equal(cycle, undefined)
})

test(`no source file is longer than ${LINES_MAX} lines`, () => {
  const kernels = globSync('src/kernels/**/*.as.ts')
  const long = [...production, ...kernels]
    .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
  assert.deepEqual(long, [])
})

test('no file is named for what it is not', () => {
  const vague = sources.filter((file) =>
    /(^|\/)(utils?|common|helpers?|core|misc)(\.test)?\.ts$/.test(file),
  )
  assert.deepEqual(vague, [])
})

test('no type is escaped: neither any nor a cast through unknown', () => {
  const hole = /(:\s*any\b(?=[ ,;)=\]|]|$)|<any>|\bas any\b|\bas unknown as\b)/
  const isComment = (line: string) => /^\s*(\*|\/[/*])/.test(line)
  const found = production.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        hole.test(line) && !isComment(line) ? [`${file}:${index + 1} ${line.trim()}`] : [],
      ),
  )
  assert.deepEqual(found, [])
})

test('the kernels that are committed are what their sources compile to', {
  timeout: 300_000,
}, () => {
  execFileSync(process.execPath, ['scripts/build-kernels.ts', '--verify'], { stdio: 'pipe' })
})

/** `src/connectors/contract/x.ts` is of room contract, `src/run.ts` of room run, `src/log/x.ts` of room log. */
function roomOf(file: string): string {
  if (file.startsWith('src/connectors/contract/')) return 'contract'
  const [, room] = file.split('/')
  return room!.replace(/\.ts$/, '')
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const specifiers = text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)
  return [...specifiers]
    .map(([, specifier]) => normalize(join(dirname(file), specifier!)))
    .filter((target) => target.startsWith('src/') && !target.endsWith('.generated.ts'))
}

/** Reads 'a  b -> c d' columns; a line without an arrow continues the right-hand sides above it. */
function readArrows(text: string): Map<string, Set<string>> {
  const table = /```\n(data {2}ports[\s\S]*?)```/.exec(text)?.[1]
  assert.ok(table, 'ARCHITECTURE.md has the table of arrows')
  const split = table.split('\n')[0]!.indexOf('compile')
  const arrows = new Map<string, Set<string>>()
  const columns = [
    table.split('\n').map((line) => line.slice(0, split)),
    table.split('\n').map((line) => line.slice(split)),
  ]
  for (const column of columns) readColumn(column, arrows)
  const base = [...arrows.keys(), 'cli', 'serve'].filter((room) => room !== 'console')
  arrows.set('serve', new Set(base))
  arrows.set('cli', new Set(base))
  arrows.set('errors', new Set())
  return arrows
}

function readColumn(lines: string[], arrows: Map<string, Set<string>>): void {
  let current: string[] = []
  for (const line of lines) {
    const [left, right] = line.includes('->') ? line.split('->') : ['', line]
    if (line.includes('->')) current = left!.trim().split(/\s+/)
    const targets = right!
      .trim()
      .split(/\s+/)
      .filter((word) => /^[a-z]+$/.test(word))
    for (const room of current) arrows.set(room, new Set([...(arrows.get(room) ?? []), ...targets]))
  }
}

function findCycle(graph: Map<string, string[]>): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    path.push(file)
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next)
      if (cycle !== undefined) return cycle
    }
    path.pop()
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const cycle = visit(file)
    if (cycle !== undefined) return cycle
  }
  return undefined
}
