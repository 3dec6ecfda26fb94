/** What ended a run, as an error of ours: what the system refused is the outside's fault, everything else unknown is a mistake of ours. */
import { MillraceError } from '../errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const DENIED = new Set(['EROFS', 'EACCES', 'EPERM'])

export function asMillraceError(cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const errno = errnoOf(cause)
  if (errno === undefined) {
    return new MillraceError('INVARIANT_BROKEN', {
      message,
      hint: 'this is a bug in Millrace: please report it with the steps that led here',
      cause,
    })
  }
  const facts = { errno }
  if (FULL.has(errno)) {
    const hint = 'make room on the disk: the run goes on from its last checkpoint'
    return new MillraceError('STORE_FULL', { message, hint, facts, cause })
  }
  if (DENIED.has(errno)) {
    const hint =
      'let this user write there, then start the pipeline again: its last checkpoint stands'
    return new MillraceError('STORE_DENIED', { message, hint, facts, cause })
  }
  const hint =
    'check the disk: the run is tried again from its last checkpoint under the restart policy'
  return new MillraceError('STORE_FAILED', { message, hint, facts, cause })
}

/** Node's 'ENOSPC', 'EIO', ...: what a system call was answered with. */
function errnoOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined
  return typeof cause.code === 'string' && /^E[A-Z0-9]+$/.test(cause.code) ? cause.code : undefined
}
