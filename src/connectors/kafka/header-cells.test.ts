import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { LinearMemory } from '../../data/memory.ts'
import { createBatchBuilder } from '../../log/batch-builder.ts'
import { stampBatch } from '../../log/record-batch.ts'
import { decodeChunk } from '../../log/record-chunk.ts'
import { readRecords } from '../../log/records.ts'
import { createBatchEncoder } from '../../log/rows-encoder.ts'
import { headerMaps } from '../log/header-maps.ts'
import { HEADERS } from './connector.ts'
import { headerCells } from './header-cells.ts'

const header = fc.record(
  {
    key: fc.string({ maxLength: 8 }),
    value: fc.option(fc.uint8Array({ maxLength: 12 }), { nil: null }),
  },
  { noNullPrototype: true },
)

test('headers that were read are written as they were', () => {
  const lists = fc.array(fc.uniqueArray(header, { maxLength: 5, selector: ({ key }) => key }), {
    minLength: 1,
    maxLength: 10,
  })
  const memory = new LinearMemory()
  fc.assert(
    fc.property(lists, (given) => {
      const mark = memory.arena.mark()
      const builder = createBatchBuilder()
      for (const headers of given) builder.add({ value: null, headers }, 1)
      const batch = builder.finish('none')
      stampBatch(batch, 0, undefined, undefined)
      const chunk = decodeChunk({
        ...{ memory, wanted: { headers: true }, pieces: [batch], fromOffset: 0 },
        fail: (what) => new Error(what),
      })!
      const cells = headerMaps(memory, chunk.headers, given.length)
      const columns = [{ type: HEADERS, cells, validity: 0 }]
      const rows = { rowCount: given.length, columns, kinds: 0, selection: 0, count: given.length }
      const encode = createBatchEncoder(memory, {
        ...{ bytesMax: 1 << 20, rowBytesMax: 1 << 20, attributes: 0 },
        compress: (records) => records,
        tooLarge: (bytes) => new Error(`${bytes}`),
      })
      const nothing = memory.arena.allocateCleared(8 * given.length)
      const written = encode(
        { values: nothing, keys: 0, timesUs: 0, headers: headerCells(memory, rows, 0) },
        ...([undefined, given.length, 1] as const),
      )
      assert.deepEqual(
        readRecords(written[0]!).map(({ headers }) => headers),
        given,
      )
      chunk.free()
      memory.arena.release(mark)
    }),
  )
})
