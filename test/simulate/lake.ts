/** Tables of a simulated machine, written out to a real disk for a reader that knows nothing of ports. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readDeltaIndependently } from '../../src/cli/demo/independent-reader.ts'
import type { SimulatedPorts } from '../../src/testing/ports.ts'

/** The rows of a Delta table; none if there is no table. */
export async function deltaRows(
  ports: SimulatedPorts,
  table: string,
): Promise<Record<string, unknown>[]> {
  if (!ports.files.exists(`${table}/_delta_log`)) return []
  const directory = mkdtempSync(join(tmpdir(), 'millrace-table-'))
  try {
    copyOut(ports, table, directory)
    const rows: Record<string, unknown>[] = []
    for await (const row of readDeltaIndependently(directory)) rows.push(row)
    return rows
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function copyOut(ports: SimulatedPorts, from: string, to: string): void {
  for (const name of ports.files.list(from)) {
    const path = `${from}/${name}`
    if (ports.files.stat(path)!.isDirectory) {
      copyOut(ports, path, join(to, name))
      continue
    }
    mkdirSync(dirname(join(to, name)), { recursive: true })
    writeFileSync(join(to, name), ports.files.contents(path))
  }
}
