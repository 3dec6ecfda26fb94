/** `millrace start FILE`: another pipeline in the process that owns the project's data. */
import { resolve } from 'node:path'
import { nodePorts } from '../../ports/node/ports.ts'
import { requireControl } from '../../serve/control-client.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  wholeNumber,
} from '../command.ts'
import type { Io } from '../io.ts'
import { fileName, loadProject, pipelineFiles } from '../project.ts'
import { WORKERS_MAX } from '../workers.ts'

interface StartOptions extends ProjectOptions {
  readonly fresh?: boolean
  readonly workers?: number
  readonly json?: boolean
}

export const declareStart: Declare = (command, io) => {
  projectOptions(command)
    .argument('<file>', "a pipeline's file, or its name in pipelines/")
    .option('--workers <count>', 'worker threads', wholeNumber(1, WORKERS_MAX))
    .option('--fresh', 'forget its checkpoints and begin again')
    .option('--json', 'what was started as JSON')
    .action((file: string, options: StartOptions) => start(io, file, options))
  examples(command, 'millrace start pipelines/revenue.sql')
}

async function start(io: Io, file: string, options: StartOptions): Promise<void> {
  const project = await loadProject(io, options)
  const [found] = pipelineFiles(project, io, [file])
  const client = await requireControl(project.dataDirectory, nodePorts())
  try {
    const answer = (await client.ask({
      op: 'start',
      file: resolve(project.directory, fileName(found!)),
      fresh: options.fresh ?? false,
      ...(options.workers === undefined ? {} : { workers: options.workers }),
    })) as { readonly started: readonly string[] }
    if (options.json) return io.out(JSON.stringify(answer))
    for (const name of answer.started)
      io.out(`${io.style.strong(name)} started in process ${client.owner.processId}`)
  } finally {
    client.close()
  }
}
