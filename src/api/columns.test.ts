import assert from 'node:assert/strict'
import test from 'node:test'
import { types, withNullability } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import { checkColumns, type RowOf, t } from './columns.ts'

const schema = [
  { name: 'shop', type: types.string },
  { name: 'orders', type: withNullability(types.bigint, false) },
]

function problems(declared: Parameters<typeof checkColumns>[0]): string {
  try {
    checkColumns(declared, schema)
  } catch (error) {
    assert.ok(error instanceof MillraceError && error.code === 'COLUMNS_MISMATCH')
    return error.message
  }
  return ''
}

test('columns that are the query’s pass, in any order, looser about NULL too', () => {
  assert.equal(problems({ orders: t.bigint().notNull(), shop: t.string() }), '')
  assert.equal(problems({ shop: t.string(), orders: t.bigint() }), '')
})

test('every column that differs is named with both types', () => {
  const message = problems({ shop: t.string().notNull(), orders: t.int(), city: t.string() })
  assert.match(message, /shop is declared STRING NOT NULL and is STRING/)
  assert.match(message, /orders is declared INT and is BIGINT NOT NULL/)
  assert.match(message, /there is no column city/)
  assert.match(problems({ shop: t.string() }), /orders BIGINT NOT NULL is not declared/)
})

test('a row has the types of its columns', () => {
  const columns = {
    at: t.timestampLtz(3).notNull(),
    fine: t.timestampLtz(6),
    price: t.decimal(10, 2),
  }
  const row: RowOf<typeof columns> = { at: new Date(0), fine: null, price: '1.00' }
  // @ts-expect-error a DECIMAL is told as text
  const wrong: RowOf<typeof columns> = { at: new Date(0), fine: null, price: 1 }
  assert.notDeepEqual(row, wrong)
})
