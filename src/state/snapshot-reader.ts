/** Reads a checkpoint's chains of state files back, table by table. */
import type { Files } from '../ports/files.ts'
import type { StateChain } from './checkpoint.ts'
import { decodeRecords } from './record-codec.ts'
import { readBlock, readFooter, type StateBlock, type TableEntry } from './state-file.ts'
import type { StateReader, TableSource } from './state-stream.ts'

export interface GroupRange {
  /** [groupStart, groupEnd) */
  readonly groupStart: number
  readonly groupEnd: number
}

export interface SnapshotReader {
  operator(id: string): StateReader
  /** Ids of the operators that have state. */
  operators(): readonly string[]
}

interface Piece {
  readonly path: string
  readonly blocks: readonly StateBlock[]
}

interface LiveTable {
  readonly schema: string
  /** Oldest first. */
  readonly pieces: readonly Piece[]
}

/** State for the key groups of `range`, from however many workers wrote it. @throws CHECKPOINT_CORRUPT */
export function openSnapshot(
  files: Files,
  directory: string,
  chains: readonly StateChain[],
  range: GroupRange,
): SnapshotReader {
  const own = chains.filter(
    (chain) => chain.groupStart < range.groupEnd && range.groupStart < chain.groupEnd,
  )
  const [only] = own
  const continues =
    own.length === 1 && only!.groupStart === range.groupStart && only!.groupEnd === range.groupEnd
  const live = new Map<string, Map<string, LiveTable>>()
  for (const chain of own) addChain(files, directory, chain, live)
  return {
    operators: () => [...live.keys()],
    operator: (id) => stateReader(files, live.get(id) ?? new Map(), range, continues),
  }
}

/** The tables that the chain's newest file names, each from the file on that last replaced it. */
function addChain(
  files: Files,
  directory: string,
  chain: StateChain,
  live: Map<string, Map<string, LiveTable>>,
): void {
  const footers = chain.files.map(({ name }) => {
    const path = `${directory}/${name}`
    return { path, tables: readFooter(files, path) }
  })
  for (const table of footers.at(-1)?.tables ?? []) {
    const pieces: Piece[] = []
    for (const { path, tables } of footers.toReversed()) {
      const entry = tables.find((each) => isSame(each, table))
      if (entry === undefined) break
      pieces.unshift({ path, blocks: entry.blocks })
      if (entry.replace) break
    }
    const operator = live.get(table.operator) ?? new Map<string, LiveTable>()
    const before = operator.get(table.table)?.pieces ?? []
    operator.set(table.table, { schema: table.schema, pieces: [...before, ...pieces] })
    live.set(table.operator, operator)
  }
}

function isSame(left: TableEntry, right: TableEntry): boolean {
  return left.operator === right.operator && left.table === right.table
}

function stateReader(
  files: Files,
  tables: ReadonlyMap<string, LiveTable>,
  range: GroupRange,
  continues: boolean,
): StateReader {
  const source = (name: string): TableSource | undefined => {
    const table = tables.get(name)
    if (table === undefined) return undefined
    return {
      schema: table.schema,
      ...range,
      continues,
      read(take) {
        for (const { path, blocks } of table.pieces) {
          for (const block of blocks) take(readBlock(files, path, block))
        }
      },
    }
  }
  return {
    tables: () => [...tables.keys()].sort(),
    source,
    table(name, read) {
      for (const { keyGroup, key, value } of liveRecords(source(name)).values()) {
        if (keyGroup >= range.groupStart && keyGroup < range.groupEnd) read(keyGroup, key, value!)
      }
    },
  }
}

/** What is left of a table's records. */
export function liveRecords(source: TableSource | undefined) {
  const live = new Map<
    string,
    { keyGroup: number; key: Uint8Array; value: Uint8Array | undefined }
  >()
  source?.read((records) => {
    for (const record of decodeRecords(records)) {
      const id = `${record.keyGroup} ${Buffer.from(record.key).toString('latin1')}`
      if (record.value === undefined) live.delete(id)
      else live.set(id, record)
    }
  })
  return live
}
