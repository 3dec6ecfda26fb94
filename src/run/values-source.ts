/** Rows that a query lists itself, as a source: VALUES. Positions are row numbers. */
import { literalValue } from '../compile/literal.ts'
import type { Source } from '../connectors/contract/source.ts'
import { batchOfRows } from '../engine/value-rows.ts'
import type { Values } from '../plan/nodes.ts'

export function listedValues({ schema, rows }: Values): Source {
  const values = rows.map((row) =>
    row.map((value, index) => literalValue(value, schema[index]!.type)),
  )
  return {
    replay: 'exact',
    bounded: true,
    splits: async () => ['0'],
    endPosition: async () => `${rows.length}`,
    async open(_split, start, memory) {
      let next = start === undefined ? 0 : Number(start)
      return {
        poll({ rowsMax, until }) {
          if (next >= values.length) return 'ended'
          const end = Math.min(next + rowsMax, until === undefined ? values.length : Number(until))
          if (end <= next) return undefined
          const batch = batchOfRows(memory, schema, values.slice(next, end))
          next = end
          return { batch, appendTimeUs: 0, next: `${next}`, dead: [], lag: values.length - next }
        },
        committed: async () => {},
        close: async () => {},
      }
    },
    close: async () => {},
  }
}
