import assert from 'node:assert/strict'
import test from 'node:test'
import { expectedRevenue, reconcile } from './reconcile.ts'
import { shopDay } from './shop.ts'

const { orders } = shopDay({ seed: 3, orders: 3000, endMs: Date.UTC(2026, 0, 1, 12) })
const routed = {
  late: orders.filter(({ fate }) => fate === 'phone').map(({ id }) => id),
  dead: orders.filter(({ fate }) => fate === 'fast-clock').map(({ id }) => id),
}
const table = [...expectedRevenue(orders, routed).values()]

test('a table that holds every order once has nothing lost and nothing twice', () => {
  const verdict = reconcile(table, orders, routed)
  assert.deepEqual(verdict.differences, [])
  assert.equal(verdict.lost + verdict.duplicated, 0)
  assert.equal(verdict.orders + routed.late.length + routed.dead.length, orders.length)
})

test('a missing row is lost orders, named', () => {
  const [first, ...rest] = table
  const verdict = reconcile(rest, orders, routed)
  assert.equal(verdict.lost, first!.orders)
  assert.deepEqual(
    verdict.differences.map(({ shop, minute }) => ({ shop, minute })),
    [{ shop: first!.shop, minute: first!.minute }],
  )
})

test('a repeated row, and an order routed twice, are duplicates', () => {
  const repeated = reconcile([...table, table[0]!], orders, routed)
  assert.equal(repeated.duplicated, table[0]!.orders)
  assert.equal(repeated.repeatedRows, 1)
  const twice = reconcile(table, orders, { ...routed, late: [...routed.late, routed.late[0]!] })
  assert.equal(twice.duplicated, 1)
})

test('wrong money with a right count is a difference all the same', () => {
  const [first, ...rest] = table
  const verdict = reconcile([{ ...first!, cents: first!.cents - 1 }, ...rest], orders, routed)
  assert.equal(verdict.lost, 1)
})
