import assert from 'node:assert/strict'
import test from 'node:test'
import { type DataType, types, withNullability } from '../data/types.ts'
import { interfaceName, rowTypesText } from './row-types.ts'

const notNull = (type: DataType) => withNullability(type, false)

test('every SQL type has the TypeScript type that its values have', () => {
  const text = rowTypesText([
    {
      name: 'shop_orders',
      about: 'tables/orders.sql',
      schema: [
        { name: 'id', type: notNull(types.bigint) },
        { name: 'amount', type: types.decimal(10, 2) },
        { name: 'at', type: types.timestampLtz(3) },
        { name: 'precise', type: types.timestampLtz(6) },
        { name: 'local time', type: types.timestamp(3) },
        { name: 'tags', type: { kind: 'array', element: notNull(types.string), nullable: true } },
        {
          name: 'counts',
          type: { kind: 'map', key: notNull(types.string), value: types.int, nullable: false },
        },
        {
          name: 'where',
          type: { kind: 'row', fields: [{ name: 'lat', type: types.double }], nullable: true },
        },
        { name: 'raw', type: types.bytes },
      ],
    },
  ])
  assert.equal(
    text,
    `// Made by \`millrace gen\` from tables/ and pipelines/: do not edit.

/** tables/orders.sql */
export interface ShopOrdersRow {
  readonly id: bigint
  readonly amount: string | null
  readonly at: Date | null
  readonly precise: string | null
  readonly "local time": string | null
  readonly tags: readonly (string)[] | null
  readonly counts: readonly (readonly [string, number | null])[]
  readonly where: {
    readonly lat: number | null
  } | null
  readonly raw: Uint8Array | null
}

/** Every table and query of the project, by name. */
export interface Rows {
  readonly shop_orders: ShopOrdersRow
}
`,
  )
})

test('names that are no identifiers still give some', () => {
  assert.deepEqual(['orders', 'shop-orders', '2024', 'a.late'].map(interfaceName), [
    'OrdersRow',
    'ShopOrdersRow',
    '_2024Row',
    'ALateRow',
  ])
})
