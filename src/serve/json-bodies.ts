/** Bodies of JSON, taken as text: what they must be is said by the route, with its own words. */
import type { FastifyInstance } from 'fastify'
import { MillraceError } from '../errors.ts'

const IDEMPOTENCY_KEY_LENGTH_MAX = 256

/** In this scope bodies of these types are texts, of no more than so many bytes; others are refused: a web page can't send these without asking first. */
export function takeTexts(
  scope: FastifyInstance,
  types: readonly string[],
  bodyLimit: number,
): void {
  scope.removeAllContentTypeParsers()
  for (const type of types) {
    const options = { parseAs: 'string', bodyLimit } as const
    scope.addContentTypeParser(type, options, (_request, body, done) => done(null, String(body)))
  }
}

/** @throws HTTP_BODY_INVALID */
export function idempotencyKey(given: string | readonly string[] | undefined): string | undefined {
  const key = typeof given === 'string' ? given : given?.[0]
  if (key === undefined || (key !== '' && key.length <= IDEMPOTENCY_KEY_LENGTH_MAX)) return key
  throw bodyInvalid(
    'the Idempotency-Key can not be used',
    `it has 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters`,
  )
}

/** @throws HTTP_BODY_INVALID */
export function parsedJson(text: string, index: number): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw bodyInvalid(
      `row ${index} is no JSON: ${error instanceof Error ? error.message : error}`,
      'send an object, an array of objects, or an object a line',
    )
  }
}

/** @throws HTTP_BODY_INVALID */
export function jsonObject(value: unknown, index: number): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value))
  throw bodyInvalid(`row ${index} is no object`, 'a row is an object of columns')
}

export function bodyInvalid(message: string, hint: string): MillraceError {
  return new MillraceError('HTTP_BODY_INVALID', { message, hint })
}
