/** What must compile of the typed API, and what must not: `npm run check` is the test. */
import {
  aggregateFunction,
  asyncFunction,
  avg,
  connector,
  count,
  declared,
  delta,
  log,
  max,
  open,
  pipeline,
  scalarFunction,
  sum,
  t,
  table,
  tumble,
} from '../../src/index.ts'

const orders = table('orders', {
  columns: {
    shop: t.string().notNull(),
    customer: t.bigint(),
    amount: t.decimal(10, 2),
    items: t.int(),
    placedAt: t.timestampLtz(3).notNull(),
  },
  eventTime: 'placedAt',
  delay: '5s',
  from: log('orders'),
})
const customers = table('customers', {
  columns: { id: t.bigint().notNull(), name: t.string() },
  primaryKey: ['id'],
  from: log('customers'),
})

export const revenue = orders
  .where((o) => o.items.greater(0).and(o.amount.isNotNull()))
  .window(tumble('1m'))
  .groupBy('shop')
  .select((group, o) => ({
    shop: group.shop,
    start: group.windowStart,
    orders: count(),
    revenue: sum(o.amount),
    most: max(o.items),
  }))

export const named = orders
  .leftJoin(customers, (o, c) => o.customer.equals(c.id))
  .select((o, c) => ({ shop: o.shop, name: c.name, id: c.id, double: o.items.times(2) }))

export default pipeline('revenue', [
  revenue.into(delta({ tablePath: 'lake/revenue', commitInterval: '1m' }), {
    primaryKey: ['shop', 'start'],
  }),
])

const profiles = table('profiles', {
  columns: { customer: t.bigint().notNull(), tier: t.string().notNull() },
  from: connector('http', { url: 'http://profiles/{{customer}}' }),
})
const risk = declared(
  'risk',
  scalarFunction([t.string(), t.bigint()], t.double().notNull(), () => 0),
)
const score = declared(
  'score',
  asyncFunction([t.string()], t.int(), () => Promise.resolve(1)),
)
const longest = declared(
  'longest',
  aggregateFunction({
    args: [t.int()],
    returns: t.bigint(),
    state: { most: t.bigint() },
    createAccumulator: () => ({ most: null }),
    accumulate() {},
    getValue: ({ most }) => most,
  }),
)
export const asked = orders
  .leftLookupJoin(profiles, (o, p) => o.customer.equals(p.customer))
  .select((o, p) => ({ shop: o.shop, tier: p.tier, risk: risk(o.shop, 5), score: score('oslo') }))
export const runs = orders
  .groupBy('shop')
  .select((group, o) => ({ risk: risk(group.shop, count()), run: longest(o.items) }))

/** What users' functions and lookups give. */
export async function answers(): Promise<void> {
  await using db = await open()
  for await (const row of db.query(asked)) {
    const sure: number = row.risk
    const score: number | null = row.score
    // @ts-expect-error the service may know of nothing
    const tier: string = row.tier
    void [sure, score, tier]
  }
  for await (const row of db.query(runs)) {
    const run: bigint | null = row.run
    void run
  }
}

// @ts-expect-error a number is no text
orders.select((o) => ({ risk: risk(o.items, 5) }))
// @ts-expect-error a text is no BIGINT, nor is a decimal, though it is told as one
orders.select((o) => ({ risk: risk(o.amount, o.shop) }))
// @ts-expect-error it takes two
orders.select((o) => ({ risk: risk(o.shop) }))
// @ts-expect-error an aggregate is no value of a row
orders.select((o) => ({ run: longest(o.items) }))
// @ts-expect-error what is made of a table cannot be asked
orders.lookupJoin(profiles.distinct(), (o, p) => o.customer.equals(p.customer))
// @ts-expect-error the table has no such column
orders.lookupJoin(profiles, (o, p) => o.customer.equals(p.id))

/** Columns, nullability and values come out as they went in. */
export async function rows(): Promise<void> {
  await using db = await open()
  for await (const row of db.query(revenue)) {
    const shop: string = row.shop
    const counted: bigint = row.orders
    const cents: string | null = row.revenue
    const most: number | null = row.most
    void [shop, counted, cents, most]
    // @ts-expect-error SUM of no rows is NULL
    const sure: string = row.revenue
    // @ts-expect-error there is no such column
    row.revenues
    void sure
  }
  for await (const change of db.changes(named)) {
    // The right side of a left join may be missing, though its key never is.
    const id: bigint | null = change.row.id
    // @ts-expect-error for the same reason
    const sure: bigint = change.row.id
    void [id, sure]
  }
}

// @ts-expect-error there is no such column
orders.where((o) => o.amout.greater(1))
// @ts-expect-error a text is no number
orders.select((o) => ({ twice: o.shop.times(2) }))
// @ts-expect-error a number is not compared with a text
orders.where((o) => o.items.equals('3'))
// @ts-expect-error LIKE is of texts
orders.where((o) => o.items.like('3%'))
// @ts-expect-error a condition is what WHERE takes
orders.where((o) => o.items)
// @ts-expect-error there is no such column to group by
orders.groupBy('shops')
// @ts-expect-error a column that is neither a key nor aggregated
orders.groupBy('shop').select((group, o) => ({ shop: group.shop, items: o.items }))
// @ts-expect-error an aggregate is no value of a row
orders.select((o) => ({ most: max(o.items) }))
// @ts-expect-error the average of a text
orders.groupBy().select((_, o) => ({ mean: avg(o.shop) }))
// @ts-expect-error a group without a window has none
orders.groupBy('shop').select((group) => ({ start: group.windowStart }))
// @ts-expect-error event time is a timestamp
table('bad', { columns: { at: t.string() }, eventTime: 'at', from: log('bad') })
// @ts-expect-error event time is a column
table('bad', { columns: { at: t.timestamp(3) }, eventTime: 'when', from: log('bad') })
table('bad', {
  columns: { at: t.timestamp(3) },
  eventTime: 'at',
  // @ts-expect-error '5 seconds' is no duration
  delay: '5 seconds',
  from: log('bad'),
})
// @ts-expect-error windows are over time
orders.window(tumble('1m'), 'shop')
// @ts-expect-error a key is a column
revenue.into(delta({ tablePath: 'lake/revenue' }), { primaryKey: ['shops'] })
