/** `millrace sim FILE`: a pipeline through crashes and orders of arrival that a seed chooses, each run held against a calm one. */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { MillraceError } from '../../errors.ts'
import type { Pipeline } from '../../plan/pipeline.ts'
import { parseGolden } from '../../testing/golden/golden-file.ts'
import { arrivalsOf, bindGolden } from '../../testing/golden/scenario.ts'
import { givenTableNames } from '../../testing/rewired.ts'
import { type FailedRun, type Simulated, simulate } from '../../testing/simulate/simulate.ts'
import { type Captured, historyText, isArrival, parseSteps } from '../../testing/simulate/steps.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  wholeNumber,
} from '../command.ts'
import { goldenProject, readGolden } from '../golden-project.ts'
import { EXIT, type Io } from '../io.ts'
import { loadProject, type Project, pipelineFiles } from '../project.ts'
import { countOf } from '../render/quantity.ts'
import { compilePipelines } from '../scripts.ts'

interface SimOptions extends ProjectOptions {
  readonly seed: number
  readonly runs: number
  readonly rows: number
  readonly events?: string
  readonly write?: string
  readonly json?: boolean
}

const SEED_MAX = 2 ** 32 - 1

export const declareSim: Declare = (command, io) => {
  projectOptions(command)
    .argument('<file>', "a pipeline's file, its name, or a golden file, which brings its events")
    .option(
      '--seed <number>',
      'of the first run; the next has the next',
      wholeNumber(0, SEED_MAX),
      1,
    )
    .option('--runs <number>', 'how many', wholeNumber(1, 1_000_000), 20)
    .option('--rows <number>', 'events to make up for each run', wholeNumber(1, 10_000), 60)
    .option('--events <file>', 'JSON lines that were captured, or that a run before has written')
    .option('--write <file>', 'where the events of a failure go; sim-NAME-SEED.jsonl unless told')
    .option('--json', 'one JSON object')
    .action((file: string, options: SimOptions) => sim(io, file, options))
  examples(
    command,
    'millrace sim revenue --seed 1 --runs 100',
    'millrace sim revenue --events sim-revenue-17.jsonl',
  )
  command.addHelpText(
    'after',
    `
Nothing of the project is read or written but its pipeline. Each run's tables, late and dead rows must be what the same
events give in the same order when nothing befalls them; where the order can't matter, in another order too.
Exit code 1: a run failed. Its seed, the fewest events that fail and the command that replays them are printed.`,
  )
}

async function sim(io: Io, file: string, options: SimOptions): Promise<void> {
  const project = await loadProject(io, options)
  const { pipeline, captured } = await asked(io, project, file, options)
  const { seed, runs, rows } = options
  const simulated = await simulate({
    pipeline,
    directory: project.directory,
    seed,
    runs,
    events: rows,
    ...(captured === undefined ? {} : { captured }),
  })
  const { failed, ...told } = simulated
  const written = failed && writtenFailure(io, pipeline, failed, options)
  const replay = written === undefined ? undefined : replayCommand(file, written, options)
  if (options.json) {
    const { failure, seed: failing } = failed ?? {}
    io.out(
      JSON.stringify({
        pipeline: pipeline.name,
        passed: failed === undefined,
        ...told,
        ...(failed === undefined ? {} : { failing, failure, file: written, replay }),
      }),
    )
  } else {
    tellRuns(io, pipeline, simulated)
    if (failed !== undefined) tellFailure(io, failed, replay!)
  }
  if (failed !== undefined) io.exitCode = EXIT.no
}

async function asked(
  io: Io,
  project: Project,
  file: string,
  { events }: SimOptions,
): Promise<{ readonly pipeline: Pipeline; readonly captured?: Captured }> {
  const { pipeline, captured } = await (file.endsWith('.golden') ? goldenFile : pipelineFile)(
    io,
    project,
    file,
  )
  if (events === undefined) return { pipeline, ...(captured === undefined ? {} : { captured }) }
  const text = readEvents(io, events)
  return { pipeline, captured: parseSteps(events, text, givenTableNames(pipeline)) }
}

async function goldenFile(io: Io, project: Project, file: string) {
  const path = resolve(io.directory, file)
  const parsed = parseGolden(file, readGolden(path, file))
  const scenario = await bindGolden(parsed, goldenProject(io, project))
  const captured: Captured = { steps: arrivalsOf(scenario) }
  return { pipeline: { ...scenario.pipeline, name: basename(file, '.golden') }, captured }
}

async function pipelineFile(io: Io, project: Project, file: string) {
  const [compiled] = await compilePipelines(project, pipelineFiles(project, io, [file]))
  return { pipeline: compiled!.pipeline, captured: undefined }
}

function readEvents(io: Io, file: string): string {
  try {
    return readFileSync(resolve(io.directory, file), 'utf8')
  } catch (cause) {
    throw new MillraceError('FILE_UNREADABLE', {
      message: `can't read ${file}`,
      hint: 'name a file of JSON lines: events as they are, or what `millrace sim` has written',
      facts: { file },
      cause,
    })
  }
}

/** The file, as one types it in the working directory; a replay is where it was. */
function writtenFailure(
  io: Io,
  { name }: Pipeline,
  { seed, history, before }: FailedRun,
  { write, events }: SimOptions,
): string {
  if (events !== undefined && history.steps === before) return events
  const path = resolve(io.directory, write ?? `sim-${name}-${seed}.jsonl`)
  writeFileSync(path, historyText(history))
  return relative(io.directory, path) || path
}

function replayCommand(file: string, written: string, { project }: SimOptions): string {
  const place = project === undefined ? '' : ` --project ${project}`
  return `millrace sim ${file}${place} --events ${written}`
}

function tellRuns(io: Io, { name }: Pipeline, told: Simulated): void {
  const { runs, events, late, dead, crashes, points, reordered, clock, arrival, failed } = told
  const { style } = io
  const head = failed === undefined ? style.good('ok') : style.bad('FAIL')
  io.out(
    `${head}  ${style.name(name)}  ${countOf(runs, 'run')}, ${countOf(events, 'event')} (${late} late, ${dead} dead), ${countOf(crashes, 'crash', 'crashes')}`,
  )
  io.out(
    `  ${countOf(points.length, 'fault point')} passed; ${reordered} of the runs in another order too`,
  )
  for (const reason of clock) io.out(`  tables are not compared: ${reason}`)
  for (const reason of arrival) io.out(`  not compared in another order: ${reason}`)
}

function tellFailure(io: Io, { seed, failure, before, history }: FailedRun, replay: string): void {
  const { style } = io
  const signs = failure.kind === 'order' ? '- in the one, + in the other' : '- undisturbed, + found'
  const note = failure.lines.length === 0 ? '' : ` (${signs})`
  io.out('')
  io.out(`${style.strong(`seed ${seed}: ${failure.what}`)}${note}`)
  for (const line of failure.lines) io.out(`  ${painted(io, line)}`)
  const events = history.steps.filter(isArrival).length
  const others = history.steps.length - events
  const also = others === 0 ? '' : ` and ${countOf(others, 'disturbance')}`
  io.out('')
  io.out(`${countOf(events, 'event')}${also}, of ${countOf(before.length, 'step')}:`)
  for (const line of historyText(history).trimEnd().split('\n')) io.out(`  ${line}`)
  io.out('')
  io.out(`replay: ${style.strong(replay)}`)
}

function painted({ style }: Io, line: string): string {
  if (line.startsWith('- ')) return style.bad(line)
  return line.startsWith('+ ') ? style.good(line) : line
}
