/** What the owner of a data directory does to its log before pipelines read it. */
import { openLog } from '../../log/log.ts'
import type { Ports } from '../../ports/ports.ts'

/**
 * Recovers all partitions and publishes what they hold: after a power cut readers are shown less than was acknowledged until then,
 * and a pipeline that runs to the end would end before it.
 * @throws LOG_CORRUPT
 */
export async function recoverLog(ports: Ports, dataDirectory: string): Promise<void> {
  const log = openLog({ ports, dataDirectory })
  try {
    await log.recover()
  } finally {
    await log.close()
  }
}
