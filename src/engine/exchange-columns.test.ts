import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf } from '../../test/builders/batch.ts'
import { LinearMemory } from '../data/memory.ts'
import { bindText } from '../sql/bind-text.ts'
import { WATERMARK_MIN } from '../time/windows.ts'
import { travellingColumns } from './exchange-columns.ts'
import { type Route, routesOf } from './exchange-routes.ts'
import { graphOf } from './graph.ts'

const SECOND_US = 1_000_000n

function routeOf(select: string): Route {
  const { queries, errors } = bindText(
    `CREATE TABLE events (k STRING, note STRING, v BIGINT, t TIMESTAMP(3), WATERMARK FOR t AS t)
       WITH ('connector' = 'scripted');
     ${select} FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(t), INTERVAL '5' SECOND))
     GROUP BY k, window_start, window_end`,
    'columns',
    [],
  )
  assert.deepEqual(errors, [])
  const table = { name: 'answer', columns: [], options: {} }
  return routesOf(graphOf({ sinks: [{ kind: 'sink', input: queries[0]!, table }] }))[0]!
}

/** Whether a row of second `second` may travel without what its window does not need. */
function asker(route: Route, stoodUs = WATERMARK_MIN) {
  const memory = new LinearMemory()
  const columns = travellingColumns(memory, route, () => stoodUs)
  const isTimely = (second: bigint): boolean =>
    columns.isTimely(batchOf(memory, route.schema, [['a', 'b', 1n, second * SECOND_US]]))
  return { ...columns, isTimely }
}

test('a window asks for its keys, its time and what it aggregates', () => {
  const { timely } = asker(routeOf('SELECT k, SUM(v)'))
  assert.deepEqual([...timely!].toSorted(), [0, 2, 3])
})

test('rows that are late by what has been told travel whole', () => {
  const { isTimely, told } = asker(routeOf('SELECT k, SUM(v)'))
  assert.equal(isTimely(1n), true)
  told({ watermarkUs: 5n * SECOND_US, idle: false })
  assert.equal(isTimely(4n), false)
  assert.equal(isTimely(5n), true)
})

test('what a life before has told counts too', () => {
  const { isTimely } = asker(routeOf('SELECT k, SUM(v)'), 20n * SECOND_US)
  assert.equal(isTimely(19n), false)
  assert.equal(isTimely(20n), true)
})

test('once a worker has been idle, others may have gone on without it: its rows travel whole', () => {
  const { isTimely, told } = asker(routeOf('SELECT k, SUM(v)'))
  told({ watermarkUs: WATERMARK_MIN, idle: true })
  told({ watermarkUs: 5n * SECOND_US, idle: false })
  assert.equal(isTimely(100n), false)
})

test('rows whose aggregation may fail travel whole, since they would go to dead', () => {
  const { isTimely } = asker(routeOf('SELECT k, SUM(CAST(note AS BIGINT))'))
  assert.equal(isTimely(100n), false)
})
