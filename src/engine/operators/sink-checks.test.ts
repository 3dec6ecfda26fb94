/** A sink's types hold for what is written: a value that breaks them is refused, left out, or cut, as SET says. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, type Plain, rowsOf } from '../../../test/builders/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { encodeNested } from '../../data/nested-cells.ts'
import { type DataType, types, withNullability } from '../../data/types.ts'
import type { SinkNode } from '../../plan/nodes.ts'
import type { SinkChecks } from '../../plan/sink-checks.ts'
import { sinkChecks } from './sink-checks.ts'

const char2: DataType = { kind: 'char', length: 2, nullable: true }
const needed = withNullability(types.bigint, false)
const nested: DataType = {
  kind: 'row',
  nullable: false,
  fields: [
    { name: 'id', type: needed },
    { name: 'list', type: { kind: 'array', element: needed, nullable: true } },
    { name: 'text', type: char2 },
  ],
}
const list = (...values: (bigint | null)[]) =>
  encodeNested({ kind: 'array', element: needed, nullable: true }, values)

/** The rows that are written of `rows`, one column `a` of `type`. */
function written(type: DataType, rows: readonly Plain[], checks?: Partial<SinkChecks>): Plain[] {
  const memory = new LinearMemory()
  const all: SinkChecks = { notNull: 'error', length: 'ignore', nested: 'ignore', ...checks }
  const plan: SinkNode = {
    kind: 'sink',
    table: { name: 't', columns: [{ kind: 'physical', name: 'a', type }], options: {} },
    input: { kind: 'values', schema: [{ name: 'a', type }], rows: [] },
    ...(checks === undefined ? {} : { checks: all }),
  }
  const batch = batchOf(
    memory,
    [{ name: 'a', type }],
    rows.map((row) => [row]),
  )
  const check = sinkChecks(plan, memory)
  return rowsOf(memory, check === undefined ? batch : check(batch)).map(([value]) => value!)
}

test('a NULL in a column that is NOT NULL is refused, or its row is left out', () => {
  assert.throws(() => written(needed, [1n, null]), {
    code: 'SINK_VALUE_REFUSED',
    message: "column 'a' is NOT NULL, and a NULL was to be written into it",
  })
  assert.deepEqual(written(needed, [1n, null, 2n], { notNull: 'drop' }), [1n, 2n])
  assert.deepEqual(written(types.bigint, [1n, null]), [1n, null])
})

test('values within rows and collections are looked at only if asked', () => {
  const row: Plain = [1n, list(2n, null), 'x']
  assert.equal(written(nested, [row]).length, 1)
  assert.equal(written(nested, [row], { nested: 'rows' }).length, 1)
  assert.throws(() => written(nested, [row], { nested: 'all' }), /'a\.list\[1\]' is NOT NULL/)
  assert.deepEqual(written(nested, [row], { nested: 'all', notNull: 'drop' }), [])
  assert.throws(() => written(nested, [[null, null, null]], { nested: 'rows' }), /'a\.id'/)
})

test('texts have the length that their type says, if that is enforced', () => {
  assert.deepEqual(written(char2, ['x', 'xyz']), ['x', 'xyz'])
  assert.throws(() => written(char2, ['xyz'], { length: 'error' }), {
    message: "column 'a' is CHAR(2), and a value of length 3 was to be written into it",
  })
  assert.deepEqual(written(char2, ['x', 'xyz', null], { length: 'trim-pad' }), ['x ', 'xy', null])
  const varchar: DataType = { kind: 'varchar', length: 2, nullable: true }
  assert.deepEqual(written(varchar, ['x', 'xyz'], { length: 'trim-pad' }), ['x', 'xy'])
  const binary: DataType = { kind: 'binary', length: 2, nullable: true }
  const bytes = written(binary, [new Uint8Array([1]), new Uint8Array([1, 2, 3])], {
    length: 'trim-pad',
  })
  assert.deepEqual(bytes, [new Uint8Array([1, 0]), new Uint8Array([1, 2])])
  assert.throws(() => written(nested, [[1n, null, 'x']], { length: 'error', nested: 'rows' }), {
    message: "column 'a.text' is CHAR(2), and a value of length 1 was to be written into it",
  })
})
