/**
 * One pipeline into sinks of every kind that this machine has, upserted, compacted, vacuumed, its topics kept short: it dies at every
 * step that such sinks and their upkeep add, and each row is there once.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { maintainOnce } from '../../src/connectors/log/maintain.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { clickSql, clickText, holdAllOnce } from './clicks.ts'
import { deltaRows } from './lake.ts'
import { DATA, live, produceRows, topicTexts } from './lives.ts'
import { eachSeed } from './seeds.ts'

const EVENTS = 120
const ROUNDS = 6
const PARTITIONS = 2
const HOUR_MS = 3_600_000
const UPKEEP = `'checkpoint-interval' = '2', 'sink.vacuum-retention' = '1 h', 'delta.logRetentionDuration' = 'interval 1 day'`
const SQL = `${clickSql({ path: '/lake/sums' }).replace("'table-path' = '/lake/sums'", `$&, 'sink.compact' = 'true', ${UPKEEP}`)}
CREATE TABLE totals (k STRING, events BIGINT, total BIGINT, PRIMARY KEY (k) NOT ENFORCED)
  WITH ('connector' = 'delta', 'table-path' = '/lake/totals', 'sink.buckets' = '2', ${UPKEEP});
CREATE TABLE copies (n BIGINT, k STRING) WITH ('connector' = 'filesystem', 'path' = '/lake/copies', 'format' = 'json');
CREATE TABLE objects (n BIGINT, k STRING) WITH ('connector' = 'filesystem', 'path' = 's3://lake/objects', 'format' = 'json');
CREATE TABLE heard (n BIGINT, k STRING) WITH ('connector' = 'log', 'topic' = 'heard', 'format' = 'json');
INSERT INTO totals SELECT k, COUNT(*), SUM(n) FROM clicks GROUP BY k;
INSERT INTO copies SELECT n, k FROM clicks;
INSERT INTO objects SELECT n, k FROM clicks;
INSERT INTO heard SELECT n, k FROM clicks;
`
/** Points that other tests crash at: of what needs other machines, of upkeep and starts that are not a pipeline's daily life. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^http\./, 'test/http/crash.test.ts'],
  [/^kafka\.|^roll-back$/, 'test/kafka'],
  [/^log\.compaction\./, 'src/log/retention.test.ts'],
  [/^log\.recovery\.truncate$/, 'src/log/crash.test.ts'],
  [/^savepoint-|^checkpoints?-forgotten$/, 'test/engine/refused.test.ts'],
  [/^state-merged$/, 'src/state/checkpoint-store.test.ts'],
  [/^state-(spill|swap)/, 'test/simulate/spilled.test.ts'],
]

test('however a pipeline into sinks of every kind dies, and its upkeep with it, each row is there once', async () => {
  const calm = await history(1)
  const first = simulatedPorts(1)
  await produceRows(first, 'clicks', [clickText(0)])
  await live(first, { sql: clickSql({ path: '/lake/sums' }), until: 'end' })
  const added = [...calm.passed.keys()].filter((point) => !first.passed.has(point))
  assert.ok(added.length >= 20, added.join())
  await eachSeed(1, async (seed) => {
    for (const [index, point] of added.entries()) {
      const kind = (seed + index) % 2 === 0 ? 'power' : 'kill'
      await history(seed, { point, kind, nth: 1 + (seed % 3) })
    }
  })
})

test('every named fault point is passed here, or by a test that is named here', async () => {
  const { passed } = await history(1)
  for (const [, place] of ELSEWHERE) assert.ok(existsSync(place), place)
  const isElsewhere = (point: string) => ELSEWHERE.some(([points]) => points.test(point))
  const named = namedPoints()
  assert.ok(named.length >= 40)
  assert.deepEqual(
    named.filter((point) => !passed.has(point) && !isElsewhere(point)),
    [],
  )
})

interface Death {
  readonly point: string
  readonly kind: 'kill' | 'power'
  readonly nth: number
}

async function history(seed: number, death?: Death): Promise<SimulatedPorts> {
  const ports = simulatedPorts(seed)
  const where = death === undefined ? 'without a crash' : `${death.kind} at ${death.point}`
  for (let round = 0; round < ROUNDS; round++) {
    await produce(ports, round)
    const isDeadly = death !== undefined && round >= 1 && round % 2 === 1
    if (isDeadly) ports.crashAt(death.point, death.nth, death.kind)
    const outcome = await live(ports, { sql: SQL, until: 'now', workers: 1 + (round % 2) })
    if (outcome !== 'crashed') {
      assert.equal(outcome.kind, 'finished', `${where}: ${JSON.stringify(outcome)}`)
      await maintain(ports)
    }
    ports.disarm()
    ports.clock.leap(round === 3 ? 72 * HOUR_MS : 2 * HOUR_MS)
  }
  assert.deepEqual(
    await live(ports, { sql: SQL, until: 'end' }),
    { kind: 'finished', because: 'end' },
    where,
  )
  await holdAll(ports, where)
  return ports
}

async function produce(ports: SimulatedPorts, round: number): Promise<void> {
  const each = EVENTS / ROUNDS
  const texts = Array.from({ length: each }, (_, at) => clickText(round * each + at))
  await produceRows(ports, 'clicks', texts, {
    partitions: PARTITIONS,
    settings: { 'segment.bytes': '1024', 'retention.bytes': '0' },
  })
}

/** What the owner does for its log; it may die of it. */
async function maintain(ports: SimulatedPorts): Promise<void> {
  await maintainOnce(ports, DATA).catch((error: unknown) => {
    if (!(error instanceof SimulatedCrash)) throw error
  })
}

