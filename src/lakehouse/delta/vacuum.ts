/** Which files of a table's directory nothing needs any more: pure. */
import { keyOfPath } from './partition-values.ts'
import type { Snapshot } from './snapshot.ts'

/** Staged changes of Millrace's own; other hidden files are other tools'. */
const OWN_HIDDEN = '_millrace/'
/** Positions of pipelines: needed as long as their transactions are, so never old. */
export const POSITIONS = '_millrace/positions/'

export interface ListedFile {
  readonly key: string
  readonly modifiedMs: number
}

/**
 * Files that the table does not reference, was not told to keep for readers of older versions, and that are older than the
 * retention: younger ones may be prepared and not yet committed.
 *
 * @see Delta protocol, "Add File and Remove File" (tombstones)
 */
export function vacuumable(
  tableUrl: string,
  snapshot: Snapshot,
  files: Iterable<ListedFile>,
  cutoffMs: number,
): readonly string[] {
  const kept = new Set<string>()
  for (const path of snapshot.files.keys()) kept.add(keyOfPath(tableUrl, path))
  for (const { path, deletionTimestamp } of snapshot.tombstones.values()) {
    if ((deletionTimestamp ?? 0) > cutoffMs) kept.add(keyOfPath(tableUrl, path))
  }
  const expired: string[] = []
  for (const { key, modifiedMs } of files) {
    if (!isHidden(key) && !kept.has(key) && modifiedMs < cutoffMs) expired.push(key)
  }
  return expired
}

/** Hidden files are other tools', but for what Millrace stages itself. */
function isHidden(key: string): boolean {
  if (key.startsWith(OWN_HIDDEN)) return key.startsWith(POSITIONS)
  return key.split('/').some((part) => /^[_.]/.test(part))
}
