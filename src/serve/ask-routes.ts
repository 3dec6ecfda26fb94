/**
 * Asking over HTTP: `POST /asks/NAME` appends an event and answers with the event's own row of the query.
 *
 *   content type      application/json: one object
 *   Idempotency-Key   the event's id, which it may also hold itself; asked again with it, nothing is appended twice and the answer is
 *                     the same. Without one it gets a new id
 *   ?timeout-ms=      how long the answer is awaited: 1 to 60000, 10000 unless told
 *
 *   200   the row
 *   202   ANSWER_LATE: the event is durable in the topic, its answer has not come yet; ask again with `id`
 *   503   it can't be told whether the event was appended: ask again with the same id
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { jsonText, type Row } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { Asking } from '../run/asking.ts'
import { bodyInvalid, idempotencyKey, jsonObject, parsedJson, takeTexts } from './json-bodies.ts'
import { notReady, refuse, requestInvalid } from './refusals.ts'

const ASK_BODY_BYTES_MAX = 1 << 20
const TIMEOUT_MS = 10_000
const TIMEOUT_MS_MAX = 60_000

export interface ServedAsk {
  readonly name: string
  /** The column that holds an event's id. */
  readonly id: string
  /** Undefined while what the topic holds is still being read. */
  asking(): Asking<Row> | undefined
  newId(): string
}

interface AskRoute {
  readonly Params: { readonly name: string }
  readonly Querystring: { readonly 'timeout-ms'?: string }
}

export async function addAskRoutes(
  app: FastifyInstance,
  asks: readonly ServedAsk[],
): Promise<void> {
  await app.register(async (scope) => {
    takeTexts(scope, ['application/json'], ASK_BODY_BYTES_MAX)
    scope.setErrorHandler((error, _request, reply) => refuse(error, reply))
    scope.post<AskRoute>('/asks/:name', async (request, reply) => {
      const served = asks.find(({ name }) => name === request.params.name)
      if (served === undefined)
        return reply.code(404).send({
          error: `nothing is asked by the name ${request.params.name}`,
          asks: asks.map(({ name }) => name),
        })
      return answer(served, request, reply)
    })
  })
}

async function answer(
  served: ServedAsk,
  request: FastifyRequest<AskRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const event = eventOf(request, served)
  const timeoutMs = timeoutOf(request.query['timeout-ms'])
  const asking = served.asking()
  if (asking === undefined) throw notReady(served.name)
  const { id } = event
  reply.type('application/json')
  try {
    return reply.send(jsonText(await asking.ask(event.row, { id, timeoutMs })))
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'ANSWER_LATE') throw error
    const { code, message, hint } = error
    return reply.code(202).send({ error: message, code, hint, durable: true, id })
  }
}

/** Values stand as JSON has them; what a column can't hold is the query's to refuse. */
function eventOf(
  request: FastifyRequest<AskRoute>,
  { id: column, newId }: ServedAsk,
): { readonly row: Row; readonly id: string } {
  const row = jsonObject(parsedJson(String(request.body ?? ''), 0), 0) as Row
  const given = Object.hasOwn(row, column) ? row[column] : undefined
  if (given !== undefined && given !== null && typeof given !== 'string')
    throw bodyInvalid(`${column} is no text`, 'the id of an event is a text')
  const key = idempotencyKey(request.headers['idempotency-key'])
  if (key !== undefined && typeof given === 'string' && given !== key)
    throw bodyInvalid(
      `the event's ${column} and the Idempotency-Key differ`,
      'leave one of them out, or send the same',
    )
  return { row, id: key ?? idempotencyKey(given ?? undefined) ?? newId() }
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return TIMEOUT_MS
  const ms = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (ms >= 1 && ms <= TIMEOUT_MS_MAX) return ms
  throw requestInvalid(`timeout-ms can't be '${text}'`, `it is 1 to ${TIMEOUT_MS_MAX}`)
}
