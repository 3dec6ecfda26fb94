/** `millrace stop NAME`: a checkpoint, then the end of one pipeline; the owner goes on. */
import { nodePorts } from '../../ports/node/ports.ts'
import { requireControl } from '../../serve/control-client.ts'
import type { PipelineStatus } from '../../serve/status.ts'
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { dataDirectoryOf } from '../project.ts'
import { statusLine } from '../render/status.ts'

interface StopOptions extends ProjectOptions {
  readonly json?: boolean
}

export const declareStop: Declare = (command, io) => {
  projectOptions(command)
    .argument('<name>', 'the pipeline')
    .option('--json', "the pipeline's last status as JSON")
    .action((name: string, options: StopOptions) => stop(io, name, options))
  examples(command, 'millrace stop revenue')
}

async function stop(io: Io, name: string, options: StopOptions): Promise<void> {
  const ports = nodePorts()
  const client = await requireControl(await dataDirectoryOf(io, options), ports)
  try {
    const stopped = (await client.ask({ op: 'stop', name })) as PipelineStatus
    if (stopped.state === 'failed') io.exitCode = EXIT.no
    io.out(options.json ? JSON.stringify(stopped) : statusLine(stopped, ports.clock.nowMs()))
  } finally {
    client.close()
  }
}
