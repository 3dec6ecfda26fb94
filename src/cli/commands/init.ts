/** `millrace init [DIRECTORY]`: a small project that runs. Never overwrites. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { MillraceError } from '../../errors.ts'
import { type Declare, examples } from '../command.ts'
import { templateFiles } from '../init/template.ts'
import type { Io } from '../io.ts'
import { padded } from '../render/table.ts'

interface InitOptions {
  readonly json?: boolean
}

const WHAT: Readonly<Record<string, string>> = {
  'README.md': 'what to type next',
  'tables/orders.sql': 'where the events come from',
  'tables/revenue.sql': 'where the results go',
  'pipelines/revenue.sql': 'what happens between',
  'tests/revenue.golden': 'what must come out of some orders',
  'data/orders.jsonl': 'sample events',
  'millrace.config.ts': 'settings, all optional',
}

export const declareInit: Declare = (command, io) => {
  command
    .argument('[directory]', 'where; made if missing', '.')
    .option('--json', 'the files that were made, as JSON')
    .action((directory: string, options: InitOptions) => init(io, directory, options))
  examples(command, 'millrace init my-project && cd my-project && millrace run')
}

async function init(io: Io, directory: string, options: InitOptions): Promise<void> {
  const root = resolve(io.directory, directory)
  const files = templateFiles(basename(root))
  const taken = files.filter(({ path }) => existsSync(join(root, path))).map(({ path }) => path)
  // A repository that is there already keeps its own.
  const blocking = taken.filter((path) => path !== '.gitignore' && path !== 'README.md')
  if (blocking.length > 0) throw exists(root, blocking)
  const made = files.filter(({ path }) => !taken.includes(path))
  for (const { path, text } of made) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, { flag: 'wx' })
  }
  if (options.json) {
    io.out(JSON.stringify({ directory: root, files: made.map(({ path }) => path) }))
    return
  }
  const { style } = io
  const width = Math.max(...made.map(({ path }) => path.length))
  io.out(`${style.good('made')} ${style.strong(basename(root))}`)
  for (const { path } of made)
    io.out(`  ${style.name(padded(path, width))}  ${style.faint(WHAT[path] ?? '')}`.trimEnd())
  const step = relative(io.directory, root)
  io.out('')
  io.out('try')
  if (step !== '') io.out(`  ${style.name(`cd ${step}`)}`)
  io.out(`  ${style.name('millrace run')}`)
  io.out(`  ${style.name('millrace query "SELECT * FROM revenue ORDER BY window_start, shop"')}`)
}

function exists(root: string, paths: readonly string[]): MillraceError {
  return new MillraceError('PROJECT_EXISTS', {
    message: `${root} has ${paths.join(', ')} already`,
    hint: 'choose an empty folder: millrace init my-project',
    facts: { directory: root },
  })
}
