/**
 * One process of a pipeline, to be killed: `pipeline-process.ts <directory> <file.sql> [end]`. KILL_AT=<fault point>[:nth] kills it
 * there; WORKERS=n gives it so many threads. It owns its data directory, as the command does. Tells what happens, a line each.
 */
import { readFileSync } from 'node:fs'
import { fencePorts } from '../../src/ports/fenced-files.ts'
import { takeOwnership } from '../../src/ports/node/ownership.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'

const [directory, file, until] = process.argv.slice(2)
const killAt = process.env.KILL_AT
const ports = nodePorts(killAt === undefined ? {} : { killAt })
ports.files.makeDirectory(directory!)
const ownership = await takeOwnership({
  directory: directory!,
  files: ports.files,
  random: ports.random,
  nowMs: ports.clock.nowMs(),
})
const tell = (line: string) => process.stdout.write(`${line}\n`)
const { pipeline, errors } = bindText(readFileSync(file!, 'utf8'), 'p', CONNECTORS)
if (pipeline === undefined) throw new Error(errors.map(({ message }) => message).join('; '))
const run = await startPipeline({
  pipeline,
  connectors: CONNECTORS,
  ports: fencePorts(ports, ownership, directory!),
  dataDirectory: directory!,
  baseDirectory: directory!,
  ...(until === 'end' ? { until } : {}),
  workers: Number(process.env.WORKERS ?? 1),
  threads: true,
  onEvent: (event) => tell('error' in event ? `${event.kind} ${event.error.message}` : event.kind),
})
tell('running')
const status = setInterval(() => {
  const { sources, checkpoint } = run.status()
  const trouble = sources.flatMap(({ splits }) => splits).find((split) => split.trouble)?.trouble
  const rows = sources.reduce((sum, { rowsRead }) => sum + rowsRead, 0)
  tell(`status ${JSON.stringify({ rows, trouble, last: checkpoint.last })}`)
}, 200)
const outcome = await run.finished
clearInterval(status)
tell(
  outcome.kind === 'failed'
    ? `failed ${outcome.error.code} ${outcome.error.message}`
    : outcome.kind,
)
process.exit(outcome.kind === 'finished' ? 0 : 1)
