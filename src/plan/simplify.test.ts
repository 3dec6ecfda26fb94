import assert from 'node:assert/strict'
import test from 'node:test'
import { type FedRow, runWay } from '../../test/builders/engine-run.ts'
import { types } from '../data/types.ts'
import type { Expression } from './expressions.ts'
import type { PlanNode } from './nodes.ts'
import { schemaOf } from './nodes.ts'
import { simplifyPlans } from './simplify.ts'

const schema = [
  { name: 'shop', type: types.string },
  { name: 'amount', type: types.bigint },
]
const scan: PlanNode = {
  kind: 'scan',
  schema,
  table: { name: 'orders', columns: [], options: { connector: 'scripted' } },
}
const column = (node: PlanNode, index: number): Expression => ({
  kind: 'column',
  index,
  type: schemaOf(node)[index]!.type,
})
const doubled = (value: Expression): Expression => ({
  kind: 'call',
  function: 'PLUS',
  args: [value, value],
  type: types.bigint,
})
function project(input: PlanNode, ...columns: readonly [string, Expression][]): PlanNode {
  return {
    kind: 'project',
    input,
    expressions: columns.map(([, expression]) => expression),
    schema: columns.map(([name, { type }]) => ({ name, type })),
  }
}
function counted(input: PlanNode): PlanNode {
  return {
    kind: 'group-aggregate',
    input,
    keys: [column(input, 0)],
    aggregates: [{ function: 'COUNT', args: [], distinct: false, type: types.bigint }],
    schema: [schema[0]!, { name: 'COUNT(*)', type: types.bigint }],
  }
}

const picked = project(scan, ['a', column(scan, 1)], ['s', column(scan, 0)])
const twice = project(picked, ['d', doubled(column(picked, 0))], ['s', column(picked, 1)])
const filtered: PlanNode = {
  kind: 'filter',
  input: picked,
  condition: {
    kind: 'call',
    function: 'GREATER',
    args: [column(picked, 0), { kind: 'literal', value: '1', type: types.bigint }],
    type: types.boolean,
  },
}
const grouped = counted(scan)
const PLANS: readonly (readonly [string, PlanNode, number])[] = [
  [
    'projections over one another',
    project(twice, ['x', column(twice, 1)], ['d', column(twice, 0)]),
    2,
  ],
  ['what would be computed twice', project(twice, ['q', doubled(column(twice, 0))]), 3],
  ['a filter over picked columns', project(filtered, ['s', column(filtered, 1)]), 3],
  [
    'a projection that names a group',
    project(grouped, ['k', column(grouped, 0)], ['n', column(grouped, 1)]),
    2,
  ],
  [
    'a projection that changes nothing',
    project(scan, ['shop', column(scan, 0)], ['amount', column(scan, 1)]),
    1,
  ],
]

const depth = (node: PlanNode): number => ('input' in node ? 1 + depth(node.input) : 1)

for (const [name, plan, expected] of PLANS) {
  test(`the result is the same, simplified or not: ${name}`, async () => {
    const rows = ['a', 'b', 'a', null].map((shop, index): FedRow => {
      return { kind: '+I', row: { shop, amount: BigInt(index) } }
    })
    const fed = new Map([['orders', [rows]]])
    const [simple] = simplifyPlans([plan])
    assert.equal(depth(simple!), expected)
    assert.deepEqual(schemaOf(simple!), schemaOf(plan))
    const [before, after] = [await runWay(plan, fed), await runWay(simple!, fed)]
    assert.deepEqual(after.changes, before.changes)
    assert.ok(before.changes.length > 0)
  })
}

test('what two read under different names keeps its own, and stays one', () => {
  const plans = ['n', 'm'].map((name) =>
    project(grouped, ['shop', column(grouped, 0)], [name, column(grouped, 1)]),
  )
  const inputs = simplifyPlans(plans).map((node) => node.kind === 'project' && node.input)
  assert.deepEqual(inputs, [grouped, grouped])
})
