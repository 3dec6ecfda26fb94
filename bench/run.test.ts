import assert from 'node:assert/strict'
import test from 'node:test'
import { BENCHES, bench } from './run.ts'

const QUERIES = { flat: BENCHES, nested: ['project', 'hop-count', 'pass-delta'] }

for (const layout of ['flat', 'nested'] as const) {
  test(`queries of the benchmark run in kernels over ${layout} events, none lost`, async () => {
    const queries = QUERIES[layout]
    const options = { events: 20_000, queries, workers: 1, layout, rounds: 1, seed: 42 }
    const figures = await bench(options)
    assert.deepEqual(
      figures.map(({ name }) => name),
      queries,
    )
    for (const { name, ...each } of figures) {
      assert.ok(each.eventsPerSecond > 0 && each.cpuSecondsPerMillion > 0, name)
      assert.ok(each.peakMemoryMB > 0 && each.workers === 1 && each.layout === layout, name)
    }
  })
}

test('a query that the benchmark does not have is refused by its name', async () => {
  const options = { events: 100, queries: ['q5'], workers: 1, layout: 'flat', rounds: 1, seed: 42 }
  await assert.rejects(bench({ ...options, layout: 'flat' }), /no query q5; there are pass, /)
})
