/** What is refused over HTTP, as `{ error, code, hint }`: the client's mistakes are 4xx; what may pass is 503. */
import type { FastifyReply } from 'fastify'
import { type ErrorCode, MillraceError } from '../errors.ts'

const STATUS: Partial<Record<ErrorCode, number>> = {
  HTTP_BODY_INVALID: 400,
  HTTP_REQUEST_INVALID: 400,
  LOG_RECORD_TOO_LARGE: 413,
  LOG_TOPIC_MISSING: 404,
}

/** The seconds after which a client may try again what is 503. */
const RETRY_AFTER = '1'

export function refuse(error: unknown, reply: FastifyReply) {
  if (error instanceof MillraceError) {
    const { code, message, hint } = error
    const status = STATUS[code] ?? 503
    if (status === 503) reply.header('retry-after', RETRY_AFTER)
    return reply.code(status).send({ error: message, code, hint })
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  return reply.code(status).send({ error: error instanceof Error ? error.message : String(error) })
}

/** @returns HTTP_REQUEST_INVALID */
export function requestInvalid(message: string, hint: string): MillraceError {
  return new MillraceError('HTTP_REQUEST_INVALID', { message, hint })
}

/** @returns VIEW_NOT_READY */
export function notReady(name: string): MillraceError {
  return new MillraceError('VIEW_NOT_READY', {
    message: `${name} is still reading what its sources hold`,
    hint: 'try again in a moment; /readyz tells when all answer',
    facts: { name },
  })
}
