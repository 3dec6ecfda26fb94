/** What keeps a checkpoint from being written or copied. */
import { MillraceError } from '../errors.ts'

export function failed(path: string, cause: unknown): MillraceError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('CHECKPOINT_FAILED', {
    message: `${path} can't be written: ${why}`,
    hint: 'make room on the disk, or check that it may be written; the last checkpoint stands',
    facts: { path },
    cause,
  })
}

export function nothingToCopy(pipeline: string): MillraceError {
  return new MillraceError('CHECKPOINT_MISMATCH', {
    message: `pipeline '${pipeline}' has no checkpoint yet`,
    hint: 'wait for its first one',
    facts: { pipeline },
  })
}
