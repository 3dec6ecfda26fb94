/** How many matches each partition has had: kept for ever, where MATCH_NUMBER() is told. */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { MatchRecognize } from '../../plan/nodes.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'

const TABLE = 'matches'

export interface MatchNumbers {
  /** Of the partition's next match, from 1. */
  next(list: Pointer): bigint
  snapshot(writer: StateWriter): void
  restore(reader: StateReader): void
  dispose(): void
}

/** undefined where nobody asks. `rows`: by partition. */
export function matchNumbers(
  { partition, references }: Pick<MatchRecognize, 'partition' | 'references'>,
  memory: LinearMemory,
  rows: RowLists,
): MatchNumbers | undefined {
  if (!references.some(({ kind }) => kind === 'match-number')) return undefined
  const keys = partition.map(({ type }) => type)
  const table = keyedTables(memory, { keys, values: ['i64'] })()
  return {
    next(list) {
      const mark = memory.arena.mark()
      const at = memory.arena.allocate(8)
      memory.u32[at / 4] = list
      table.upsert({ count: 1, selection: 0, keys: rows.keysOf(at, 1) }, at)
      const cell = (memory.u32[at / 4]! + table.valueOffset(0)) / 8
      memory.arena.release(mark)
      memory.i64[cell]!++
      return memory.i64[cell]!
    },
    snapshot(writer) {
      writer.table(TABLE, (sink) => table.writeChanges(sink))
    },
    restore(reader) {
      const source = reader.source(TABLE)
      if (source !== undefined) table.restore(source)
    },
    dispose: () => table.dispose(),
  }
}
