import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { LinearMemory } from '../data/memory.ts'
import { createBatchBuilder, type LogRecord } from './batch-builder.ts'
import type { Compression } from './compression.ts'
import { recordKernels } from './frame-records.ts'
import { partitionOf, rowsByPartition } from './partitioner.ts'
import { stampBatch } from './record-batch.ts'
import { decodeChunk, type RecordChunk } from './record-chunk.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** One batch a list of values, at the offsets that follow one another, but for `gap` after each. */
function batches(
  lists: readonly (readonly (string | null)[])[],
  compression: Compression,
  gap: number,
): { readonly bytes: Uint8Array[]; readonly offsets: number[] } {
  let offset = 0
  const offsets: number[] = []
  const bytes = lists.map((values) => {
    const builder = createBatchBuilder()
    for (const value of values) {
      const record: LogRecord = {
        key: utf8(`k${value}`),
        value: value === null ? null : utf8(value),
      }
      builder.add(record, 1000 + offset)
      offsets.push(offset + builder.count - 1)
    }
    const batch = builder.finish(compression)
    stampBatch(batch, offset, undefined, { producerId: 7, epoch: 0, sequence: 0 })
    offset += values.length + gap
    return batch
  })
  return { bytes, offsets }
}

function decoded(
  memory: LinearMemory,
  pieces: readonly Uint8Array[],
  fromOffset = 0,
): RecordChunk | undefined {
  return decodeChunk({
    memory,
    wanted: { keys: true, times: true },
    pieces,
    fromOffset,
    fail: (what) => new Error(what),
  })
}

function valuesOf(memory: LinearMemory, chunk: RecordChunk): (string | null)[] {
  return Array.from({ length: chunk.count }, (_, row) => {
    const words = (chunk.values >>> 2) + 2 * row
    const address = memory.u32[words]!
    if (address === 0) return null
    return new TextDecoder().decode(memory.u8.slice(address, address + memory.u32[words + 1]!))
  })
}

const values = fc.array(fc.option(fc.string({ maxLength: 20 }), { nil: null }), {
  minLength: 1,
  maxLength: 8,
})

test('what batches hold comes out, however they were cut on the way, from any offset on', () => {
  const memory = new LinearMemory()
  recordKernels(memory)
  const before = memory.bytesUsed
  const lists = fc.array(values, { minLength: 1, maxLength: 5 })
  const compression = fc.constantFrom<Compression>('none', 'gzip', 'zstd')
  fc.assert(
    fc.property(
      lists,
      compression,
      fc.nat(3),
      fc.nat(40),
      fc.nat(60),
      (given, codec, gap, from, cut) => {
        const { bytes, offsets } = batches(given, codec, gap)
        const whole = Buffer.concat(bytes)
        const at = Math.min(cut, whole.length)
        const start = Math.min(from, given[0]!.length - 1)
        const chunk = decoded(memory, [whole.subarray(0, at), whole.subarray(at)], start)!
        assert.deepEqual(valuesOf(memory, chunk), given.flat().slice(start))
        const found = Array.from({ length: chunk.count }, (_, row) =>
          Number(memory.i64[(chunk.offsets >>> 3) + row]!),
        )
        assert.deepEqual(found, offsets.slice(start))
        assert.equal(chunk.nextOffset, offsets.at(-1)! + 1)
        chunk.free()
        assert.equal(memory.bytesUsed, before)
      },
    ),
    { numRuns: 200 },
  )
})

test('a batch that is not whole waits, and one that is damaged is told', () => {
  const memory = new LinearMemory()
  recordKernels(memory)
  const before = memory.bytesUsed
  const { bytes } = batches([['a', 'b'], ['c']], 'none', 0)
  const [first, second] = bytes
  assert.equal(decoded(memory, [first!.subarray(0, 70)]), undefined)
  const chunk = decoded(memory, [first!, second!.subarray(0, 65)])!
  assert.deepEqual(valuesOf(memory, chunk), ['a', 'b'])
  assert.equal(chunk.nextOffset, 2)
  chunk.free()
  const damaged = first!.slice()
  damaged[damaged.length - 2]! ^= 1
  assert.throws(() => decoded(memory, [damaged]), /checksum/)
  assert.equal(memory.bytesUsed, before)
})

test('batches that are to be skipped move the offset and give no rows', () => {
  const memory = new LinearMemory()
  const { bytes } = batches([['a'], ['b'], ['c']], 'none', 0)
  const chunk = decodeChunk({
    memory,
    wanted: {},
    pieces: bytes,
    fromOffset: 0,
    skips: ({ baseOffset }) => baseOffset !== 1,
    fail: (what) => new Error(what),
  })!
  assert.deepEqual([valuesOf(memory, chunk), chunk.nextOffset], [['b'], 3])
})

test('rows go to the partitions that their keys have one by one', () => {
  const memory = new LinearMemory()
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 12 }), { maxLength: 50 }),
      fc.integer({ min: 1, max: 9 }),
      (keys, partitions) => {
        const mark = memory.arena.mark()
        const cells = memory.arena.allocate(8 * Math.max(keys.length, 1))
        keys.forEach((key, row) => {
          const bytes = utf8(key)
          const address = memory.arena.allocate(bytes.length)
          memory.u8.set(bytes, address)
          memory.u32[(cells >>> 2) + 2 * row] = address
          memory.u32[(cells >>> 2) + 2 * row + 1] = bytes.length
        })
        const { places, ends } = rowsByPartition(memory, cells, keys.length, partitions, 0)
        const found = ends.flatMap((end, partition) => {
          const from = partition === 0 ? 0 : ends[partition - 1]!
          const rows = Array.from(
            { length: end - from },
            (_, at) => memory.u32[(places >>> 2) + from + at]!,
          )
          return rows.map((row) => [row, partition])
        })
        const expected = keys.map((key, row) => [row, partitionOf(utf8(key), partitions)])
        assert.deepEqual(
          found.toSorted(([a], [b]) => a! - b!),
          expected,
        )
        memory.arena.release(mark)
      },
    ),
  )
})
