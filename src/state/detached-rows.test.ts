import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf } from '../../test/builders/batch.ts'
import { LinearMemory } from '../data/memory.ts'
import { types } from '../data/types.ts'
import { memoryRowLists } from './memory-row-lists.ts'

test('a detached entry is in no list, and is placed again, or removed', () => {
  const memory = new LinearMemory()
  const rows = memoryRowLists(memory, { keys: [], row: [types.string], extras: 0 })
  const schema = [{ name: 's', type: types.string }]
  const batch = batchOf(memory, schema, [['a'], ['b'], ['c']])
  const lists = memory.arena.allocate(12)
  const entries = memory.arena.allocate(12)
  rows.lists({ count: 3, selection: 0, keys: [] }, lists)
  rows.append(batch, lists, entries)
  const list = memory.u32[lists / 4]!
  const [a, b, c] = [0, 1, 2].map((at) => memory.u32[entries / 4 + at]!) as [number, number, number]
  const listed = () => {
    const found: number[] = []
    for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry)) found.push(entry)
    assert.equal(rows.count(list), found.length)
    assert.equal(rows.last(list), found.at(-1) ?? 0)
    return found
  }

  for (const entry of [b, a, c]) rows.detach(entry)
  assert.deepEqual(listed(), [])
  rows.place(list, c, 0)
  rows.place(list, a, c)
  assert.deepEqual(listed(), [a, c])
  assert.equal(rows.size, 3)
  rows.remove(b)
  assert.deepEqual(listed(), [a, c])
  assert.equal(rows.size, 2)
  assert.equal(rows.equal(list, batch.columns, 2), c)
  assert.equal(rows.equal(list, batch.columns, 0, c), 0)
  assert.equal(rows.isOlder(a, c), true)
})
