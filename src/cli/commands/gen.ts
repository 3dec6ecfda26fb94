/** `millrace gen`: TypeScript types of every table, view and query result, from the project's own SQL. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { MillraceError } from '../../errors.ts'
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import type { Io } from '../io.ts'
import { loadProject } from '../project.ts'
import { ProjectError } from '../project-error.ts'
import { countOf } from '../render/quantity.ts'
import { rowTypesText } from '../row-types.ts'
import { checkProject } from '../scripts.ts'

interface GenOptions extends ProjectOptions {
  readonly output: string
  readonly check?: boolean
  readonly json?: boolean
}

export const declareGen: Declare = (command, io) => {
  projectOptions(command)
    .option('--output <file>', 'the file, relative to the project', 'millrace-rows.d.ts')
    .option('--check', 'write nothing; exit with 1 if the file is not what it would be')
    .option('--json', 'what was written as JSON')
    .action((options: GenOptions) => gen(io, options))
  examples(command, 'millrace gen', 'millrace gen --check')
}

async function gen(io: Io, options: GenOptions): Promise<void> {
  const project = await loadProject(io, options)
  const { tables, views, findings } = await checkProject(project)
  if (findings.length > 0) throw new ProjectError(findings)
  const schemas = [...tables, ...views]
  const text = rowTypesText(schemas)
  const path = resolve(project.directory, options.output)
  const shown = relative(io.directory, path)
  const isCurrent = existsSync(path) && readFileSync(path, 'utf8') === text
  if (options.check && !isCurrent) throw stale(shown)
  if (!options.check && !isCurrent) writeFileSync(path, text)
  if (options.json) {
    io.out(JSON.stringify({ file: path, rows: schemas.length, changed: !isCurrent }))
    return
  }
  const what = countOf(schemas.length, 'row type')
  io.out(`${io.style.name(shown)}  ${what}${isCurrent ? ', as it was' : ', written'}`)
}

function stale(file: string): MillraceError {
  return new MillraceError('OUTPUT_STALE', {
    message: `${file} is not what the project's tables say`,
    hint: 'run `millrace gen` and commit what it writes',
    facts: { file },
  })
}
