/** `millrace explain FILE`: the plan, how it runs, what it promises, what would be lost. Nothing is opened. */

import { wantedGroups } from '../../plan/wanted-groups.ts'
import { CONNECTORS } from '../../run/connectors.ts'
import { arrivalLines } from '../arrival.ts'
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import { growthLines } from '../growth.ts'
import { guaranteeOf } from '../guarantee.ts'
import type { Io } from '../io.ts'
import { latePolicies } from '../late-policies.ts'
import { lossesOf } from '../losses.ts'
import { planMarker } from '../plan-marks.ts'
import { fileName, loadProject, pipelineFiles } from '../project.ts'
import { planLines, renderPlan } from '../render/plan.ts'
import { type CompiledPipeline, compilePipelines } from '../scripts.ts'
import { withStateMemory } from '../state-memory.ts'
import { statePlaces } from '../state-places.ts'
import { explainUpgrade } from './explain-upgrade.ts'

interface ExplainOptions extends ProjectOptions {
  readonly json?: boolean
  readonly upgrade?: string
  readonly stateMemory?: string
}

export const declareExplain: Declare = (command, io) => {
  projectOptions(command)
    .argument(
      '[files...]',
      "pipelines' files, or their names; all of the project if there are none",
    )
    .option('--json', 'one JSON object a line and pipeline')
    .option('--upgrade <old>', 'what becomes of the state that the pipeline in this file left')
    .option('--state-memory <size>', 'which state may go to files, as `millrace run` has it')
    .action((files: string[], options: ExplainOptions) => explain(io, files, options))
  examples(
    command,
    'millrace explain pipelines/revenue.sql',
    'millrace explain pipelines/revenue.sql --upgrade old/revenue.sql',
  )
  command.addHelpText(
    'after',
    `
Of each node: which changes it gives (+I rows that stay; -U +U -D rows that are taken back), whether it runs as
a kernel or as js and what makes it so, and what it keeps. State that grows without end is told with what would
bound it.`,
  )
}

async function explain(io: Io, files: readonly string[], options: ExplainOptions): Promise<void> {
  const project = await loadProject(io, options)
  const compiled = await compilePipelines(project, pipelineFiles(project, io, files))
  if (options.upgrade !== undefined) {
    const old = pipelineFiles(project, io, [options.upgrade])
    explainUpgrade(io, await compilePipelines(project, old), compiled, options.json === true)
    return
  }
  const markOf = planMarker()
  compiled.forEach((each, index) => {
    const { pipeline } = each
    const wanted = wantedGroups(pipeline.sinks)
    const sinks = pipeline.sinks.map((sink) => planLines(sink, markOf, wanted))
    const guarantee = guaranteeOf(pipeline, CONNECTORS)
    const losses = lossesOf(pipeline, CONNECTORS)
    const state = statePlaces(withStateMemory(pipeline, options.stateMemory))
    const arrival = arrivalLines(pipeline)
    const growth = growthLines(pipeline)
    if (options.json) {
      io.out(
        JSON.stringify({
          pipeline: pipeline.name,
          file: fileName(each.file),
          sinks,
          guarantee,
          arrival,
          losses,
          ...(growth.length === 0 ? {} : { growth }),
          ...(state.length === 0 ? {} : { state }),
        }),
      )
      return
    }
    if (index > 0) io.out('')
    for (const line of headLines(io, each)) io.out(line)
    for (const lines of sinks) {
      io.out('')
      for (const line of renderPlan(lines, io.style)) io.out(`  ${line}`)
    }
    const late = pipeline.sinks.map(({ table }) => `${table.name}.late`)
    section(io, 'guarantee', [
      `${guarantee.kind} end to end`,
      ...guarantee.because,
      ...guarantee.notes,
    ])
    section(io, 'order of arrival', arrival)
    section(io, 'late and dead rows', [
      `kept in the log topics ${late.join(', ')} and ${late.map((name) => name.replace(/late$/, 'dead')).join(', ')}`,
      ...latePolicies(pipeline, CONNECTORS),
    ])
    if (growth.length > 0) section(io, io.style.warning('state that grows without end'), growth)
    if (state.length > 0) section(io, 'state', state)
    section(io, 'losing this machine would lose', losses)
  })
}

function headLines(io: Io, { pipeline, file }: CompiledPipeline): string[] {
  const derived = pipeline.nameIsDerived ? io.style.faint(' (named after it)') : ''
  const settings = Object.entries(pipeline.settings).map(
    ([name, value]) => `  ${io.style.faint(`${name} = ${value}`)}`,
  )
  return [
    `${io.style.strong(pipeline.name)}  ${io.style.name(fileName(file))}${derived}`,
    ...settings,
  ]
}

function section(io: Io, title: string, lines: readonly string[]): void {
  io.out('')
  io.out(`  ${io.style.strong(title)}`)
  for (const line of lines) io.out(`    ${line}`)
}
