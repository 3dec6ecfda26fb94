/** `--fsync`: when an appended row is answered, in words; docs/log.md says what each may lose. */
import type { FsyncPolicy } from '../log/partition-writer.ts'
import { usageError } from './command.ts'

const INTERVAL_MS = 100

const POLICIES: Readonly<Record<string, FsyncPolicy>> = {
  batch: { kind: 'batch' },
  interval: { kind: 'interval', intervalMs: INTERVAL_MS },
  os: { kind: 'os' },
}

export const FSYNC_HELP = `when rows are answered: batch, on the disk; interval, synced within ${INTERVAL_MS} ms; os, as the system likes`

/** @throws USAGE_INVALID */
export function fsyncPolicy(word: string): FsyncPolicy {
  const policy = POLICIES[word]
  if (policy === undefined || !Object.hasOwn(POLICIES, word))
    throw usageError(
      `--fsync can't be '${word}'`,
      `it is one of ${Object.keys(POLICIES).join(', ')}`,
    )
  return policy
}
