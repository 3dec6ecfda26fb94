/** What `millrace run` serves over HTTP: status, the registry, the way in, and the project's views and questions. */
import type { Field } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import { openRegistryStore } from '../registry/store.ts'
import { CONNECTORS } from '../run/connectors.ts'
import type { AskPlan, ViewPlan } from '../serve/answers.ts'
import type { Logger } from '../serve/logs.ts'
import type { Service } from '../serve/service.ts'
import type { AppendRows } from '../serve/topic-routes.ts'
import { heldToSchemas } from '../serve/topic-schemas.ts'
import { appendRecords } from './produce-rows.ts'
import type { Project } from './project.ts'
import { compileQuery } from './scripts.ts'

export interface Serving {
  readonly project: Project
  readonly service: Service
  readonly logger: Logger
  /** HOST:PORT; the project's own unless told. */
  readonly address: string | undefined
}

export interface Served {
  readonly url: string
  close(): Promise<void>
}

/** True if the project has something to serve besides its pipelines. */
export function serves({ config: { http } }: Project): boolean {
  return Object.keys({ ...http.views, ...http.asks }).length > 0
}

/** Undefined if there is no address. @throws HTTP_ADDRESS_INVALID, HTTP_UNPROTECTED, HTTP_LISTEN_FAILED, CONFIG_INVALID */
export async function openHttp(serving: Serving): Promise<Served | undefined> {
  const { project, service, address } = serving
  const text = address ?? project.config.http.address
  if (text === undefined) return undefined
  const [{ parseAddress, serveHttp }, { addRegistryRoutes }, { addTopicRoutes }] =
    await Promise.all([
      import('../serve/http.ts'),
      import('../serve/registry-routes.ts'),
      import('../serve/topic-routes.ts'),
    ])
  const append = appending(service.ports, project.dataDirectory)
  const token = process.env.MILLRACE_HTTP_TOKEN ?? project.config.http.token
  const registry = await openRegistryStore(service.ports, project.dataDirectory)
  const answers = await openProjectAnswers(serving, append).catch(async (error: unknown) => {
    await registry.close()
    throw error
  })
  const closeAll = async () => {
    await answers?.close()
    await registry.close()
  }
  try {
    const { url, close } = await serveHttp({
      address: parseAddress(text),
      status: service.status,
      waiting: () => answers?.waiting() ?? [],
      routes: async (app) => {
        await addRegistryRoutes(app, registry)
        await addTopicRoutes(app, append)
        await answers?.addRoutes(app)
      },
      ...(token === undefined ? {} : { token }),
    })
    return { url, close: () => close().finally(closeAll) }
  } catch (error) {
    await closeAll()
    throw error
  }
}

function appending(ports: Ports, dataDirectory: string): AppendRows {
  return heldToSchemas(ports, dataDirectory, (topic, records) =>
    appendRecords(ports, dataDirectory, { topic, records }),
  )
}

/** Undefined if the project names none. */
async function openProjectAnswers({ project, service, logger }: Serving, append: AppendRows) {
  if (!serves(project)) return undefined
  const plans = await answerPlans(project)
  const [{ openAnswers }, { addAskRoutes }, { addViewRoutes }] = await Promise.all([
    import('../serve/answers.ts'),
    import('../serve/ask-routes.ts'),
    import('../serve/view-routes.ts'),
  ])
  const answers = await openAnswers({
    ...plans,
    append,
    connectors: CONNECTORS,
    ports: service.ports,
    dataDirectory: project.dataDirectory,
    baseDirectory: project.directory,
    environment: process.env,
    onTrouble: (name, error) => logger.warn({ error }, `${name} does not answer`),
  })
  return {
    waiting: answers.waiting,
    close: answers.close,
    addRoutes: async (app: Parameters<typeof addAskRoutes>[0]) => {
      await addViewRoutes(app, answers.views)
      await addAskRoutes(app, answers.asks)
    },
  }
}

/** @throws ProjectError, CONFIG_INVALID */
async function answerPlans(
  project: Project,
): Promise<{ readonly views: ViewPlan[]; readonly asks: AskPlan[] }> {
  const { views: namedViews = {}, asks: namedAsks = {} } = project.config.http
  const views: ViewPlan[] = []
  for (const [name, { key }] of Object.entries(namedViews)) {
    const { query, schema } = await compileQuery(project, selectAll(name))
    views.push({ name, query, key: key.map((column) => columnOf(name, column, schema)) })
  }
  const asks: AskPlan[] = []
  for (const [name, { topic, id }] of Object.entries(namedAsks)) {
    const { query, schema } = await compileQuery(project, selectAll(name))
    const { type } = columnOf(name, id, schema)
    if (type.kind !== 'varchar' && type.kind !== 'char')
      throw configInvalid(`http.asks.${name}: ${id} is no text`, 'the id of an event is a STRING')
    asks.push({ name, query, topic, id })
  }
  return { views, asks }
}

function selectAll(name: string): string {
  return `SELECT * FROM \`${name.replaceAll('`', '``')}\``
}

function columnOf(name: string, column: string, schema: readonly Field[]): Field {
  const found = schema.find((field) => field.name === column)
  if (found !== undefined) return found
  throw configInvalid(
    `http: ${name} has no column ${column}`,
    `its columns are ${schema.map((field) => field.name).join(', ')}`,
  )
}

function configInvalid(message: string, hint: string): MillraceError {
  return new MillraceError('CONFIG_INVALID', { message, hint })
}
