/**
 * Histories from seeds: several workers in any order over rings of one batch or less, rows that come while they run, a slow and failing
 * object store, disks that fail, fill and tear, crashes anywhere, and lives of other numbers of workers. In the end every event is
 * there once.
 *
 *   MILLRACE_HISTORIES=1000 node scripts/test.ts test/simulate/chaos     more of them; one that fails is told with its seed
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { maintainOnce } from '../../src/connectors/log/maintain.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { type EventLog, openLog } from '../../src/log/log.ts'
import type { Ports } from '../../src/ports/ports.ts'
import type { Outcome } from '../../src/run/handle.ts'
import type { FailureRule } from '../../src/testing/files.ts'
import { faultyObjects } from '../../src/testing/objects.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { type SimulatedRandom, simulatedRandom } from '../../src/testing/random.ts'
import { clickSql, clickText, holdAllOnce } from './clicks.ts'
import { deltaRows } from './lake.ts'
import { DATA, type Life, live, topicTexts } from './lives.ts'
import { eachSeed } from './seeds.ts'

const PARTITIONS = 4
const EVENTS = 240
const LIVES_MAX = 5
const HISTORIES = Number(process.env.MILLRACE_HISTORIES ?? 15)
const SQL = clickSql({ path: '/lake/sums' })
const TOPIC = { 'segment.bytes': '1024', 'retention.bytes': '0' }
/** What may end a life beside a crash: the outside's refusals, never a mistake of ours or damage that was not done. */
const PASSING = new Set<ErrorCode>([
  'CHECKPOINT_FAILED',
  'LOG_FSYNC_FAILED',
  'LOG_WRITE_FAILED',
  'STORE_DENIED',
  'STORE_FAILED',
  'STORE_FULL',
])

test('whatever befalls a pipeline, in whatever order its workers come, every event is there once', async () => {
  const points = await pointsOfALife()
  await eachSeed(HISTORIES, (seed) => history(seed, points))
})

/** Every point that a life passes, and how often: where it may crash. */
async function pointsOfALife(): Promise<[string, number][]> {
  const ports = simulatedPorts(1)
  const feed = feeder(simulatedRandom(1), EVENTS)
  await live(ports, { sql: SQL, workers: 2, until: 'now', meanwhile: feed.meanwhile })
  await feed.rest(ports)
  await live(ports, { sql: SQL, until: 'end' })
  return [...ports.passed]
}

async function history(seed: number, points: readonly [string, number][]): Promise<void> {
  const ports = simulatedPorts(seed)
  const random = simulatedRandom(seed ^ 0xc4a05)
  const feed = feeder(random, EVENTS)
  await feed.some(ports, 20)
  for (let lives = 1 + random.below(LIVES_MAX); lives > 0; lives--) {
    const ending = random.pick(['now', 'crash', 'fault', 'store'] as const)
    if (ending === 'crash') {
      const [point, passed] = random.pick(points)
      const nth = 1 + random.below(Math.max(1, Math.min(6, passed >> 2)))
      ports.crashAt(point, nth, random.pick(['kill', 'power']))
    }
    if (ending === 'fault') ports.files.fail(fault(random))
    if (random.below(4) === 0) ports.files.slowSync = () => ports.clock.sleep(random.below(4))
    const outcome = await live(ports, {
      ...chosen(ports, random),
      ...(random.below(2) === 0
        ? { until: 'now', meanwhile: feed.meanwhile }
        : { meanwhile: stoppedAfter(20 + random.below(60), feed) }),
      ...(ending === 'store' ? { objects: farAway(ports, random) } : {}),
    })
    ports.disarm()
    ports.files.heal()
    ports.files.slowSync = undefined
    mayEnd(outcome)
    feed.forget()
    if (random.below(3) === 0) await feed.some(ports, 50)
    // Before all partitions have been opened once, nobody has asked retention to keep what is there.
    if (random.below(2) === 0 && ports.passed.has('checkpoint-prepare')) await maintain(ports)
  }
  await feed.rest(ports)
  const last: Life = { ...chosen(ports, random), until: 'end' }
  assert.deepEqual(await live(ports, last), { kind: 'finished', because: 'end' })
  const rows = await deltaRows(ports, '/lake/sums')
  const [late, dead] = [topicTexts(ports, 'sums.late'), topicTexts(ports, 'sums.dead')]
  holdAllOnce(EVENTS, { rows, late, dead }, 'in the end')
}

