import assert from 'node:assert/strict'
import test from 'node:test'
import { types } from '../data/types.ts'
import type { Expression } from './expressions.ts'
import { operatorIds } from './identity.ts'
import type { GroupAggregate, PlanNode, SinkNode } from './nodes.ts'

const schema = [
  { name: 'shop', type: types.string },
  { name: 'amount', type: types.bigint },
]
const column = (index: number): Expression => ({ kind: 'column', index, type: schema[index]!.type })
const scan = (options = {}): PlanNode => ({
  kind: 'scan',
  schema,
  table: { name: 'orders', columns: [], options },
})
const above = (limit: string, input: PlanNode): PlanNode => ({
  kind: 'filter',
  input,
  condition: {
    kind: 'call',
    function: 'GREATER',
    args: [column(1), { kind: 'literal', value: limit, type: types.bigint }],
    type: types.boolean,
  },
})
const grouped = (input: PlanNode, name = 'n', key = 0): GroupAggregate => ({
  kind: 'group-aggregate',
  input,
  keys: [column(key)],
  aggregates: [{ function: 'COUNT', args: [], distinct: false, type: types.bigint }],
  schema: [schema[key]!, { name, type: types.bigint }],
})
const sink = (input: PlanNode): SinkNode => ({
  kind: 'sink',
  input,
  table: { name: 'out', columns: [], options: {} },
})

function idOf(node: PlanNode): string {
  return operatorIds({ sinks: [sink(node)] }).get(node)!
}

test('an id outlives changes of options, of filters beneath, and of names of results', () => {
  const id = idOf(grouped(scan()))
  assert.equal(idOf(grouped(scan({ topic: 'x' }))), id)
  assert.equal(idOf(grouped(above('1', scan()))), id)
  assert.equal(idOf(grouped(above('2', scan()))), id)
  assert.equal(idOf(grouped(scan(), 'm')), id)
})

test('another key, another aggregate or another place is another id', () => {
  const node = grouped(scan())
  const summed = { ...node.aggregates[0]!, function: 'SUM', args: [column(1)] }
  const all = [
    node,
    grouped(scan(), 'n', 1),
    { ...node, aggregates: [summed] },
    grouped(grouped(scan()), 'n', 0),
  ].map(idOf)
  assert.equal(new Set(all).size, all.length)
})

test('equal subtrees share an id, and different ones that do the same do not', () => {
  const [one, same, other] = [grouped(scan()), grouped(scan()), grouped(above('1', scan()))]
  const ids = operatorIds({ sinks: [sink(one), sink(same), sink(other)] })
  assert.equal(ids.get(one), ids.get(same))
  assert.notEqual(ids.get(one), ids.get(other))
})

test('an id is written as checkpoints of earlier releases have it', () => {
  assert.equal(idOf(grouped(scan())), 'group-aggregate-286c656794258e19')
})
