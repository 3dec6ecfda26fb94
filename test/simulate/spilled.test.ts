/** State larger than memory on a machine that dies while parts of it come and go, whose disk fills, with other numbers of workers after each death. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { type SimulatedRandom, simulatedRandom } from '../../src/testing/random.ts'
import { deltaRows } from './lake.ts'
import { type Life, live, produceRows } from './lives.ts'
import { eachSeed } from './seeds.ts'

const EVENTS = 240
const POINTS = ['state-swapped-in', 'state-spilling', 'state-spilled', 'manifest-renamed']
const SQL = `
  SET 'pipeline.name' = 'p';
  SET 'state.memory' = '1 KB';
  SET 'execution.checkpointing.interval' = '3 ms';
  SET 'restart-strategy.exponential-delay.initial-backoff' = '10 ms';
  CREATE TABLE orders (n BIGINT, k STRING) WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');
  CREATE TABLE shops (k STRING, city STRING) WITH ('connector' = 'log', 'topic' = 'shops', 'format' = 'json');
  CREATE TABLE counts (k STRING, c BIGINT, s BIGINT, d BIGINT, PRIMARY KEY (k) NOT ENFORCED)
    WITH ('connector' = 'delta', 'table-path' = '/lake/counts');
  CREATE TABLE sold (n BIGINT, city STRING) WITH ('connector' = 'delta', 'table-path' = '/lake/sold');
  INSERT INTO counts SELECT k, COUNT(*), SUM(n), COUNT(DISTINCT n) FROM orders GROUP BY k;
  INSERT INTO sold SELECT o.n, s.city FROM orders AS o JOIN shops AS s ON o.k = s.k;`

const orderOf = (n: number) => ({ n: n % 50, k: `k${(n * n) % 17}` })
const SHOPS = Array.from({ length: 12 }, (_, at) => ({ k: `k${at}`, city: `city ${at % 4}` }))

test('whatever befalls a pipeline while its state leaves memory, its tables are those of a recount', async () => {
  const died = { crashed: 0, full: 0 }
  await eachSeed(8, async (seed) => {
    const ports = simulatedPorts(seed)
    const random = simulatedRandom(seed ^ 0x5b111)
    let produced = 0
    const more = async (count: number): Promise<void> => {
      const rows = Array.from({ length: count }, (_, at) => orderOf(produced + at))
      produced += count
      await produceRows(ports, 'orders', rows, { partitions: 3 })
    }
    await more(40)
    await produceRows(ports, 'shops', SHOPS)
    for (let lives = 3; lives > 0; lives--) {
      const how = breaks(ports, random)
      const outcome = await live(ports, { ...crewOf(ports, random), until: 'now' })
      ports.disarm()
      ports.files.heal()
      if (outcome === 'crashed') died.crashed++
      else if (outcome.kind === 'failed') {
        assert.deepEqual([how, outcome.error.code], ['full', 'SPILL_FAILED'])
        died.full++
      } else assert.deepEqual(outcome, { kind: 'finished', because: 'now' })
      await more(40)
    }
    await more(EVENTS - produced)
    const last = await live(ports, { ...crewOf(ports, random), until: 'end' })
    assert.deepEqual(last, { kind: 'finished', because: 'end' })
    await recounted(ports)
    assert.deepEqual(spillsOf(ports), [], 'nothing is left of it')
  })
  if (process.env.MILLRACE_SEEDS === undefined)
    assert.ok(died.crashed > 3 && died.full > 0, JSON.stringify(died))
})

function breaks(ports: SimulatedPorts, random: SimulatedRandom): 'crash' | 'full' {
  const how = random.pick(['crash', 'crash', 'full'] as const)
  if (how === 'crash')
    ports.crashAt(random.pick(POINTS), 1 + random.below(30), random.pick(['kill', 'power']))
  else
    ports.files.fail({
      call: 'write',
      code: 'ENOSPC',
      path: '.spill',
      nth: 1 + random.below(40),
      forever: random.below(2) === 0,
      bytesWritten: random.below(40),
    })
  return how
}

function crewOf(ports: SimulatedPorts, random: SimulatedRandom): Life {
  return {
    sql: SQL,
    workers: random.pick([1, 1, 2, 3]),
    interleaving: {
      ringBytes: random.pick([256, 4096]),
      rowsMax: random.pick([1, 3, 50]),
      turn: (workers) => ports.random.below(workers),
    },
  }
}

async function recounted(ports: SimulatedPorts): Promise<void> {
  const counts = new Map<string, { c: number; s: number; d: Set<number> }>()
  const sold: string[] = []
  for (let event = 0; event < EVENTS; event++) {
    const { n, k } = orderOf(event)
    const { c, s, d } = counts.get(k) ?? { c: 0, s: 0, d: new Set<number>() }
    counts.set(k, { c: c + 1, s: s + n, d: d.add(n) })
    const city = SHOPS.find((shop) => shop.k === k)?.city
    if (city !== undefined) sold.push(`${n} ${city}`)
  }
  const wanted = [...counts].map(([k, { c, s, d }]) => `${k} ${c} ${s} ${d.size}`)
  const found = (await deltaRows(ports, '/lake/counts')).map(
    ({ k, c, s, d }) => `${k} ${c} ${s} ${d}`,
  )
  assert.deepEqual(found.sort(), wanted.sort())
  const rows = (await deltaRows(ports, '/lake/sold')).map(({ n, city }) => `${n} ${city}`)
  assert.deepEqual(rows.sort(), sold.sort())
}

function spillsOf({ files }: SimulatedPorts): readonly string[] {
  const directory = '/data/pipelines/p/spill'
  return files.exists(directory) ? files.list(directory) : []
}
