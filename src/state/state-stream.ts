/**
 * How operators hand their state to a checkpoint and get it back: named tables of (key group, key, value | tombstone).
 *
 * A table that a snapshot does not name no longer exists: an operator names every table it has, at every snapshot, changed or not.
 */

/** One operator's part of a checkpoint. */
export interface StateWriter {
  /** True: between two barriers, what is written becomes part of the next checkpoint; what may wait for it had better. */
  readonly isAhead?: boolean
  /** As in EntrySink, of every table. */
  readonly changesMin?: number
  /** Names are any text, unique within the operator ('groups', 'pane 1700000000000000'). */
  table(name: string, write: (sink: EntrySink) => void): void
}

export interface EntrySink {
  /** True: all there is, changed or not, is written, and what has changed since the last checkpoint stays marked. */
  readonly isWhole?: boolean
  /** With fewer changed entries nothing is written now. */
  readonly changesMin?: number
  /** The shape of keys and values with its format version: a restore compares it. Before the first put. */
  schema(text: string): void
  /** What earlier checkpoints hold of this table counts no more: what follows is all of it. Before the first put. */
  replace(): void
  /** `keyGroup` 0..127. Bytes are copied. */
  put(keyGroup: number, key: Uint8Array, value: Uint8Array): void
  remove(keyGroup: number, key: Uint8Array): void
  /** Whole records in the layout of record-codec.ts, `count` of them, copied: the fast way of KeyedTable. */
  records(bytes: Uint8Array, count: number): void
}

/** One operator's part, for the key groups that this worker owns. */
export interface StateReader {
  /** Names of the tables there are, sorted. */
  tables(): readonly string[]
  /** Undefined if the checkpoint has no such table. */
  source(name: string): TableSource | undefined
  /** The live entries of a small table, in any order; nothing if it is missing. */
  table(name: string, read: (keyGroup: number, key: Uint8Array, value: Uint8Array) => void): void
}

/** Keys for which `(hash & mask) === value`; a mask of 0 takes all. */
export interface HashSlice {
  readonly mask: number
  readonly value: number
  /** The hash is that of so many of the first keys; absent: of all. */
  readonly keys?: number
}

export const ALL_KEYS: HashSlice = { mask: 0, value: 0 }

export interface TableSource {
  /** As given to the sink; '' if none was. */
  readonly schema: string
  /** Key groups to take: [from, to). */
  readonly groupStart: number
  readonly groupEnd: number
  /** Of these only keys whose hash has these bits. */
  readonly slice?: HashSlice
  /**
   * True when the next checkpoint goes on from the files read here (then what is read is known to it); false when workers were
   * added or taken away, and all must be written anew.
   */
  readonly continues: boolean
  /** Whole records, oldest first: a later record of a key replaces an earlier one. Views are valid within the call. */
  read(take: (records: Uint8Array) => void): void
}
