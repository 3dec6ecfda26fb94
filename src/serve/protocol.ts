/**
 * The control channel: how other processes speak with the owner of a data directory over its local socket.
 *
 *   request   {"v":1,"id":7,"op":"stop","name":"revenue"}\n
 *   answer    {"v":1,"id":7,"result":{...}}\n   or   {"v":1,"id":7,"error":{"code","message","hint","facts"}}\n
 *
 * Requests of one connection are answered in order. A field that is unknown is ignored, so that a newer client may
 * say more; a version that is unknown is refused.
 */
import { z } from 'zod'
import { ERRORS, type ErrorCode, MillraceError } from '../errors.ts'
import { controlInvalid } from './lines.ts'

export const PROTOCOL_VERSION = 1
/** A produce request carries at most about 1 MB of rows; JSON escapes may double it, and a single row may be large. */
export const REQUEST_BYTES_MAX = 32 << 20
export const ANSWER_BYTES_MAX = 64 << 20

const producedRecord = z.object({
  /** Text, or with `encoding` bytes. */
  value: z.string(),
  encoding: z.literal('base64').optional(),
  key: z.string().optional(),
  eventTimeMs: z.number().optional(),
  /** Deduplicates retries within the log's window. */
  eventId: z.string().optional(),
})
export type ProducedRecord = z.infer<typeof producedRecord>

const operation = z.discriminatedUnion('op', [
  z.object({ op: z.literal('status') }),
  z.object({
    op: z.literal('start'),
    /** Absolute path of a pipeline's file. */
    file: z.string(),
    fresh: z.boolean().default(false),
    workers: z.int().min(1).optional(),
  }),
  z.object({ op: z.literal('stop'), name: z.string() }),
  z.object({ op: z.literal('savepoint'), name: z.string() }),
  z.object({
    op: z.literal('produce'),
    topic: z.string(),
    /** Creates the topic if it is missing. */
    partitions: z.int().min(1).optional(),
    records: z.array(producedRecord),
  }),
  z.object({
    op: z.literal('register'),
    subject: z.string(),
    schemaType: z.enum(['AVRO', 'JSON', 'PROTOBUF']),
    schema: z.string(),
  }),
])
export type Operation = z.infer<typeof operation>
export type OperationRequest = z.input<typeof operation>

const envelope = z.looseObject({ v: z.number(), id: z.number() })

export interface Request {
  readonly id: number
  readonly operation: Operation
}

/** @throws CONTROL_INVALID if it is no request of this version */
export function readRequest(line: unknown): Request {
  const outer = envelope.safeParse(line)
  if (!outer.success) throw controlInvalid('a request without version and id')
  if (outer.data.v !== PROTOCOL_VERSION) throw controlInvalid(`protocol version ${outer.data.v}`)
  const inner = operation.safeParse(line)
  if (!inner.success) throw controlInvalid(z.prettifyError(inner.error).replaceAll('\n', ' '))
  return { id: outer.data.id, operation: inner.data }
}

export function requestLine(id: number, request: OperationRequest): string {
  return `${JSON.stringify({ v: PROTOCOL_VERSION, id, ...request })}\n`
}

export function resultLine(id: number, result: unknown): string {
  return `${JSON.stringify({ v: PROTOCOL_VERSION, id, result: result ?? null })}\n`
}

export function errorLine(id: number, error: unknown): string {
  return `${JSON.stringify({ v: PROTOCOL_VERSION, id, error: wireError(error) })}\n`
}

const answer = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      hint: z.string(),
      facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    })
    .optional(),
})

/** The result. Its shape is for the caller to check. @throws the error that the owner answered */
export function readAnswer(line: unknown, id: number): unknown {
  const parsed = answer.safeParse(line)
  if (!parsed.success) throw controlInvalid('an answer that is none')
  if (parsed.data.error !== undefined) {
    const { code, ...told } = parsed.data.error
    throw new MillraceError(isErrorCode(code) ? code : 'CONTROL_INVALID', told)
  }
  if (parsed.data.id !== id)
    throw controlInvalid(`an answer to ${parsed.data.id} where ${id} was asked`)
  return parsed.data.result
}

function wireError(error: unknown): Record<string, unknown> {
  if (error instanceof MillraceError) {
    const facts = Object.entries(error.facts)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value])
    const { code, message, hint } = error
    return { code, message, hint, facts: Object.fromEntries(facts) }
  }
  return {
    code: 'INVARIANT_BROKEN',
    message: error instanceof Error ? error.message : String(error),
    hint: "this is a bug in Millrace: please report it with the owner's log",
    facts: {},
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}
