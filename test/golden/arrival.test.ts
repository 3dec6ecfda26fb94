/** Golden programs in other orders of arrival: where the plan does not say that it depends on the order, the table is the same. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { arrivalDependences } from '../../src/plan/arrival-order.ts'
import type { Scenario } from '../../src/testing/golden/scenario.ts'
import { replay, type Way } from '../../src/testing/golden/ways.ts'
import { fc } from '../builders/properties.ts'
import { nameOf, readScenarios } from './scenarios.ts'

/** All watermarks wait so long, whatever the file says: it shuffles more. */
const BOUND_MS = 10_000
const WHOLE: Way = { name: 'whole', lives: [{ workers: 1 }] }
const IN_TWOS: Way = { name: 'in twos', rowsMax: 2, lives: [{ workers: 1 }] }

const scenarios = await readScenarios((create) =>
  create.replace(
    /(?<=WATERMARK FOR )(\w+) AS \1(?: - INTERVAL '[\d.]+' SECOND)?/,
    `$1 AS $1 - INTERVAL '${BOUND_MS / 1000}' SECOND`,
  ),
)
const anyOrder = scenarios.filter(
  ({ pipeline, fed }) =>
    arrivalDependences(pipeline.sinks[0]!.input).length === 0 &&
    [...fed.values()].flat(2).every(({ kind }) => kind === '+I'),
)

test('half of the golden programs do not depend on the order of arrival, or more', () => {
  assert.ok(2 * anyOrder.length > scenarios.length, `${anyOrder.length} of ${scenarios.length}`)
})

for (const scenario of anyOrder) {
  test(`${nameOf(scenario)}: its table in any order in which no row is late`, async () => {
    const expected = await replay(permuted(scenario, [0]), WHOLE, '.')
    const shifts = fc.array(fc.nat(BOUND_MS - 1), { minLength: 7, maxLength: 7 })
    for (const some of fc.sample(shifts, 8)) {
      const { table, late } = await replay(permuted(scenario, some), IN_TWOS, '.')
      assert.deepEqual({ table, late }, { table: expected.table, late: expected.late }, `${some}`)
    }
  })
}

/** By time and a shift that is less than the watermarks' delay; tables without event time by the shift alone. */
function permuted(scenario: Scenario, shifts: readonly number[]): Scenario {
  const fed = [...scenario.fed].map(([table, splits]) => {
    const create = scenario.creates.find((each) => each.startsWith(`${table} `)) ?? ''
    const time = /WATERMARK FOR (\w+)/.exec(create)?.[1] ?? ''
    return [
      table,
      splits.map((rows) =>
        rows
          .map((row, at) => {
            const shift = shifts[(at * 5 + (at >> 2)) % shifts.length]!
            return { row, place: timeMs(row.bytes, time) + shift }
          })
          .sort((a, b) => a.place - b.place)
          .map(({ row }) => row),
      ),
    ] as const
  })
  return { ...scenario, fed: new Map(fed) }
}

function timeMs(bytes: Uint8Array, column: string): number {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes))[column]
  if (typeof value !== 'string') return 0
  const ms = Date.parse(`${value.replace(' ', 'T').replace(/Z?$/, 'Z')}`)
  assert.ok(!Number.isNaN(ms), value)
  return ms
}
