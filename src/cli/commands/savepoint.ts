/** `millrace savepoint NAME`: a self-contained copy of a running pipeline's state, which goes on. */
import { nodePorts } from '../../ports/node/ports.ts'
import { requireControl } from '../../serve/control-client.ts'
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import type { Io } from '../io.ts'
import { dataDirectoryOf } from '../project.ts'

interface SavepointOptions extends ProjectOptions {
  readonly json?: boolean
}

export const declareSavepoint: Declare = (command, io) => {
  projectOptions(command)
    .argument('<name>', 'the pipeline')
    .option('--json', 'path and checkpoint as JSON')
    .action((name: string, options: SavepointOptions) => savepoint(io, name, options))
  examples(command, 'millrace savepoint revenue', 'millrace run revenue --from-savepoint PATH')
}

async function savepoint(io: Io, name: string, options: SavepointOptions): Promise<void> {
  const client = await requireControl(await dataDirectoryOf(io, options), nodePorts())
  try {
    const made = (await client.ask({ op: 'savepoint', name })) as {
      readonly path: string
      readonly checkpoint: string
    }
    if (options.json) return io.out(JSON.stringify(made))
    io.out(
      `checkpoint ${made.checkpoint} of ${io.style.strong(name)} is kept in ${io.style.name(made.path)}`,
    )
  } finally {
    client.close()
  }
}
