import assert from 'node:assert/strict'
import test from 'node:test'
import { LinearMemory } from '../../src/data/memory.ts'
import { types } from '../../src/data/types.ts'
import { batchOf, kindsOf, rowsOf } from './batch.ts'

test('plain rows come back from a batch as they went in', () => {
  const memory = new LinearMemory()
  const schema = [
    { name: 'flag', type: types.boolean },
    { name: 'count', type: types.bigint },
    { name: 'ratio', type: types.double },
    { name: 'price', type: types.decimal(10, 2) },
    { name: 'wide', type: types.decimal(38, 3) },
    { name: 'name', type: types.string },
    { name: 'at', type: types.timestamp(3) },
    {
      name: 'pair',
      type: { kind: 'row', fields: [{ name: 'a', type: types.int }], nullable: true },
    },
  ] as const
  const rows = [
    [true, -5n, 1.5, '12.50', '-12345678901234567890123.001', 'héllo', 1_000_000n, [7n]],
    [null, null, null, null, null, null, null, null],
    [false, 2n ** 62n, -0.1, '-0.01', '0.000', '', -1n, [null]],
  ]
  const batch = batchOf(memory, schema, rows, { kinds: ['+I', '-U', '-D'] })
  assert.deepEqual(rowsOf(memory, batch), rows)
  assert.deepEqual(kindsOf(memory, batch), ['+I', '-U', '-D'])
  const some = batchOf(memory, schema, rows, { selection: [0, 2] })
  assert.deepEqual(rowsOf(memory, some), [rows[0], rows[2]])
})
