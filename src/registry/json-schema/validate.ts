/**
 * Whether a JSON value fits a JSON Schema: ajv's judgement, which fetches nothing. Formats are not checked, as they are not compared.
 * Regular expressions take bounded steps; a value on which one may take more does not fit.
 */
import { Ajv, type ErrorObject } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { boundedPattern } from '../../data/bounded-pattern.ts'
import { MillraceError } from '../../errors.ts'
import { parseJsonBounded } from '../../formats/schema-json.ts'
import type { ResolvedSchema } from '../../formats/schema-source.ts'
import { isObject } from './documents.ts'

class Unbounded extends Error {}

/** Ajv keeps one of each `toString()`. */
const regExp = Object.assign(
  (source: string, flags: string) => {
    const pattern = boundedPattern(new RegExp(source, `g${flags}`), (reason) => {
      throw new Unbounded(reason)
    })
    return {
      test: (text: string) => pattern.find(text, 0) !== undefined,
      toString: () => `${flags}/${source}`,
    }
  },
  // Only for validators that are written out.
  { code: 'boundedPattern' },
)

/** Undefined: it fits; else where it does not, and why. @throws SCHEMA_INVALID */
export function jsonValidator({
  text,
  references,
}: Omit<ResolvedSchema, 'type'>): (value: unknown) => string | undefined {
  const json = parseJsonBounded('JSON', text)
  const draft = isObject(json) ? String(json.$schema ?? '') : ''
  const options = { strict: false, validateFormats: false, allErrors: false, code: { regExp } }
  try {
    const ajv = draft.includes('2020-12')
      ? new Ajv2020(options)
      : draft.includes('2019-09')
        ? new Ajv2019(options)
        : new Ajv(options)
    for (const { name, text: referred } of references)
      ajv.addSchema(parseJsonBounded('JSON', referred) as object, name)
    const validate = ajv.compile(json as object)
    return (value) => {
      try {
        return validate(value) ? undefined : reasonOf(validate.errors?.[0])
      } catch (error) {
        // A schema that refers to itself is followed as deep as the value goes.
        if (error instanceof RangeError) return 'the value is nested too deep'
        if (error instanceof Unbounded) return `the value can't be judged: ${error.message}`
        throw error
      }
    }
  } catch (error) {
    if (error instanceof MillraceError) throw error
    throw new MillraceError('SCHEMA_INVALID', {
      message: `values can't be held against the JSON schema: ${error instanceof Error ? error.message : error}`,
      hint: 'it is of draft 6, 7, 2019-09 or 2020-12; what it refers to comes as references',
      cause: error,
    })
  }
}

function reasonOf(error: ErrorObject | undefined): string {
  const where =
    error?.instancePath === ''
      ? 'the value'
      : `field ${error?.instancePath.slice(1).replaceAll('/', '.')}`
  return `${where} ${error?.message ?? 'does not fit'}`
}