async function holdAll(ports: SimulatedPorts, where: string): Promise<void> {
  const [late, dead] = [topicTexts(ports, 'sums.late'), topicTexts(ports, 'sums.dead')]
  holdAllOnce(EVENTS, { rows: await deltaRows(ports, '/lake/sums'), late, dead }, where)
  const clicks = Array.from({ length: EVENTS }, (_, n) => clickText(n))
    .filter((text) => !text.startsWith('{oops'))
    .map((text): { k: string; n: number } => JSON.parse(text))
  const wanted = clicks.map(({ n, k }) => `${n} ${k}`).sort()
  const told = (texts: readonly string[]) =>
    texts
      .map((text): { k: string; n: number } => JSON.parse(text))
      .map(({ n, k }) => `${n} ${k}`)
      .sort()
  assert.deepEqual(told(fileLines(ports, '/lake/copies')), wanted, `${where}: files`)
  assert.deepEqual(told(await objectLines(ports, 's3://lake/objects')), wanted, `${where}: objects`)
  assert.deepEqual(told(topicTexts(ports, 'heard')), wanted, `${where}: topic`)
  const totals = (await deltaRows(ports, '/lake/totals'))
    .map(({ k, events, total }) => `${k} ${events} ${total}`)
    .sort()
  const recounted = ['k0', 'k1', 'k2'].map((key) => {
    const own = clicks.filter(({ k }) => k === key)
    return `${key} ${own.length} ${own.reduce((sum, { n }) => sum + n, 0)}`
  })
  assert.deepEqual(totals, recounted, `${where}: upserts`)
}

function fileLines({ files }: SimulatedPorts, directory: string): readonly string[] {
  return files
    .list(directory)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => new TextDecoder().decode(files.contents(`${directory}/${name}`)).split('\n'))
    .filter((line) => line !== '')
}

async function objectLines(ports: SimulatedPorts, url: string): Promise<readonly string[]> {
  const store = ports.objects(url)
  const texts: string[] = []
  for await (const { key } of store.list(''))
    if (!key.startsWith('.')) texts.push(new TextDecoder().decode(await store.get(key)))
  return texts.flatMap((text) => text.split('\n')).filter((line) => line !== '')
}

/** Those that the sources write out; of files that are written and renamed, what their callers call them. */
function namedPoints(): readonly string[] {
  const texts = globSync('src/**/*.ts')
    .filter((path) => !path.endsWith('.test.ts') && !path.startsWith('src/testing/'))
    .map((path) => readFileSync(path, 'utf8'))
  return [
    ...new Set(
      texts.flatMap((text) =>
        [...text.matchAll(/faultPoint\('([^']+)'\)/g)].map(([, name]) => name!),
      ),
    ),
  ].sort()
}
