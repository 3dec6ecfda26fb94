/** How many rows of a partition count: a number, or what a column of the partition's first row said, for ever. */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DataType } from '../../data/types.ts'
import type { Rank } from '../../plan/nodes.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'

const TABLE = 'ends'

export interface RankEnds {
  /** By position in the batch's selection; new partitions take theirs from their first row. */
  ofRows(batch: Batch, keys: readonly Vector[]): (at: number) => number
  ofList(rows: RowLists, list: Pointer): number
  snapshot(writer: StateWriter): void
  restore(reader: StateReader): void
  dispose(): void
}

export function rankEnds(
  memory: LinearMemory,
  keys: readonly DataType[],
  to: Rank['to'],
): RankEnds {
  if (typeof to === 'number') {
    const same = (): number => to
    return { ofRows: () => same, ofList: same, snapshot() {}, restore() {}, dispose() {} }
  }
  // 1 once it is known, and the number.
  const table = keyedTables(memory, { keys, values: ['i64', 'i64'] })()
  const knownOffset = table.valueOffset(0)
  const endOffset = table.valueOffset(1)
  const endOf = (entry: Pointer): number => Number(memory.i64[(entry + endOffset) / 8]!)
  return {
    ofRows(batch, partition) {
      const { count, selection } = batch
      const entries = memory.arena.allocate(4 * count)
      table.upsert({ count, selection, keys: partition }, entries)
      const { cells } = batch.columns[to.column]!
      for (let at = 0; at < count; at++) {
        const entry = memory.u32[entries / 4 + at]!
        const known = (entry + knownOffset) / 4
        if (memory.u32[known] === 1) continue
        memory.u32[known] = 1
        const row = selection === 0 ? at : memory.u32[selection / 4 + at]!
        memory.i64[(entry + endOffset) / 8] = memory.i64[cells / 8 + row]!
      }
      return (at) => endOf(memory.u32[entries / 4 + at]!)
    },
    ofList(rows, list) {
      const mark = memory.arena.mark()
      const lists = memory.arena.allocate(4)
      const entries = memory.arena.allocate(4)
      memory.u32[lists / 4] = list
      table.find({ count: 1, selection: 0, keys: rows.keysOf(lists, 1) }, entries)
      const end = memory.u32[entries / 4] === 0 ? 0 : endOf(memory.u32[entries / 4]!)
      memory.arena.release(mark)
      return end
    },
    snapshot(writer) {
      writer.table(TABLE, (sink) => table.writeChanges(sink))
    },
    restore(reader) {
      const source = reader.source(TABLE)
      if (source !== undefined) table.restore(source)
    },
    dispose() {
      table.dispose()
    },
  }
}
