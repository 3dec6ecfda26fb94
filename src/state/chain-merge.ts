/**
 * Keeps chains of state files short. Files whose tables have all been replaced or dropped since are left out at once; when what
 * was written again and again outweighs what lives, the chain is merged into one file.
 */
import type { Ports } from '../ports/ports.ts'
import type { StateChain, StateFile } from './checkpoint.ts'
import { decodeRecords } from './record-codec.ts'
import { openSnapshot } from './snapshot-reader.ts'
import { createSnapshotWriter } from './snapshot-writer.ts'
import { readFooter, type TableEntry } from './state-file.ts'

/** A chain is never longer: reading it back would open so many files. */
const FILES_MAX = 32
/** Records between two looks at the event loop. */
const RECORDS_A_TURN = 50_000

/** The chain with no more files than it needs; a merged file is durable when it is named. */
export async function mergedFile(
  ports: Ports,
  directory: string,
  chain: StateChain,
): Promise<StateChain> {
  const needed = { ...chain, files: neededFiles(ports, directory, chain.files) }
  if (needed.files.length <= FILES_MAX) return needed
  return { ...needed, files: [await merge(ports, directory, needed)] }
}

/** From the oldest file on that holds a record which counts. */
function neededFiles(
  { files }: Ports,
  directory: string,
  chain: readonly StateFile[],
): readonly StateFile[] {
  const footers = chain.map(({ name }) => readFooter(files, `${directory}/${name}`))
  let first = chain.length - 1
  for (const table of footers.at(-1) ?? []) {
    let oldest = chain.length - 1
    while (oldest > 0 && !isWhole(footers[oldest]!, table)) oldest--
    first = Math.min(first, oldest)
  }
  return chain.slice(first)
}

/** True if nothing before this file counts for the table. */
function isWhole(footer: readonly TableEntry[], { operator, table }: TableEntry): boolean {
  const entry = footer.find((each) => each.operator === operator && each.table === table)
  return entry === undefined || entry.replace
}

async function merge(ports: Ports, directory: string, chain: StateChain): Promise<StateFile> {
  const { groupStart, groupEnd } = chain
  const reader = openSnapshot(ports.files, directory, [chain], { groupStart, groupEnd })
  const writer = createSnapshotWriter()
  for (const id of reader.operators()) {
    const operator = reader.operator(id)
    for (const name of operator.tables()) {
      const source = operator.source(name)!
      const live = new Map<string, Uint8Array>()
      for (const records of blocksOf(source.read)) {
        await gatherLive(ports, records, live)
      }
      writer.operator(id).table(name, (sink) => {
        sink.schema(source.schema)
        sink.replace()
        for (const record of live.values()) sink.records(record, 1)
      })
    }
  }
  const name = `${chain.files.at(-1)!.name.replace(/\.state$/, '')}-merged.state`
  const bytes = await writeMerged(
    ports,
    `${directory}/${name}`,
    writer.finish(groupStart, groupEnd).pieces,
  )
  return { name, bytes }
}

function blocksOf(read: (take: (records: Uint8Array) => void) => void): Uint8Array[] {
  const blocks: Uint8Array[] = []
  read((records) => blocks.push(records))
  return blocks
}

async function gatherLive(
  ports: Ports,
  records: Uint8Array,
  live: Map<string, Uint8Array>,
): Promise<void> {
  let count = 0
  for (const { keyGroup, key, value, bytes } of decodeRecords(records)) {
    const id = `${keyGroup} ${Buffer.from(key).toString('latin1')}`
    if (value === undefined) live.delete(id)
    else live.set(id, bytes)
    if (++count % RECORDS_A_TURN === 0) await ports.clock.sleep(0)
  }
}

async function writeMerged(
  ports: Ports,
  path: string,
  pieces: readonly Uint8Array[],
): Promise<number> {
  const { files } = ports
  if (files.exists(path)) files.remove(path)
  const handle = files.open(path, 'create')
  let position = 0
  for (const piece of pieces) {
    handle.write(piece, position)
    position += piece.length
  }
  await handle.sync()
  ports.faultPoint('state-merged')
  handle.close()
  return position
}
