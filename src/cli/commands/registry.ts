/** `millrace registry serve`: the project's schema registry over HTTP, with Confluent's API, where no pipeline runs. */
import type { Command } from 'commander'
import { MillraceError } from '../../errors.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { Ports } from '../../ports/ports.ts'
import { openRegistryStore } from '../../registry/store.ts'
import { openService } from '../../serve/service.ts'
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import type { Io } from '../io.ts'
import { appendRecords } from '../produce-rows.ts'
import { configure } from '../program-style.ts'
import { loadProject } from '../project.ts'
import { listenForStop } from '../stopping.ts'
import { VERSION } from '../version.ts'

interface ServeOptions extends ProjectOptions {
  readonly http: string
  readonly json?: boolean
}

/** Where Confluent's listens. */
const ADDRESS = '127.0.0.1:8081'

export const declareRegistry: Declare = (command, io) => {
  examples(command, 'millrace registry serve', 'millrace registry serve --http 127.0.0.1:0')
  const serve = command
    .command('serve')
    .description("serve the project's schemas with Confluent's REST API, until stopped")
  configure(serve, io)
  projectOptions(serve)
    .helpOption('-h, --help', 'show this help')
    .option('--http <address>', 'HOST:PORT; beyond loopback MILLRACE_HTTP_TOKEN is needed', ADDRESS)
    .option('--json', 'the address as JSON')
    .action((options: ServeOptions) => serveRegistry(io, options))
  noteToken(serve)
}

function noteToken(command: Command): void {
  command.addHelpText(
    'after',
    `
Where pipelines run, \`millrace run --http\` serves the same API at the same paths. With a token clients send
Authorization: Bearer TOKEN, or any user with the token as the password.`,
  )
}

async function serveRegistry(io: Io, options: ServeOptions): Promise<void> {
  const { dataDirectory, config } = await loadProject(io, options)
  const [{ parseAddress, serveHttp }, { addRegistryRoutes }] = await Promise.all([
    import('../../serve/http.ts'),
    import('../../serve/registry-routes.ts'),
  ])
  const fenced = Promise.withResolvers<never>()
  fenced.promise.catch(() => {})
  const service = await openService({
    directory: dataDirectory,
    version: VERSION,
    ports: nodePorts(),
    launch: async ({ file }) => {
      throw notHere(file)
    },
    produce: (request, ports: Ports) => appendRecords(ports, dataDirectory, request),
    onFenced: fenced.reject,
  })
  const store = await openRegistryStore(service.ports, dataDirectory)
  const token = io.environment.MILLRACE_HTTP_TOKEN ?? config.http.token
  const stopping = listenForStop()
  try {
    const http = await serveHttp({
      address: parseAddress(options.http),
      status: service.status,
      routes: (app) => addRegistryRoutes(app, store),
      ...(token === undefined ? {} : { token }),
    })
    io.out(options.json ? JSON.stringify({ url: http.url }) : `schema registry: ${http.url}`)
    try {
      await Promise.race([fenced.promise, stopping.asked])
    } finally {
      await http.close()
    }
  } finally {
    stopping.dispose()
    await store.close()
    await service.close()
  }
}

function notHere(file: string): MillraceError {
  return new MillraceError('USAGE_INVALID', {
    message: `${file} can't be started: the process that owns the data only serves the registry`,
    hint: 'stop it, and run `millrace run --stay --http 127.0.0.1:8081`, which does both',
    facts: { file },
  })
}
