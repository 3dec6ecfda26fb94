/**
 * The way in over HTTP: `POST /topics/NAME` appends JSON rows to a topic of the embedded log, and answers 200 once they are durable.
 *
 *   content type      application/json: one object, or an array of them; application/x-ndjson: an object a line
 *   ?key=FIELD        the record's key: rows of one value go to one partition, in order
 *   Idempotency-Key   sent again with the same key, the request appends nothing twice
 *
 * Other content types are refused: a web page can't send these without asking first.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bodyInvalid, idempotencyKey, jsonObject, parsedJson, takeTexts } from './json-bodies.ts'
import type { ProducedRecord } from './protocol.ts'
import { refuse } from './refusals.ts'

export const TOPIC_BODY_BYTES_MAX = 8 << 20
const ROWS_MAX = 10_000

/** Answers once the rows are as durable as the log's fsync policy says. */
export type AppendRows = (
  topic: string,
  records: readonly ProducedRecord[],
) => Promise<{ readonly appended: number; readonly duplicates: number }>

interface AppendRoute {
  readonly Params: { readonly topic: string }
  readonly Querystring: { readonly key?: string }
}

export async function addTopicRoutes(app: FastifyInstance, append: AppendRows): Promise<void> {
  await app.register(async (scope) => {
    takeTexts(scope, ['application/json', 'application/x-ndjson'], TOPIC_BODY_BYTES_MAX)
    scope.setErrorHandler((error, _request, reply) => refuse(error, reply))
    scope.post<AppendRoute>('/topics/:topic', async (request) => {
      const records = recordsOf(request)
      return append(request.params.topic, records)
    })
  })
}

function recordsOf(request: FastifyRequest<AppendRoute>): readonly ProducedRecord[] {
  const texts = rowsOf(String(request.body ?? ''), request.headers['content-type'] ?? '')
  if (texts.length > ROWS_MAX)
    throw bodyInvalid(
      `${texts.length} rows are too many for one request`,
      `send at most ${ROWS_MAX}`,
    )
  const eventId = idempotencyKey(request.headers['idempotency-key'])
  return texts.map(({ text, row }, index) => ({
    value: text,
    ...keyOf(row, request.query.key, index),
    ...(eventId === undefined
      ? {}
      : { eventId: texts.length === 1 ? eventId : `${eventId}/${index}` }),
  }))
}

interface RowText {
  readonly text: string
  readonly row: Readonly<Record<string, unknown>>
}

/** Lines go on as they were written; rows of an array are written anew. */
function rowsOf(body: string, contentType: string): readonly RowText[] {
  if (contentType.startsWith('application/x-ndjson')) {
    const lines = body.split('\n').filter((line) => line.trim() !== '')
    return lines.map((text, index) => ({ text, row: jsonObject(parsedJson(text, index), index) }))
  }
  const whole = parsedJson(body, 0)
  if (!Array.isArray(whole)) return [{ text: body, row: jsonObject(whole, 0) }]
  return whole.map((each, index) => ({ text: JSON.stringify(each), row: jsonObject(each, index) }))
}

function keyOf(row: RowText['row'], field: string | undefined, index: number) {
  if (field === undefined) return {}
  const value = Object.hasOwn(row, field) ? row[field] : undefined
  if (typeof value === 'string' || typeof value === 'number') return { key: String(value) }
  throw bodyInvalid(`row ${index} has no ${field} to be its key`, 'a key is a text or a number')
}
