/** JSON texts of schemas, bounded before anything is made of them. Keys such as `__proto__` are data. */
import { MillraceError } from '../errors.ts'
import type { SchemaType } from './schema-source.ts'

export const SCHEMA_BYTES_MAX = 4 << 20
export const SCHEMA_DEPTH_MAX = 200

/** @throws SCHEMA_INVALID if the text is too large, too deep, or no JSON */
export function parseJsonBounded(type: SchemaType, text: string): unknown {
  checkSchemaSize(type, text)
  if (depthOf(text) > SCHEMA_DEPTH_MAX)
    throw refused(type, `it is nested deeper than ${SCHEMA_DEPTH_MAX} levels`)
  try {
    return JSON.parse(text)
  } catch (error) {
    // An Avro name alone, `string`, is taken as it stands by registries.
    if (type === 'AVRO' && /^[A-Za-z_][\w.]*$/.test(text.trim())) return text.trim()
    throw refused(type, `it is no JSON: ${error instanceof Error ? error.message : error}`)
  }
}

/** @throws SCHEMA_INVALID */
export function checkSchemaSize(type: SchemaType, text: string): void {
  if (text.length > SCHEMA_BYTES_MAX)
    throw refused(type, `it is longer than ${SCHEMA_BYTES_MAX} characters`)
}

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === 92) at++
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 123 || code === 91) deepest = Math.max(deepest, ++depth)
    else if (code === 125 || code === 93) depth--
  }
  return deepest
}

function refused(type: SchemaType, what: string): MillraceError {
  return new MillraceError('SCHEMA_INVALID', {
    message: `the ${type} schema can't be read: ${what}`,
    hint: 'register the schema as its language writes it',
    facts: { type },
  })
}
