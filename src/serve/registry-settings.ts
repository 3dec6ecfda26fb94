/** Levels, modes, checks before registration, and what clients ask of a server as such. */
import type { FastifyInstance } from 'fastify'
import { incompatibilityText } from '../registry/compatibility/check.ts'
import { decideLevel, decideMode, decideUnsetLevel } from '../registry/decisions.ts'
import { fault } from '../registry/faults.ts'
import {
  checkLevel,
  checkMode,
  DEFAULT_LEVEL,
  findVersion,
  levelOf,
  modeOf,
  readVersion,
  refusals,
} from '../registry/registry.ts'
import type { RegistryStore } from '../registry/store.ts'
import { givenSchema, type RegistryRequest } from './registry-bodies.ts'

export function addRegistrySettings(app: FastifyInstance, store: RegistryStore): void {
  addLevels(app, store)
  addModes(app, store)
  addChecks(app, store)
  const { state } = store
  app.get('/contexts', async () => [
    ...new Set([
      '.',
      ...state.subjects(false).flatMap((name) => /^:(\.[^:]+):/.exec(name)?.[1] ?? []),
    ]),
  ])
  app.get('/', async () => ({}))
  app.get('/v1/metadata/id', async () => ({ id: '', scope: { path: [], clusters: {} } }))
  app.get('/v1/metadata/version', async () => ({ version: 'millrace', commitId: '' }))
}

function memberOf(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined
  return (body as Readonly<Record<string, unknown>>)[name]
}

function addLevels(app: FastifyInstance, store: RegistryStore): void {
  const { state } = store
  const put = async (subject: string | null, body: unknown) => {
    const compatibility = checkLevel(memberOf(body, 'compatibility'))
    await store.change(() => decideLevel(subject, compatibility))
    return { compatibility }
  }
  app.get('/config', async () => ({ compatibilityLevel: state.level(null) ?? DEFAULT_LEVEL }))
  app.put('/config', async ({ body }: RegistryRequest) => put(null, body))
  app.delete('/config', async () => {
    const before = state.level(null) ?? DEFAULT_LEVEL
    await store.change(() => decideLevel(null, undefined))
    return { compatibilityLevel: before }
  })
  app.get('/config/:subject', async ({ params: { subject }, query }: RegistryRequest) => {
    const level = state.level(subject)
    if (level === undefined && query.defaultToGlobal !== 'true')
      throw fault(
        'levelNotSet',
        `Subject '${subject}' does not have subject-level compatibility configured`,
        { subject },
      )
    return { compatibilityLevel: level ?? levelOf(state, subject) }
  })
  app.put('/config/:subject', async ({ params, body }: RegistryRequest) =>
    put(params.subject, body),
  )
  app.delete('/config/:subject', async ({ params }: RegistryRequest) => ({
    compatibilityLevel: await store.change((now) => decideUnsetLevel(now, params.subject)),
  }))
}

function addModes(app: FastifyInstance, store: RegistryStore): void {
  const { state } = store
  const put = async (subject: string | null, { body, query }: RegistryRequest) => {
    const mode = checkMode(memberOf(body, 'mode'))
    await store.change((now) => decideMode(now, subject, mode, query.force === 'true'))
    return { mode }
  }
  app.get('/mode', async () => ({ mode: modeOf(state, null) }))
  app.put('/mode', async (request: RegistryRequest) => put(null, request))
  app.delete('/mode', async () => {
    const before = modeOf(state, null)
    await store.change((now) => decideMode(now, null, undefined, true))
    return { mode: before }
  })
  app.get('/mode/:subject', async ({ params: { subject }, query }: RegistryRequest) => {
    const mode = state.mode(subject)
    if (mode === undefined && query.defaultToGlobal !== 'true')
      throw fault(
        'modeNotSet',
        `Subject '${subject}' does not have subject-level mode configured`,
        { subject },
      )
    return { mode: mode ?? modeOf(state, subject) }
  })
  app.put('/mode/:subject', async (request: RegistryRequest) =>
    put(request.params.subject, request),
  )
  app.delete('/mode/:subject', async ({ params: { subject } }: RegistryRequest) => {
    const before = state.mode(subject)
    if (before === undefined)
      throw fault('subjectMissing', `Subject '${subject}' not found.`, { subject })
    await store.change((now) => decideMode(now, subject, undefined, true))
    return { mode: before }
  })
}

function addChecks(app: FastifyInstance, store: RegistryStore): void {
  const { state } = store
  const told = (messages: readonly string[], verbose: string | undefined) => ({
    is_compatible: messages.length === 0,
    ...(verbose === 'true' ? { messages } : {}),
  })
  app.post(
    '/compatibility/subjects/:subject/versions',
    async ({ params, query, body }: RegistryRequest) => {
      const versions = state.versions(params.subject, false)
      const level = levelOf(state, params.subject)
      return told(
        refusals(state, level, givenSchema(body), versions).map(incompatibilityText),
        query.verbose,
      )
    },
  )
  app.post(
    '/compatibility/subjects/:subject/versions/:version',
    async ({ params: { subject, version }, query, body }: RegistryRequest) => {
      const given = givenSchema(body)
      const isNone =
        readVersion(version) === 'latest' && state.versions(subject, false).length === 0
      const olds = isNone ? [] : [findVersion(state, subject, version, false)]
      const level = levelOf(state, subject)
      return told(refusals(state, level, given, olds).map(incompatibilityText), query.verbose)
    },
  )
}
