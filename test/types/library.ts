/** What must compile of the library's types, and what must not: `npm run check` is the test. */
import { type Change, open, type RowOf, t } from '../../src/index.ts'

const columns = { shop: t.string().notNull(), orders: t.bigint().notNull(), at: t.timestampLtz(3) }

export async function rows(): Promise<bigint> {
  await using db = await open()
  let total = 0n
  for await (const row of db.query('SELECT 1', { columns })) {
    const shop: string = row.shop
    const at: Date | null = row.at
    total += row.orders + BigInt(shop.length) + BigInt(at?.getTime() ?? 0)
    // @ts-expect-error there is no such column
    row.shops
    // @ts-expect-error it may be null
    const sure: Date = row.at
    // @ts-expect-error BIGINT is a bigint
    const count: number = row.orders
    // @ts-expect-error rows are not to be written
    row.shop = `${sure}${count}`
  }
  return total
}

export async function unchecked(): Promise<void> {
  await using db = await open()
  // @ts-expect-error a query takes no type: columns are checked, words are not
  db.query<{ shop: string }>('SELECT 1')
  for await (const row of db.query('SELECT 1')) {
    // @ts-expect-error without columns a value may be anything a column may hold
    const shop: string = row.shop
    void shop
  }
}

export function changed(change: Change<RowOf<typeof columns>>): string {
  switch (change.kind) {
    case '+I':
    case '+U':
      return change.row.shop
    case '-U':
    case '-D':
      return Object.keys(change.positions).join()
  }
  // @ts-expect-error no other kind is left
  return change.kind
}
