/** What the owner of a data directory does for its log all the time: retention and key compaction. */
import { type EventLog, type Maintained, openLog } from '../../log/log.ts'
import type { Ports } from '../../ports/ports.ts'

export interface MaintenanceOptions {
  readonly ports: Ports
  readonly dataDirectory: string
  /** Told what a pass removed, if anything. */
  readonly onPass?: (maintained: Maintained) => void
  /** Told why a pass failed; the next one is tried all the same. */
  readonly onError?: (error: unknown) => void
}

export interface Maintenance {
  /** Ends it at the next pause, and what it opened is closed. */
  close(): Promise<void>
}

/** Between two passes. */
const PASS_MS = 60_000
/** Work between two pauses, on the thread that pipelines run on. */
const WORK_MS = 4

/** One pass at once, as runs may be short, and one a minute after that, side by side with everything else. */
export function startMaintenance(options: MaintenanceOptions): Maintenance {
  const { ports, dataDirectory } = options
  const stopping = new AbortController()
  const log = openLog({ ports, dataDirectory })
  const working = keepMaintained(log, options, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await working
      await log.close()
    },
  }
}

/** One whole pass. @throws LOG_CORRUPT */
export async function maintainOnce(ports: Ports, dataDirectory: string): Promise<Maintained> {
  const log = openLog({ ports, dataDirectory })
  try {
    return await log.maintain()
  } finally {
    await log.close()
  }
}

async function keepMaintained(
  log: EventLog,
  { ports: { clock }, onPass, onError }: MaintenanceOptions,
  signal: AbortSignal,
): Promise<void> {
  let pausedMs = clock.monotonicMs()
  const pause = async (): Promise<boolean> => {
    if (clock.monotonicMs() - pausedMs >= WORK_MS) await clock.sleep(0, signal)
    pausedMs = clock.monotonicMs()
    return !signal.aborted
  }
  while (!signal.aborted) {
    try {
      const done = await log.maintain(pause)
      if (done.segmentsRemoved + done.recordsRemoved > 0) onPass?.(done)
    } catch (error) {
      onError?.(error)
    }
    await clock.sleep(PASS_MS, signal)
  }
}
