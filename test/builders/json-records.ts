/** JSON records in linear memory, and the comparison of a decoder with what they mean. */
import assert from 'node:assert/strict'
import type { LinearMemory, Pointer } from '../../src/data/memory.ts'
import { type Schema, types } from '../../src/data/types.ts'
import type { JsonDecoder } from '../../src/formats/json/decode.ts'
import { type Plain, rowsOf } from './batch.ts'
import { meaningOf } from './json-meaning.ts'

export const BID: Schema = [
  { name: 'auction', type: types.bigint },
  { name: 'bidder', type: types.bigint },
  { name: 'price', type: types.bigint },
  { name: 'channel', type: types.string },
  { name: 'url', type: types.string },
  { name: 'dateTime', type: types.timestamp(3) },
  { name: 'extra', type: types.string },
]

/** Cells of bytes, one a record, in the arena. */
export function placeRecords(memory: LinearMemory, records: readonly Uint8Array[]): Pointer {
  const cells = memory.arena.allocate(8 * records.length)
  records.forEach((record, index) => {
    const address = memory.arena.allocate(record.length)
    memory.u8.set(record, address)
    // What stands behind a record must never matter.
    memory.u8.fill(0x39, address + record.length, address + record.length + 24)
    memory.u32[(cells >> 2) + 2 * index] = address
    memory.u32[(cells >> 2) + 2 * index + 1] = record.length
  })
  return cells
}

/** A bid as Nexmark's, now and then with a price that is no integer. */
export function bidText(random: (below: number) => number): string {
  const price = random(5) ? random(10 ** (1 + random(8))) : random(2 ** 31) / 100
  const word = () => random(2 ** 30).toString(36)
  const bid = {
    auction: random(1000),
    bidder: random(2) ? random(100000) : random(100),
    price,
    channel: ['Google', 'Baidu', word(), 'true'][random(4)],
    url: `https://www.nexmark.com/${word()}/${word()}/item.htm?query=1`,
    dateTime: new Date(1767225600000 + random(2 ** 31) * 40)
      .toISOString()
      .slice(0, 23)
      .replace('T', ' '),
    extra: word(),
  }
  return JSON.stringify(bid)
}

function same(got: readonly Plain[], meant: readonly Plain[]): boolean {
  return got.every((value, index) => {
    const expected = meant[index]!
    if (expected === '(json text)') return typeof value === 'string'
    if (value instanceof Uint8Array) return Buffer.compare(value, expected as Uint8Array) === 0
    if (Array.isArray(value)) return Array.isArray(expected) && same(value, expected)
    return Object.is(value, expected)
  })
}

/** Every accepted row equals its meaning, every other is dead with a reason, and no row is both or neither. */
export function compareWithMeaning(
  memory: LinearMemory,
  decoder: JsonDecoder,
  schema: Schema,
  records: readonly Uint8Array[],
): void {
  const mark = memory.arena.mark()
  const decoded = decoder.decode(placeRecords(memory, records), records.length)
  const dead = new Map(decoded.dead.map(({ row, reason }) => [row, reason]))
  const { columns, rowCount, selection, count } = decoded
  const good = rowsOf(memory, { columns, rowCount, kinds: 0, selection, count })
  let next = 0
  records.forEach((record, row) => {
    const meant = meaningOf(record, schema)
    const text = Buffer.from(record).toString('latin1')
    if (meant === undefined) assert.ok(dead.get(row), `accepted: ${text}`)
    else {
      assert.equal(dead.get(row), undefined, `refused: ${text}`)
      const got = good[next++]!
      if (!same(got, meant)) assert.deepEqual(got, meant, text)
    }
  })
  assert.equal(next, decoded.count)
  memory.arena.release(mark)
}
