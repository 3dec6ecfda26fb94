/**
 * The way in over HTTP: `POST /topics/NAME` appends JSON rows to a topic of the embedded log, and answers 200 once they are durable.
 *
 *   content type      application/json: one object, or an array of them; application/x-ndjson: an object a line
 *   ?key=FIELD        the record's key: rows of one value go to one partition, in order
 *   Idempotency-Key   sent again with the same key, the request appends nothing twice
 *
 * Other content types are refused: a web page can't send these without asking first.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { MillraceError } from '../errors.ts'
import type { ProducedRecord } from './protocol.ts'

export const TOPIC_BODY_BYTES_MAX = 8 << 20
const ROWS_MAX = 10_000
const IDEMPOTENCY_KEY_LENGTH_MAX = 256

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
    scope.removeAllContentTypeParsers()
    for (const type of ['application/json', 'application/x-ndjson']) {
      const options = { parseAs: 'string', bodyLimit: TOPIC_BODY_BYTES_MAX } as const
      scope.addContentTypeParser(type, options, (_request, body, done) => done(null, String(body)))
    }
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
    return lines.map((text, index) => ({ text, row: objectOf(parsed(text, index), index) }))
  }
  const whole = parsed(body, 0)
  if (!Array.isArray(whole)) return [{ text: body, row: objectOf(whole, 0) }]
  return whole.map((each, index) => ({ text: JSON.stringify(each), row: objectOf(each, index) }))
}

function parsed(text: string, index: number): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw bodyInvalid(
      `row ${index} is no JSON: ${error instanceof Error ? error.message : error}`,
      'send an object, an array of objects, or an object a line',
    )
  }
}

function objectOf(value: unknown, index: number): RowText['row'] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value))
  throw bodyInvalid(`row ${index} is no object`, 'a row is an object of columns')
}

function keyOf(row: RowText['row'], field: string | undefined, index: number) {
  if (field === undefined) return {}
  const value = Object.hasOwn(row, field) ? row[field] : undefined
  if (typeof value === 'string' || typeof value === 'number') return { key: String(value) }
  throw bodyInvalid(`row ${index} has no ${field} to be its key`, 'a key is a text or a number')
}

function idempotencyKey(given: string | readonly string[] | undefined): string | undefined {
  const key = typeof given === 'string' ? given : given?.[0]
  if (key === undefined || (key !== '' && key.length <= IDEMPOTENCY_KEY_LENGTH_MAX)) return key
  throw bodyInvalid(
    'the Idempotency-Key can not be used',
    `it has 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters`,
  )
}

function bodyInvalid(message: string, hint: string): MillraceError {
  return new MillraceError('HTTP_BODY_INVALID', { message, hint })
}

/** The client's mistakes are 4xx; a log that can't take rows now is 503. */
function refuse(error: unknown, reply: FastifyReply) {
  if (error instanceof MillraceError) {
    const { code, message, hint } = error
    const status =
      code === 'HTTP_BODY_INVALID'
        ? 400
        : code === 'LOG_TOPIC_MISSING'
          ? 404
          : code === 'LOG_RECORD_TOO_LARGE'
            ? 413
            : 503
    return reply.code(status).send({ error: message, code, hint })
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  return reply.code(status).send({ error: error instanceof Error ? error.message : String(error) })
}
