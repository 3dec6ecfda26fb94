/** `millrace status`: what the owner runs, from any other process. */
import { nodePorts } from '../../ports/node/ports.ts'
import { requireControl } from '../../serve/control-client.ts'
import type { OwnerStatus } from '../../serve/status.ts'
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { dataDirectoryOf } from '../project.ts'
import { countOf, durationText } from '../render/quantity.ts'
import { statusLines } from '../render/status.ts'

interface StatusOptions extends ProjectOptions {
  readonly json?: boolean
}

export const declareStatus: Declare = (command, io) => {
  projectOptions(command)
    .argument('[name]', 'one pipeline; all if absent')
    .option('--json', 'one JSON object: the owner, its pipelines, their splits')
    .action((name: string | undefined, options: StatusOptions) => status(io, name, options))
  examples(command, 'millrace status', "millrace status --json | jq '.pipelines[].lag'")
}

async function status(io: Io, name: string | undefined, options: StatusOptions): Promise<void> {
  const ports = nodePorts()
  const client = await requireControl(await dataDirectoryOf(io, options), ports)
  try {
    // The owner may be of another version: what is shown is only what is there.
    const owner = (await client.ask({ op: 'status' })) as OwnerStatus
    const pipelines = owner.pipelines.filter((each) => name === undefined || each.name === name)
    if (name !== undefined && pipelines.length === 0) {
      io.err(`no pipeline '${name}' runs here`)
      io.exitCode = EXIT.no
      return
    }
    if (options.json) return io.out(JSON.stringify({ ...owner, pipelines }))
    print(io, { ...owner, pipelines }, ports.clock.nowMs())
  } finally {
    client.close()
  }
}

function print(io: Io, owner: OwnerStatus, nowMs: number): void {
  const { style } = io
  const age = durationText(Math.max(0, nowMs - owner.startedMs))
  const count = countOf(owner.pipelines.length, 'pipeline')
  io.out(style.faint(`${owner.directory} · process ${owner.processId} · ${count} · ${age}`))
  for (const pipeline of owner.pipelines) {
    io.out('')
    for (const line of statusLines(pipeline, { nowMs, columns: io.columns(), style })) io.out(line)
  }
}
