/**
 * Names in `_delta_log`, and what a listing of it says: pure.
 *
 *   00000000000000000010.json                     commit 10
 *   00000000000000000010.checkpoint.parquet       classic checkpoint of version 10
 *   ....checkpoint.0000000001.0000000002.parquet  the first of two parts of one
 *   ....checkpoint.<uuid>.parquet or .json        v2 checkpoint: not read
 *
 * @see Delta protocol, "Delta Log Entries", "Checkpoints"
 */

export const LOG = '_delta_log/'
export const LAST_CHECKPOINT = `${LOG}_last_checkpoint`

export function commitKey(version: number): string {
  return `${LOG}${padded(version)}.json`
}

export function checkpointKey(version: number): string {
  return `${LOG}${padded(version)}.checkpoint.parquet`
}

/** Sorts before everything of `version`, and after everything of earlier ones. */
export function beforeVersion(version: number): string {
  return `${LOG}${padded(version)}`
}

export type LogFile =
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'checkpoint'; readonly version: number }
  | {
      readonly kind: 'checkpoint-part'
      readonly version: number
      readonly part: number
      readonly parts: number
    }
  | { readonly kind: 'v2-checkpoint'; readonly version: number }

/** Undefined for files that are no part of the log's replay (checksums, compacted logs, _last_checkpoint, ...). */
export function logFileOf(key: string): LogFile | undefined {
  const match = /^_delta_log\/(\d{20})\.(.+)$/.exec(key)
  if (match === null) return undefined
  const version = Number(match[1])
  const rest = match[2]!
  if (rest === 'json') return { kind: 'commit', version }
  if (rest === 'checkpoint.parquet') return { kind: 'checkpoint', version }
  const part = /^checkpoint\.(\d{10})\.(\d{10})\.parquet$/.exec(rest)
  if (part !== null) {
    return { kind: 'checkpoint-part', version, part: Number(part[1]), parts: Number(part[2]) }
  }
  if (/^checkpoint\..+\.(parquet|json)$/.test(rest)) return { kind: 'v2-checkpoint', version }
  return undefined
}

export interface LogPlan {
  /** Where to begin; undefined: from commit 0. */
  readonly checkpoint?: { readonly version: number; readonly keys: readonly string[] }
  /** Commits to replay after it, without gaps. */
  readonly commits: readonly number[]
  /** The version reached; -1 if there is no table. */
  readonly version: number
  /** A commit that is missing among the others: the log can't be replayed past it. */
  readonly missing?: number
  /** The only checkpoint that would do is of the v2 kind. */
  readonly needsV2Checkpoint: boolean
}

/** What to read to reach `wanted`, or the newest version, of the files listed. */
export function planReplay(keys: readonly string[], wanted?: number): LogPlan {
  const files = keys.flatMap((key) => {
    const file = logFileOf(key)
    return file === undefined || (wanted !== undefined && file.version > wanted)
      ? []
      : [{ key, file }]
  })
  const commits = files
    .filter(({ file }) => file.kind === 'commit')
    .map(({ file }) => file.version)
    .sort((a, b) => a - b)
  const checkpoint = newestCheckpoint(files)
  const from = checkpoint?.version ?? -1
  const after = commits.filter((version) => version > from)
  const gap = after.findIndex((version, index) => version !== from + 1 + index)
  const version = Math.max(from, after.at(-1) ?? -1)
  const v2 = files.some(({ file }) => file.kind === 'v2-checkpoint')
  return {
    ...(checkpoint === undefined ? {} : { checkpoint }),
    commits: after,
    version,
    ...(gap >= 0 ? { missing: from + 1 + gap } : {}),
    needsV2Checkpoint: v2 && gap >= 0,
  }
}

function newestCheckpoint(
  files: readonly { readonly key: string; readonly file: LogFile }[],
): LogPlan['checkpoint'] {
  let newest: { version: number; keys: readonly string[] } | undefined
  const parts = new Map<string, string[]>()
  for (const { key, file } of files) {
    if (file.kind === 'checkpoint') {
      if (newest === undefined || file.version >= newest.version) {
        newest = { version: file.version, keys: [key] }
      }
    } else if (file.kind === 'checkpoint-part') {
      const id = `${file.version}/${file.parts}`
      const held = [...(parts.get(id) ?? []), key]
      parts.set(id, held)
      const complete = held.length === file.parts
      if (complete && (newest === undefined || file.version > newest.version)) {
        newest = { version: file.version, keys: held }
      }
    }
  }
  return newest
}

/**
 * Files of the log that may go: all before the newest checkpoint whose commit is not younger than `cutoffMs`.
 *
 * @see Delta protocol, "Metadata Cleanup"
 */
export function expiredLogFiles(
  files: readonly { readonly key: string; readonly modifiedMs: number }[],
  cutoffMs: number,
): readonly string[] {
  const known = files.flatMap(({ key, modifiedMs }) => {
    const file = logFileOf(key)
    return file === undefined ? [] : [{ key, modifiedMs, file }]
  })
  const cutoffCommit = Math.max(
    -1,
    ...known
      .filter(({ file, modifiedMs }) => file.kind === 'commit' && modifiedMs <= cutoffMs)
      .map(({ file }) => file.version),
  )
  const cutoffCheckpoint = Math.max(
    -1,
    ...known
      .filter(({ file }) => file.kind === 'checkpoint' && file.version <= cutoffCommit)
      .map(({ file }) => file.version),
  )
  return known.filter(({ file }) => file.version < cutoffCheckpoint).map(({ key }) => key)
}

function padded(version: number): string {
  return String(version).padStart(20, '0')
}
