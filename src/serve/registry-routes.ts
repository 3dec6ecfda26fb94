/**
 * The embedded registry over HTTP, with the paths, bodies and error numbers of Confluent's REST API, so that its clients and
 * serializers work against it unchanged.
 *
 * @see Confluent documentation, "Schema Registry API Reference"
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { MillraceError } from '../errors.ts'
import { decideRegister } from '../registry/decisions.ts'
import { FAULTS, fault, schemaMissing } from '../registry/faults.ts'
import { findVersion, lookUp, requireVersions } from '../registry/registry.ts'
import type { RegistryStore } from '../registry/store.ts'
import {
  entryBody,
  givenSchema,
  page,
  type RegistryRequest,
  schemaBody,
  textIn,
  versionBody,
} from './registry-bodies.ts'
import { addRegistryDeletes } from './registry-deletes.ts'
import { addRegistrySettings } from './registry-settings.ts'

export const REGISTRY_CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
/** Schemas are text: what is larger is no schema. */
export const REGISTRY_BODY_BYTES_MAX = 8 << 20

/** Adds the routes to `app`, in a scope of their own: errors elsewhere are answered as before. */
export async function addRegistryRoutes(app: FastifyInstance, store: RegistryStore): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    // Clients send several content types, or none; all of it is JSON.
    scope.addContentTypeParser(
      '*',
      { parseAs: 'string', bodyLimit: REGISTRY_BODY_BYTES_MAX },
      (_, body, done) => {
        try {
          done(null, body === '' ? undefined : JSON.parse(String(body)))
        } catch (error) {
          done(
            fault(
              'schemaInvalid',
              `the body is no JSON: ${error instanceof Error ? error.message : error}`,
            ),
          )
        }
      },
    )
    scope.setErrorHandler((error, _request, reply) => refuse(error, reply))
    scope.addHook('onSend', async (_request, reply) => {
      reply.header('content-type', REGISTRY_CONTENT_TYPE)
    })
    addSubjects(scope, store)
    addSchemas(scope, store)
    addRegistryDeletes(scope, store)
    addRegistrySettings(scope, store)
  })
}

function refuse(error: unknown, reply: FastifyReply) {
  const { errorCode, message } = wireError(error)
  const status = errorCode < 1000 ? errorCode : Math.floor(errorCode / 100)
  return reply.code(status).send({ error_code: errorCode, message })
}

function wireError(error: unknown): { readonly errorCode: number; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof MillraceError) {
    if (typeof error.facts.errorCode === 'number')
      return { errorCode: error.facts.errorCode, message }
    if (error.code === 'SCHEMA_INVALID') return { errorCode: FAULTS.schemaInvalid, message }
    return { errorCode: 50001, message }
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  return { errorCode: status === 500 ? 50001 : status, message }
}

function addSubjects(app: FastifyInstance, store: RegistryStore): void {
  const { state } = store
  app.get('/subjects', async ({ query }: RegistryRequest) => {
    const all = state.subjects(query.deleted === 'true' || query.deletedOnly === 'true')
    const prefix = query.subjectPrefix ?? ''
    const live = new Set(state.subjects(false))
    return page(
      all.filter(
        (name) => matches(name, prefix) && (query.deletedOnly !== 'true' || !live.has(name)),
      ),
      query,
    )
  })
  app.post('/subjects/:subject', async ({ params, query, body }: RegistryRequest) =>
    versionBody(lookUp(state, params.subject, givenSchema(body), query.deleted === 'true'), query),
  )
  app.get('/subjects/:subject/versions', async ({ params, query }: RegistryRequest) => {
    const all = requireVersions(state, params.subject, query.deleted === 'true')
    return page(
      all.map(({ version }) => version),
      query,
    )
  })
  app.post('/subjects/:subject/versions', async ({ params, body }: RegistryRequest) => {
    const given = givenSchema(body)
    const entry = await store.change((now) => decideRegister(now, params.subject, given))
    return entryBody(entry)
  })
  app.get('/subjects/:subject/versions/:version', async ({ params, query }: RegistryRequest) =>
    versionBody(
      findVersion(state, params.subject, params.version, query.deleted === 'true'),
      query,
    ),
  )
  app.get(
    '/subjects/:subject/versions/:version/schema',
    async ({ params, query }: RegistryRequest) => {
      const entry = findVersion(state, params.subject, params.version, query.deleted === 'true')
      return textIn(entry, query)
    },
  )
  app.get(
    '/subjects/:subject/versions/:version/referencedby',
    async ({ params }: RegistryRequest) => {
      const { subject, version } = findVersion(state, params.subject, params.version, true)
      return [...new Set(state.referringTo(subject, version).map(({ id }) => id))]
    },
  )
}

/** ':*:' is every context. */
function matches(subject: string, prefix: string): boolean {
  return subject.startsWith(prefix.replace(/^:\*:/, ''))
}

function addSchemas(app: FastifyInstance, store: RegistryStore): void {
  const { state } = store
  const byId = ({ params, query }: RegistryRequest) => {
    const all = state.byId(Number(params.id))
    const of =
      query.subject === undefined ? undefined : all.find((each) => each.subject === query.subject)
    const found = of ?? all.find((each) => !each.isDeleted) ?? all[0]
    if (found === undefined) throw schemaMissing(Number(params.id))
    return found
  }
  const standing = ({ params, query }: RegistryRequest) => {
    const all = state.byId(Number(params.id))
    if (all.length === 0) throw schemaMissing()
    return all.filter(
      (each) =>
        (query.deleted === 'true' || !each.isDeleted) &&
        (query.subject === undefined || each.subject === query.subject),
    )
  }
  app.get('/schemas/types', async () => ['JSON', 'PROTOBUF', 'AVRO'])
  app.get('/schemas/ids/:id', async (request: RegistryRequest) => ({
    ...schemaBody(byId(request), request.query),
    ...(request.query.fetchMaxId === 'true' ? { maxId: state.lastId } : {}),
  }))
  app.get('/schemas/ids/:id/schema', async (request: RegistryRequest) =>
    textIn(byId(request), request.query),
  )
  app.get('/schemas/ids/:id/subjects', async (request: RegistryRequest) =>
    page([...new Set(standing(request).map(({ subject }) => subject))], request.query),
  )
  app.get('/schemas/ids/:id/versions', async (request: RegistryRequest) =>
    page(
      standing(request).map(({ subject, version }) => ({ subject, version })),
      request.query,
    ),
  )
  app.get('/schemas', async ({ query }: RegistryRequest) => {
    const isDeleted = query.deleted === 'true'
    const found = state
      .subjects(isDeleted)
      .filter((subject) => matches(subject, query.subjectPrefix ?? ''))
      .flatMap((subject) => {
        const versions = state.versions(subject, isDeleted)
        return query.latestOnly === 'true' ? versions.slice(-1) : versions
      })
    return page(
      found.map((entry) => versionBody(entry, query)),
      query,
    )
  })
}
