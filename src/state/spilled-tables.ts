/** State of a part of an operator's keys in a spill file: tables as they would stand in a checkpoint. */
import { KEY_GROUPS } from './keyed-table.ts'
import { decodeRecords, encodeRecord } from './record-codec.ts'
import { liveRecords } from './snapshot-reader.ts'
import type { SpillFile, SpillPiece } from './spill-file.ts'
import type { EntrySink, HashSlice, StateReader, StateWriter, TableSource } from './state-stream.ts'

const PIECE_BYTES = 1 << 16

export interface TakenTable<Piece> {
  readonly schema: string
  readonly pieces: Piece[]
}

/** By name. */
export type TakenTables<Piece> = Map<string, TakenTable<Piece>>
export type SpilledTables = TakenTables<SpillPiece>

/**
 * What `snapshot` writes: all there is, or what has changed since it was last asked for that. `keep` is given views. With `changesMin`
 * it is between two barriers, and tables with fewer changed entries give nothing.
 */
export function takeTables<Piece>(
  isWhole: boolean,
  snapshot: (writer: StateWriter) => void,
  keep: (records: Uint8Array) => Piece,
  changesMin?: number,
): TakenTables<Piece> {
  const tables: TakenTables<Piece> = new Map()
  const ahead = changesMin === undefined ? {} : { changesMin }
  snapshot({
    isAhead: changesMin !== undefined,
    ...ahead,
    table(name, write) {
      const pieces: Piece[] = []
      let schema = ''
      const put = (records: Uint8Array): void => void pieces.push(keep(records))
      const sink: EntrySink = {
        isWhole,
        ...ahead,
        schema(text) {
          schema = text
        },
        // Who reads a part's state has read nothing of it before.
        replace() {},
        put: (keyGroup, key, value) => put(encodeRecord({ keyGroup, key, value })),
        remove: (keyGroup, key) => put(encodeRecord({ keyGroup, key, value: undefined })),
        records: put,
      }
      write(sink)
      tables.set(name, { schema, pieces })
    },
  })
  return tables
}

/** What an operator restores the part from: it knows all of it then, and will tell changes only. */
export function spilledReader(
  file: SpillFile,
  tables: SpilledTables,
  slice?: HashSlice,
): StateReader {
  const source: StateReader['source'] = (name) => {
    const table = tables.get(name)
    if (table === undefined) return undefined
    return {
      schema: table.schema,
      groupStart: 0,
      groupEnd: KEY_GROUPS,
      ...(slice === undefined ? {} : { slice }),
      continues: true,
      read(take) {
        for (const piece of table.pieces) take(file.read(piece))
      },
    }
  }
  return {
    tables: () => [...tables.keys()].sort(),
    source,
    table(name, read) {
      for (const { keyGroup, key, value } of liveRecords(source(name)).values())
        read(keyGroup, key, value!)
    },
  }
}

export function freeTables(file: SpillFile, tables: SpilledTables): void {
  for (const { pieces } of tables.values()) for (const piece of pieces) file.free(piece)
}

/**
 * A table's records by their key group, as pieces of about `PIECE_BYTES`; those of groups outside the source's range are left out.
 */
export function splitByGroup(file: SpillFile, source: TableSource): SpillPiece[][] {
  const { groupStart, groupEnd } = source
  const groups = Array.from({ length: KEY_GROUPS }, () => ({
    pieces: [] as SpillPiece[],
    waiting: [] as Uint8Array[],
    bytes: 0,
  }))
  const flush = (group: (typeof groups)[number]): void => {
    if (group.bytes === 0) return
    group.pieces.push(file.write(Buffer.concat(group.waiting)))
    group.waiting = []
    group.bytes = 0
  }
  source.read((records) => {
    for (const { keyGroup, bytes } of decodeRecords(records)) {
      if (keyGroup < groupStart || keyGroup >= groupEnd) continue
      const group = groups[keyGroup]!
      group.waiting.push(bytes.slice())
      group.bytes += bytes.length
      if (group.bytes >= PIECE_BYTES) flush(group)
    }
  })
  for (const group of groups) flush(group)
  return groups.map(({ pieces }) => pieces)
}

/** Without heads of pieces. */
export function bytesOf(tables: SpilledTables): number {
  let sum = 0
  for (const { pieces } of tables.values()) for (const { bytes } of pieces) sum += bytes
  return sum
}