/** Runs on while rows come, until it is stopped. */
function stoppedAfter(ticks: number, feed: Feeder): NonNullable<Life['meanwhile']> {
  let left = ticks
  return (run, ports) => {
    if (left-- === 0) void run.stop()
    return left > 0 ? feed.meanwhile(run, ports) : undefined
  }
}

function mayEnd(outcome: Outcome | 'crashed'): void {
  if (outcome === 'crashed' || outcome.kind === 'finished') return
  assert.equal(outcome.kind, 'failed', JSON.stringify(outcome))
  const { error } = outcome as Extract<Outcome, { kind: 'failed' }>
  if (!PASSING.has(error.code)) throw error
}

function chosen(ports: SimulatedPorts, random: SimulatedRandom): Life {
  return {
    sql: SQL,
    workers: random.pick([1, 2, 2, 3, 4]),
    interleaving: {
      ringBytes: random.pick([16, 256, 4096]),
      rowsMax: random.pick([1, 3, 50]),
      turn: (workers) => ports.random.below(workers),
    },
  }
}

function fault(random: SimulatedRandom): FailureRule {
  return {
    call: random.pick(['write', 'write', 'sync', 'open', 'rename', 'sync-directory', 'link']),
    code: random.pick(['ENOSPC', 'EIO', 'EROFS']),
    nth: 1 + random.below(60),
    forever: random.below(3) === 0,
    bytesWritten: random.below(40),
  }
}

function farAway(ports: SimulatedPorts, random: SimulatedRandom): NonNullable<Life['objects']> {
  const faults = { ambiguous: 0.1, failing: 0.01, slow: () => ports.clock.sleep(random.below(5)) }
  return (store) => faultyObjects(store, random, faults)
}

async function maintain(ports: SimulatedPorts): Promise<void> {
  await maintainOnce(ports, DATA).catch((error: unknown) => {
    if (!(error instanceof SimulatedCrash)) throw error
  })
}

interface Feeder {
  /** Appends a click now and then, as the process that runs the pipeline may do. */
  meanwhile(run: unknown, ports: Ports): Promise<void>
  /** So many more, in a process of their own. */
  some(ports: Ports, count: number): Promise<void>
  /** All that are left. */
  rest(ports: Ports): Promise<void>
  /** The process is gone, and with it what it had open. */
  forget(): void
}

/** An idempotent producer: each click of a partition is one sequence number, tried until it is there. */
function feeder(random: SimulatedRandom, events: number): Feeder {
  let log: EventLog | undefined
  let next = 0
  const append = async (ports: Ports): Promise<void> => {
    if (log === undefined) {
      log = openLog({ ports, dataDirectory: DATA })
      await log.recover()
      if (log.topic('clicks') === undefined) {
        await log.createTopic('clicks', { partitions: PARTITIONS, settings: TOPIC })
      }
      next = await firstMissing(log)
    }
    if (next >= events) return
    const record = { value: new TextEncoder().encode(clickText(next)) }
    const sequence = Math.floor(next / PARTITIONS)
    await log.append('clicks', next % PARTITIONS, [record], { producerId: 7, epoch: 0, sequence })
    next++
  }
  const some = async (ports: Ports, count: number): Promise<void> => {
    for (let done = 0; done < count; done++) await append(ports)
    await log?.close()
    log = undefined
  }
  return {
    async meanwhile(_run, ports) {
      if (random.below(3) !== 0) return
      try {
        await append(ports)
      } catch {
        // Not answered: whether it is there is asked again.
        log = undefined
      }
    },
    some,
    rest: (ports) => some(ports, events),
    forget() {
      log = undefined
    },
  }
}

/** Clicks go to the partitions in turn, so all before the least missing one are there. */
async function firstMissing(log: EventLog): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const known = await log.producer('clicks', partition, 7)
    least = Math.min(least, ((known?.lastSequence ?? -1) + 1) * PARTITIONS + partition)
  }
  return least
}
