/** The table of a primary key is what it would be if all rows of the changelog were looked through each time. */
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  batchOf,
  kindsOf,
  type Plain,
  type RowKindText,
  rowsOf,
} from '../../../test/builders/batch.ts'
import { fc } from '../../../test/builders/properties.ts'
import { LinearMemory } from '../../data/memory.ts'
import { types } from '../../data/types.ts'
import { upsertMaterializer } from './upsert-materialize.ts'

const SCHEMA = [
  { name: 'k', type: types.string },
  { name: 'n', type: types.bigint },
]

interface Change {
  readonly kind: RowKindText
  readonly row: readonly [string, bigint]
}

function changesOf(batches: readonly (readonly Change[])[]): { kind: RowKindText; row: Plain[] }[] {
  const memory = new LinearMemory()
  const materializer = upsertMaterializer(memory, SCHEMA, [0])
  return batches.flatMap((batch) => {
    if (batch.length === 0) return []
    const rows = batch.map(({ row }) => row)
    const given = batchOf(memory, SCHEMA, rows, { kinds: batch.map(({ kind }) => kind) })
    const told = materializer.take(given)
    const kinds = kindsOf(memory, told)
    return rowsOf(memory, told).map((row, at) => ({ kind: kinds[at]!, row }))
  })
}

test('a row that goes leaves the one before it, and none only if it was the last', () => {
  const change = (kind: RowKindText, n: bigint): Change => ({ kind, row: ['a', n] })
  const given = [change('+I', 1n), change('+I', 2n), change('-D', 1n), change('+U', 3n)]
  const going = [change('-U', 3n), change('-D', 9n), change('-D', 2n)]
  assert.deepEqual(changesOf([given, going]), [
    { kind: '+I', row: ['a', 1n] },
    { kind: '+U', row: ['a', 2n] },
    { kind: '+U', row: ['a', 3n] },
    { kind: '+U', row: ['a', 2n] },
    { kind: '-D', row: ['a', 2n] },
  ])
})

test('the table is that of the last row left of each key, however the changes are cut', () => {
  const change = fc.record({
    kind: fc.constantFrom<RowKindText>('+I', '+U', '-U', '-D'),
    row: fc.tuple(fc.constantFrom('a', 'b'), fc.bigInt({ min: 0n, max: 2n })),
  })
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 6 }), (batches) => {
      const table = new Map<Plain, Plain>()
      for (const { kind, row } of changesOf(batches)) {
        if (kind === '-D') table.delete(row[0]!)
        else table.set(row[0]!, row[1]!)
      }
      assert.deepEqual(table, looked(batches.flat()))
    }),
  )
})

/** All rows there are, searched from the end. */
function looked(changes: readonly Change[]): Map<Plain, Plain> {
  const rows: (readonly [string, bigint])[] = []
  for (const { kind, row } of changes) {
    if (kind === '+I' || kind === '+U') rows.push(row)
    else {
      const at = rows.findLastIndex(([k, n]) => k === row[0] && n === row[1])
      if (at >= 0) rows.splice(at, 1)
    }
  }
  return new Map(rows)
}
