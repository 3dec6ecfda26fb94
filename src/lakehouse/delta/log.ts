/** Reads a table's log from its store into snapshots: the driver of the replay. */
import type { AsyncBuffer } from 'hyparquet'
import { MillraceError } from '../../errors.ts'
import { readParquetObjects } from '../../formats/parquet/objects.ts'
import type { ObjectStore } from '../../ports/objects.ts'
import { type Action, actionOf, logCorrupt, parseCommit } from './actions.ts'
import {
  beforeVersion,
  commitKey,
  LAST_CHECKPOINT,
  LOG,
  type LogPlan,
  planReplay,
} from './log-files.ts'
import { Replay, type Snapshot } from './snapshot.ts'

const CHECKPOINT_COLUMNS = ['protocol', 'metaData', 'add', 'remove', 'txn', 'domainMetadata']
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The table at its newest version, or at `version`; undefined if the store holds no Delta table.
 *
 * @throws DELTA_VERSION_MISSING if the version is not there (any more)
 * @throws DELTA_LOG_CORRUPT naming the file
 * @throws DELTA_FEATURE_UNSUPPORTED if only a v2 checkpoint leads there
 */
export async function loadSnapshot(
  store: ObjectStore,
  version?: number,
): Promise<Snapshot | undefined> {
  const hint = await lastCheckpoint(store)
  const usable = hint !== undefined && (version === undefined || hint <= version)
  let plan = planReplay(await logKeys(store, usable ? hint : 0), version)
  // The hint may be stale or wrong: then the whole listing decides.
  if (usable && (plan.checkpoint === undefined || plan.missing !== undefined)) {
    plan = planReplay(await logKeys(store, 0), version)
  }
  if (plan.version < 0 && version === undefined) return undefined
  checkPlan(store, plan, version)
  const replay = new Replay()
  await replayCheckpoint(store, plan, replay)
  for (const commit of plan.commits) replay.commit(commit, await readCommit(store, commit))
  return replay.snapshot()
}

export interface Advance {
  readonly snapshot: Snapshot
  /** The commits since, oldest first; empty if they are already cleaned up. */
  readonly commits: readonly { readonly version: number; readonly actions: readonly Action[] }[]
}

/** The newest version, going on from `snapshot`; undefined if the table is gone. */
export async function advance(
  store: ObjectStore,
  snapshot: Snapshot,
): Promise<Advance | undefined> {
  // A table that was dropped and made again has other commits under the same names.
  const known = await findCommit(store, snapshot.version)
  if (!isSameCommit(known, snapshot)) return loaded(store)
  const commits: { version: number; actions: Action[] }[] = []
  for (let version = snapshot.version + 1; ; version++) {
    const actions = await findCommit(store, version)
    if (actions === undefined) break
    commits.push({ version, actions })
  }
  if (commits.length === 0) return { snapshot, commits }
  const replay = Replay.from(snapshot)
  for (const { version, actions } of commits) replay.commit(version, actions)
  return { snapshot: replay.snapshot(), commits }
}

async function loaded(store: ObjectStore): Promise<Advance | undefined> {
  const snapshot = await loadSnapshot(store)
  return snapshot === undefined ? undefined : { snapshot, commits: [] }
}

function isSameCommit(actions: readonly Action[] | undefined, snapshot: Snapshot): boolean {
  if (actions === undefined) return false
  if (snapshot.commitInfo === undefined) return true
  const commitInfo = actions.find((action) => action.commitInfo !== undefined)?.commitInfo
  return JSON.stringify(commitInfo) === JSON.stringify(snapshot.commitInfo)
}

/** The actions of a commit; undefined if there is none. @throws DELTA_LOG_CORRUPT */
export async function findCommit(
  store: ObjectStore,
  version: number,
): Promise<Action[] | undefined> {
  const key = commitKey(version)
  const bytes = await store.get(key)
  if (bytes === undefined) return undefined
  return parseCommit(key, textOf(key, bytes))
}

/** An object as hyparquet reads it: by ranges. */
export async function objectBuffer(
  store: ObjectStore,
  key: string,
): Promise<AsyncBuffer | undefined> {
  const stat = await store.head(key)
  if (stat === undefined) return undefined
  return {
    byteLength: stat.bytes,
    async slice(start, end = stat.bytes) {
      const bytes = await store.getRange(key, start, end - start)
      if (bytes === undefined) throw new Error(`'${key}' is gone`)
      const { buffer, byteOffset, byteLength } = bytes
      const copy = new ArrayBuffer(byteLength)
      if (byteOffset === 0 && buffer.byteLength === byteLength && buffer instanceof ArrayBuffer) {
        return buffer
      }
      new Uint8Array(copy).set(bytes)
      return copy
    },
  }
}

async function readCommit(store: ObjectStore, version: number): Promise<Action[]> {
  const actions = await findCommit(store, version)
  if (actions === undefined) throw logCorrupt(commitKey(version), 'it went while it was read')
  return actions
}

async function logKeys(store: ObjectStore, fromVersion: number): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(LOG, { after: beforeVersion(fromVersion) })) keys.push(key)
  return keys
}

async function lastCheckpoint(store: ObjectStore): Promise<number | undefined> {
  const bytes = await store.get(LAST_CHECKPOINT)
  if (bytes === undefined) return undefined
  try {
    const { version } = JSON.parse(utf8.decode(bytes))
    return Number.isInteger(version) ? version : undefined
  } catch {
    return undefined
  }
}

async function replayCheckpoint(store: ObjectStore, plan: LogPlan, replay: Replay): Promise<void> {
  if (plan.checkpoint === undefined) return
  for (const key of plan.checkpoint.keys) {
    const file = await objectBuffer(store, key)
    if (file === undefined) throw logCorrupt(key, 'it went while it was read')
    let row = 0
    try {
      for await (const object of readParquetObjects(file, CHECKPOINT_COLUMNS)) {
        const action = actionOf(key, `row ${row++}`, object)
        if (action !== undefined) replay.apply(action)
      }
    } catch (error) {
      if (error instanceof MillraceError) throw error
      const problem = error instanceof Error ? error.message : String(error)
      throw logCorrupt(key, `it can't be read as Parquet past row ${row}: ${problem}`, error)
    }
  }
  replay.checkpointed(plan.checkpoint.version)
}

function checkPlan(store: ObjectStore, plan: LogPlan, wanted: number | undefined): void {
  if (plan.needsV2Checkpoint) {
    throw new MillraceError('DELTA_FEATURE_UNSUPPORTED', {
      message: `the Delta table ${store.url} can only be reached through a v2 checkpoint (v2Checkpoint), which Millrace does not read`,
      hint: "set 'delta.checkpointPolicy' = 'classic' on the table and make a checkpoint with the tool that owns it",
      facts: { table: store.url, features: 'v2Checkpoint' },
    })
  }
  const missing = plan.missing
  const unreachable = wanted !== undefined && plan.version !== wanted
  if (unreachable || (wanted !== undefined && missing === 0)) {
    throw new MillraceError('DELTA_VERSION_MISSING', {
      message: `version ${wanted} of the Delta table ${store.url} is not there: its log reaches ${plan.version}`,
      hint: 'choose a version within the retention of the log (delta.logRetentionDuration)',
      facts: { table: store.url, wanted, newest: plan.version },
    })
  }
  if (missing !== undefined) {
    throw logCorrupt(
      commitKey(missing),
      `it is missing, though versions to ${plan.version} are there`,
    )
  }
}

function textOf(key: string, bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw logCorrupt(key, 'it is not UTF-8', cause)
  }
}
