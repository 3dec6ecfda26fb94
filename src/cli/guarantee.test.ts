import assert from 'node:assert/strict'
import test from 'node:test'
import { types } from '../data/types.ts'
import type { PlanNode } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import type { TableDefinition } from '../plan/tables.ts'
import { CONNECTORS } from '../run/connectors.ts'
import { announcement } from './announce.ts'
import { guaranteeOf } from './guarantee.ts'
import { lossesOf } from './losses.ts'
import { PLAIN } from './render/style.ts'

const schema = [{ name: 'a', type: types.int }]
const table = (name: string, options: Record<string, string>): TableDefinition => ({
  name,
  columns: [],
  options,
})
const scan = (name: string, connector: string): PlanNode => ({
  kind: 'scan',
  schema,
  table: table(name, { connector }),
})

function pipelineOf(
  sources: readonly [string, string][],
  sinks: readonly TableDefinition[],
): Pipeline {
  const inputs = sources.map(([name, connector]) => scan(name, connector))
  const input: PlanNode = { kind: 'union-all', inputs, schema }
  return {
    name: 'p',
    nameIsDerived: true,
    settings: {},
    sinks: sinks.map((each) => ({ kind: 'sink', table: each, input })),
  }
}

const revenue = table('revenue', { connector: 'delta', 'table-path': 'lake/revenue' })

test('the log into Delta is exactly-once, and says why', () => {
  const pipeline = pipelineOf(
    [
      ['orders', 'log'],
      ['orders', 'log'],
    ],
    [revenue],
  )
  assert.deepEqual(guaranteeOf(pipeline, CONNECTORS), {
    kind: 'exactly-once',
    because: [
      'orders (log) reads again exactly what it read',
      'revenue (delta) commits each row once',
    ],
    notes: [],
  })
})

test('one sink that shows rows at once makes the whole at-least-once', () => {
  const pipeline = pipelineOf(
    [['orders', 'log']],
    [revenue, table('lines', { connector: 'print' })],
  )
  const { kind, because, notes } = guaranteeOf(pipeline, CONNECTORS)
  assert.equal(kind, 'at-least-once')
  assert.match(because.at(-1)!, /^lines \(print\) shows rows at once/)
  assert.deepEqual(notes, ['its tables become visible one after another, each whole'])
})

test('a derived name is said to be derived, with the line that keeps it', () => {
  const [first] = announcement(pipelineOf([['orders', 'log']], [revenue]), CONNECTORS, PLAIN)
  assert.equal(
    first,
    "p  exactly-once end to end  (named after its file; SET 'pipeline.name' = 'p' keeps the name when the file moves)",
  )
})

test('losing the machine loses what stands on its disk, and nothing that stands elsewhere', () => {
  const elsewhere = table('far', { connector: 'delta', 'table-path': 's3://lake/far' })
  assert.deepEqual(
    lossesOf(
      pipelineOf(
        [
          ['orders', 'log'],
          ['made', 'datagen'],
        ],
        [revenue, elsewhere],
      ),
      CONNECTORS,
    ),
    [
      'orders (log): its events: the log is on this disk',
      'made (datagen): nothing, its rows are made up',
      'revenue (delta): the table: it is on this disk',
      'far (delta): nothing: it stands elsewhere',
      'checkpoints and open windows: made again by reading the sources from their start',
    ],
  )
})
