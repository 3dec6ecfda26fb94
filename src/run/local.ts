/** This machine as the outside, owned: what a process that embeds Millrace runs on. */
import { startMaintenance } from '../connectors/log/maintain.ts'
import { fencePorts } from '../ports/fenced-files.ts'
import { takeOwnership } from '../ports/node/ownership.ts'
import { nodePorts } from '../ports/node/ports.ts'
import type { Ports } from '../ports/ports.ts'

export interface OwnedDirectory {
  /** Writes nothing any more once another process owns the directory. Retention and compaction of its topics go on meanwhile. */
  readonly ports: Ports
  release(): Promise<void>
}

/** To read, which needs no ownership. */
export function localPorts(): Ports {
  return nodePorts()
}

/** @throws OWNER_EXISTS */
export async function ownDirectory(directory: string): Promise<OwnedDirectory> {
  const ports = nodePorts()
  ports.files.makeDirectory(directory)
  const ownership = await takeOwnership({
    directory,
    files: ports.files,
    random: ports.random,
    nowMs: ports.clock.nowMs(),
  })
  const fenced = fencePorts(ports, ownership, directory)
  const maintenance = startMaintenance({ ports: fenced, dataDirectory: directory })
  return {
    ports: fenced,
    async release() {
      await maintenance.close()
      await ownership.release()
    },
  }
}
