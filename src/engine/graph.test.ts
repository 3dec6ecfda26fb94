/** Which nodes of a graph take rows back. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Schema, types } from '../data/types.ts'
import type { GroupAggregate, PlanNode } from '../plan/nodes.ts'
import { graphOf, isUpdating } from './graph.ts'

const schema: Schema = [{ name: 'k', type: types.string }]
const scan: PlanNode = { kind: 'scan', table: { name: 't', columns: [], options: {} }, schema }
const distinct = (input: PlanNode): GroupAggregate => ({
  kind: 'group-aggregate',
  input,
  keys: [{ kind: 'column', index: 0, type: types.string }],
  aggregates: [],
  schema,
})
const counted: PlanNode = {
  ...distinct(scan),
  aggregates: [{ function: 'COUNT', args: [], distinct: false, type: types.bigint }],
  schema: [...schema, { name: 'n', type: types.bigint }],
}

test('DISTINCT takes rows back only if its input does', () => {
  assert.equal(updates(distinct(scan), false), false)
  assert.equal(updates(distinct(scan), true), true)
  assert.equal(updates(distinct(counted), false), true)
})

test('an aggregate takes rows back, and a sort above it does not', () => {
  assert.equal(updates(counted, false), true)
  assert.equal(updates({ kind: 'sort', input: counted, keys: [] }, false), false)
})

function updates(plan: PlanNode, tableGivesChanges: boolean): boolean {
  const table = { name: 'result', columns: [], options: {} }
  const graph = graphOf({ sinks: [{ kind: 'sink', input: plan, table }] })
  return isUpdating(graph, graph.nodes.length - 1, () => tableGivesChanges)
}
