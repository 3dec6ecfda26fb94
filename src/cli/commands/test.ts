/** `millrace test [FILES]`: the project's golden files, each run in every way there is of running it. */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { MillraceError } from '../../errors.ts'
import { checkScenario, type Difference } from '../../testing/golden/check.ts'
import { parseGolden, withAnswers } from '../../testing/golden/golden-file.ts'
import { bindGolden, type GoldenProject, type Scenario } from '../../testing/golden/scenario.ts'
import { isTimed, ROWS, replay } from '../../testing/golden/ways.ts'
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import { goldenProject, readGolden } from '../golden-project.ts'
import { EXIT, type Io } from '../io.ts'
import { loadProject, type Project } from '../project.ts'
import { ProjectError } from '../project-error.ts'
import { errorJson, errorLines } from '../render/error.ts'
import { countOf } from '../render/quantity.ts'

interface TestOptions extends ProjectOptions {
  readonly update?: boolean
  readonly json?: boolean
}

const FOLDER = 'tests'

export const declareTest: Declare = (command, io) => {
  projectOptions(command)
    .argument('[files...]', `golden files; all of the project's ${FOLDER}/ if there are none`)
    .option('--update', 'write the answers that come now into the files')
    .option('--json', 'one JSON object a file')
    .action((files: string[], options: TestOptions) => test(io, files, options))
  examples(command, 'millrace test', 'millrace test tests/revenue.golden --update')
  command.addHelpText(
    'after',
    `
Each file is run row for row, whole, cut, restarted at each row, by several workers and rescaled: the changelog of the first
and the table of all must be what the file says. --update writes those of the first. Exit code 1: something differs.`,
  )
}

interface Tested {
  readonly file: string
  readonly ways: number
  readonly updated: boolean
  readonly differences: readonly Difference[]
  /** What kept it from being run. */
  readonly error?: unknown
}

async function test(io: Io, files: readonly string[], options: TestOptions): Promise<void> {
  const project = await loadProject(io, options)
  const paths = goldenFiles(io, project, files)
  const seen = goldenProject(io, project)
  let failed = 0
  for (const path of paths) {
    const tested = await testFile(path, project, seen, options.update ?? false)
    if (tested.error !== undefined || tested.differences.length > 0) failed++
    if (options.json) io.out(jsonOf(tested))
    else tell(io, tested)
  }
  if (failed > 0) io.exitCode = EXIT.no
  if (options.json) return
  const passed = paths.length - failed
  io.out(
    failed === 0
      ? io.style.good(`${countOf(passed, 'file')} passed`)
      : `${io.style.bad(`${failed} failed`)}, ${passed} passed`,
  )
}

function goldenFiles(io: Io, project: Project, files: readonly string[]): readonly string[] {
  if (files.length > 0) return files.map((file) => resolve(io.directory, file))
  const found = globSync(`${FOLDER}/**/*.golden`, { cwd: project.directory }).sort()
  if (found.length > 0) return found.map((path) => join(project.directory, path))
  throw new MillraceError('PROJECT_MISSING', {
    message: `there is no ${FOLDER}/*.golden in ${project.directory}`,
    hint: "write one: 'pipeline NAME' or 'query SELECT ...', 'feed TABLE  +I ...', then `millrace test --update`",
    facts: { directory: project.directory },
  })
}

async function testFile(
  path: string,
  { directory }: Project,
  seen: GoldenProject,
  updates: boolean,
): Promise<Tested> {
  const file = relative(directory, path)
  try {
    const text = readGolden(path, file)
    let scenario = await bindGolden(parseGolden(file, text), seen)
    const updated = updates && (await update(path, text, scenario, directory))
    if (updated) scenario = await bindGolden(parseGolden(file, readFileSync(path, 'utf8')), seen)
    return { file, updated, ...(await checkScenario(scenario, directory)) }
  } catch (error) {
    if (!(error instanceof MillraceError) && !(error instanceof ProjectError)) throw error
    return { file, ways: 0, updated: false, differences: [], error }
  }
}

/** True if the file said something else. */
async function update(
  path: string,
  text: string,
  scenario: Scenario,
  directory: string,
): Promise<boolean> {
  const answers = await replay(scenario, ROWS, directory)
  const now = withAnswers(scenario, answers, isTimed(scenario))
  if (now === text) return false
  writeFileSync(path, now)
  return true
}

function tell(io: Io, { file, ways, updated, differences, error }: Tested): void {
  const { style } = io
  if (error === undefined && differences.length === 0) {
    const note = `${countOf(ways, 'way')}${updated ? ', updated' : ''}`
    io.out(`${style.good('ok')}    ${style.name(file)}  ${style.faint(note)}`)
    return
  }
  io.out(`${style.bad('FAIL')}  ${style.name(file)}`)
  if (error !== undefined) for (const line of errorLines(error, style)) io.out(`  ${line}`)
  for (const { way, what, lines } of differences) {
    io.out(`  ${style.strong(what)}, ${way} ${style.faint('(- expected, + found)')}`)
    for (const line of lines) io.out(`    ${painted(io, line)}`)
    if (way === ROWS.name) continue
    const note = 'row for row it is as the file says: does it hang on which table is read first?'
    io.out(`    ${style.faint(note)}`)
  }
}

function painted({ style }: Io, line: string): string {
  if (line.startsWith('- ')) return style.bad(line)
  return line.startsWith('+ ') ? style.good(line) : line
}

function jsonOf({ error, ...tested }: Tested): string {
  const passed = error === undefined && tested.differences.length === 0
  return JSON.stringify({
    ...tested,
    passed,
    ...(error === undefined ? {} : errorJson(error)),
  })
}
