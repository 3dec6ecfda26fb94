/**
 * Views over HTTP.
 *
 *   GET /views/NAME?COLUMN=VALUE&...   the row of a key, all of whose columns are named; 404 if there is none
 *   GET /views/NAME/changes            Server-Sent Events: what happens to the view
 *
 * Events of the stream:
 *
 *   reset    `{"rows": N}`: what the client holds is to be forgotten; N changes of kind +I follow, then `live`
 *   change   `{"kind": "+I" | "-U" | "+U" | "-D", "row": {...}}`
 *   live     the rows that were there have all been told
 *   error    `{"error", "code", "hint"}`: the stream ends
 *
 * `live` and the changes behind it have ids. Who comes back with one as Last-Event-ID goes on behind it, as long as what came since is
 * kept; else there is a reset. A client that reads slowly is waited for, and ended when too much waits for it.
 *
 * @see WHATWG HTML, "Server-sent events"
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Field } from '../data/types.ts'
import { jsonText, type Row, type Value } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { NumberedChange } from '../run/followers.ts'
import type { View } from '../run/view.ts'
import { eventStream } from './event-stream.ts'
import { notReady, refuse, requestInvalid } from './refusals.ts'

/** Clients that follow at one time. */
const FOLLOWERS_MAX = 256
/** A comment is sent when nothing else was for so long to twice that: who is between must not take the connection for dead. */
const HEARTBEAT_MS = 15_000

export interface ServedView {
  readonly name: string
  readonly key: readonly Field[]
  /** Undefined while what its sources hold is still being read. */
  view(): OpenedView | undefined
}

export interface OpenedView {
  readonly view: View<Row>
  /** Other than that of any view opened before: numbers of changes mean nothing in another. */
  readonly epoch: string
}

interface ViewRoute {
  readonly Params: { readonly name: string }
  readonly Querystring: Readonly<Record<string, string | readonly string[]>>
}

export interface ViewRoutesOptions {
  readonly heartbeatMs?: number
  readonly followersMax?: number
}

export async function addViewRoutes(
  app: FastifyInstance,
  views: readonly ServedView[],
  { heartbeatMs = HEARTBEAT_MS, followersMax = FOLLOWERS_MAX }: ViewRoutesOptions = {},
): Promise<void> {
  let followers = 0
  await app.register(async (scope) => {
    scope.setErrorHandler((error, _request, reply) => refuse(error, reply))
    scope.get<ViewRoute>('/views/:name', async (request, reply) => {
      const served = find(views, request, reply)
      if (served === undefined) return reply
      const key = keyOf(served, request.query)
      const row = opened(served).view.get(...key)
      if (row === undefined) return reply.code(404).send({ error: 'there is no row of this key' })
      return reply.type('application/json').send(jsonText(row))
    })
    scope.get<ViewRoute>('/views/:name/changes', async (request, reply) => {
      const served = find(views, request, reply)
      if (served === undefined) return reply
      const view = opened(served)
      if (followers >= followersMax)
        return reply
          .code(503)
          .header('retry-after', '10')
          .send({ error: `${followersMax} clients follow already` })
      followers++
      reply.hijack()
      await tellChanges(view, request, reply.raw, heartbeatMs).finally(() => followers--)
      return reply
    })
  })
}

function find(
  views: readonly ServedView[],
  request: FastifyRequest<ViewRoute>,
  reply: FastifyReply,
): ServedView | undefined {
  const found = views.find(({ name }) => name === request.params.name)
  if (found === undefined)
    reply.code(404).send({
      error: `there is no view ${request.params.name}`,
      views: views.map(({ name }) => name),
    })
  return found
}

/** @throws VIEW_NOT_READY */
function opened(served: ServedView): OpenedView {
  const view = served.view()
  if (view === undefined) throw notReady(served.name)
  return view
}

/** @throws HTTP_REQUEST_INVALID unless each column of the key is named once, with a value of its type, and no other is */
function keyOf({ key }: ServedView, query: ViewRoute['Querystring']): Value[] {
  const names = key.map(({ name }) => name)
  const foreign = Object.keys(query).find((name) => !names.includes(name))
  if (foreign !== undefined)
    throw requestInvalid(`${foreign} is no column of the key`, `the key is ${names.join(', ')}`)
  return key.map(({ name, type }) => {
    const text = Object.hasOwn(query, name) ? query[name] : undefined
    if (typeof text !== 'string')
      throw requestInvalid(`${name} is not told once`, `name all of the key: ${names.join(', ')}`)
    const value = keyValue(type.kind, text)
    if (value === undefined)
      throw requestInvalid(`${name} can't be '${text}'`, `it is a ${type.kind.toUpperCase()}`)
    return value
  })
}

function keyValue(kind: Field['type']['kind'], text: string): Value | undefined {
  switch (kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined
    case 'float':
    case 'double':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    default:
      return text
  }
}

async function tellChanges(
  { view, epoch }: OpenedView,
  request: FastifyRequest,
  response: ServerResponse,
  heartbeatMs: number,
): Promise<void> {
  const gone = new AbortController()
  const stream = eventStream(response, gone, heartbeatMs)
  const { rows, number, changes } = view.resume(
    numberOf(epoch, request.headers['last-event-id']),
    gone.signal,
  )
  try {
    if (rows !== undefined) {
      await stream.send('reset', `{"rows":${rows.length}}`)
      for (const row of rows) await stream.send('change', changeText('+I', row))
    }
    await stream.send('live', '{}', idOf(epoch, number))
    for await (const { number, change } of changes)
      await stream.send('change', changeText(change.kind, change.row), idOf(epoch, number))
  } catch (error) {
    if (!gone.signal.aborted) await stream.send('error', errorText(error))
  } finally {
    stream.end()
  }
}

function changeText(kind: NumberedChange['change']['kind'], row: Row): string {
  return `{"kind":"${kind}","row":${jsonText(row)}}`
}

function errorText(error: unknown): string {
  if (!(error instanceof MillraceError)) return JSON.stringify({ error: String(error) })
  const { message, code, hint } = error
  return JSON.stringify({ error: message, code, hint })
}

function idOf(epoch: string, number: number): string {
  return `${epoch}-${number}`
}

/** Of the view as it is now; undefined for ids of other ones. */
function numberOf(epoch: string, id: string | readonly string[] | undefined) {
  if (typeof id !== 'string' || !id.startsWith(`${epoch}-`)) return undefined
  const digits = id.slice(epoch.length + 1)
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined
}
