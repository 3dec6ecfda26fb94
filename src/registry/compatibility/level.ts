/** Which earlier versions a new schema is held against, and in which direction. */
import { MillraceError } from '../../errors.ts'

export const LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const

/** BACKWARD: the new schema reads what the last version wrote; FORWARD: the other way; FULL: both; TRANSITIVE: of all versions. */
export type CompatibilityLevel = (typeof LEVELS)[number]

export function isLevel(text: string): text is CompatibilityLevel {
  return (LEVELS as readonly string[]).includes(text)
}

/** @throws OPTION_INVALID */
export function readLevel(text: string): CompatibilityLevel {
  if (isLevel(text)) return text
  throw new MillraceError('OPTION_INVALID', {
    message: `there is no compatibility level '${text}'`,
    hint: `it is one of ${LEVELS.join(', ')}`,
    facts: { level: text },
  })
}
