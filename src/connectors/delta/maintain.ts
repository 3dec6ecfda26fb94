/**
 * What follows a commit: a checkpoint of the log when due, then its cleanup, compaction and vacuum where asked. The commit stands
 * whatever happens here: a failure is told in the commit's notes, and what it left is done by a later commit.
 */
import { MillraceError } from '../../errors.ts'
import { checkpointIfDue } from '../../lakehouse/delta/commit.ts'
import { expiredLogFiles, LOG } from '../../lakehouse/delta/log-files.ts'
import type { Snapshot } from '../../lakehouse/delta/snapshot.ts'
import { type ListedFile, vacuumable } from '../../lakehouse/delta/vacuum.ts'
import { compact } from './compact.ts'
import type { OpenTable, SinkTable } from './table.ts'

const LOG_RETENTION_DAYS = 30
const DAY_MS = 86_400_000

/** The newest snapshot; what was done is added to `notes`. */
export async function maintain(
  table: SinkTable,
  open: OpenTable,
  notes: string[],
): Promise<Snapshot> {
  let { snapshot } = open
  try {
    if (table.options.compact) {
      const compacted = await compact(table, open)
      if (compacted !== undefined) {
        snapshot = compacted.snapshot
        notes.push(`compacted ${compacted.files} files`)
      }
    }
    if (await checkpointIfDue(table.ports, snapshot, table.options.checkpointInterval)) {
      notes.push('checkpoint')
      await cleanLog(table, snapshot)
      await vacuum(table, snapshot)
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    notes.push(`upkeep failed: ${error.message}`)
  }
  return snapshot
}

async function cleanLog(table: SinkTable, snapshot: Snapshot): Promise<void> {
  const { configuration } = snapshot.metadata
  if (configuration['delta.enableExpiredLogCleanup'] === 'false') return
  const { store, nowMs } = table.ports
  const retention =
    retentionMs(configuration['delta.logRetentionDuration']) ?? LOG_RETENTION_DAYS * DAY_MS
  // Whole days, as the protocol says: midnight UTC before the retention.
  const cutoff = Math.floor((nowMs() - retention) / DAY_MS) * DAY_MS
  const files: ListedFile[] = []
  for await (const file of store.list(LOG)) files.push(file)
  for (const key of expiredLogFiles(files, cutoff)) {
    table.ports.faultPoint('delta-log-cleanup')
    await store.remove(key)
  }
}

async function vacuum(table: SinkTable, snapshot: Snapshot): Promise<void> {
  const { vacuumRetentionMs } = table.options
  if (vacuumRetentionMs === undefined) return
  const { store, nowMs } = table.ports
  const files: ListedFile[] = []
  for await (const file of store.list('')) files.push(file)
  for (const key of vacuumable(store.url, snapshot, files, nowMs() - vacuumRetentionMs)) {
    table.ports.faultPoint('delta-vacuum')
    await store.remove(key)
  }
}

const UNITS: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
}

/** 'interval 30 days', as Delta's properties say durations; undefined for anything else. */
function retentionMs(text: string | undefined): number | undefined {
  const match = /^(?:interval\s+)?(\d+)\s+(second|minute|hour|day|week)s?$/i.exec(
    text?.trim() ?? '',
  )
  return match === null ? undefined : Number(match[1]) * UNITS[match[2]!.toLowerCase()]!
}
