import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf } from '../../../test/builders/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type DataType, types } from '../../data/types.ts'
import { valueAt } from '../../data/values.ts'
import { raw } from './format.ts'

const request = (memory: LinearMemory, type: DataType, charset = 'UTF-8') => {
  const schema = [{ name: 'v', type }]
  const options = { 'raw.charset': charset }
  return { memory, table: 't', schema, physical: schema, options, subject: 's', schemas: undefined }
}

/** Encoded, then decoded again. */
async function roundTrip(
  values: readonly (string | Uint8Array | null)[],
  type: DataType,
  charset?: string,
) {
  const memory = new LinearMemory()
  const asked = request(memory, type, charset)
  const batch = batchOf(
    memory,
    asked.schema,
    values.map((value) => [value]),
  )
  const records = (await raw.openEncoder(asked)).encode(batch)
  const decoded = (await raw.openDecoder(asked)).decode(records, values.length)
  assert.deepEqual([decoded.dead, decoded.count], [[], values.length])
  return values.map((_, row) => valueAt(memory, decoded.columns[0]!, row))
}

test('texts and bytes are read as they were written, a NULL as one of no bytes', async () => {
  const texts = ['', 'plain', 'gr\u00fc\u00df \u{1f30a}', '\ufeffmarked', 'x'.repeat(5000)]
  assert.deepEqual(await roundTrip([...texts, null], types.string), [...texts, ''])
  const bytes = [Uint8Array.of(0, 0xff, 0xc3), new Uint8Array()]
  assert.deepEqual(await roundTrip(bytes, types.bytes), bytes)
  const latin = ['', 'gr\u00fc\u00df']
  assert.deepEqual(await roundTrip(latin, types.string, 'ISO-8859-1'), latin)
})

test('a record without a value, and a text that is no UTF-8, are dead by their places', async () => {
  const memory = new LinearMemory()
  const records = ['a', Uint8Array.of(0xc3, 0x28), null, Uint8Array.of(0x61, 0xed, 0xa0, 0x80), 'b']
  const values = memory.arena.allocate(8 * records.length)
  for (const [row, record] of records.entries()) {
    const bytes = record === null ? undefined : Buffer.from(record)
    const address = bytes === undefined ? 0 : memory.arena.allocate(16)
    if (bytes !== undefined) memory.u8.set(bytes, address)
    memory.u32[(values >>> 2) + 2 * row] = address
    memory.u32[(values >>> 2) + 2 * row + 1] = bytes?.length ?? 0
  }
  const decoder = await raw.openDecoder(request(memory, types.string))
  const decoded = decoder.decode(values, records.length)
  assert.deepEqual(decoded.dead, [
    { row: 1, reason: 'not valid UTF-8' },
    { row: 2, reason: 'the record has no value' },
    { row: 3, reason: 'not valid UTF-8' },
  ])
  const good = [0, 1].map((at) => memory.u32[(decoded.selection >>> 2) + at]!)
  assert.deepEqual(good, [0, 4])
  assert.deepEqual(
    good.map((row) => valueAt(memory, decoded.columns[0]!, row)),
    ['a', 'b'],
  )
})
