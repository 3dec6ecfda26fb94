/**
 * Random appends, crashes and recoveries on simulated disks: every acknowledged record is there once, in order, and none is
 * invented. A failing seed is in the test's message, and replays.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { LinearMemory } from '../data/memory.ts'
import { MillraceError } from '../errors.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from '../testing/ports.ts'
import { verifyTopic } from './inspect.ts'
import { type EventLog, openLog } from './log.ts'
import type { FsyncPolicy } from './partition-writer.ts'
import { openReader } from './reader.ts'

const DATA = '/data'
const memory = new LinearMemory()
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 40)

test('through any crash, what was acknowledged is there once and in order, and nothing is invented', async () => {
  for (let seed = 1; seed <= SEEDS; seed++)
    await simulate(seed).catch((error) => {
      throw new Error(`seed ${seed}: ${error.stack}`, { cause: error })
    })
})

test('a crash at each fault point of the log loses nothing', async () => {
  const points = await faultPoints()
  assert.ok(points.length >= 15, `passed ${points.join(', ')}`)
  for (const point of points)
    for (const kind of ['kill', 'power'] as const)
      for (const nth of [1, 3])
        await simulate(nth * 7919, { point, nth, kind }).catch((error) => {
          throw new Error(`${kind} at ${point}, ${nth}: ${error.stack}`, { cause: error })
        })
})

interface Armed {
  readonly point: string
  readonly nth: number
  readonly kind: 'kill' | 'power'
}

interface Model {
  /** Values in order of their appends, whether or not they were answered. */
  readonly sent: string[]
  /** How many of `sent`, from the start, must be there. */
  acknowledged: number
  next: number
}

/** What is sent: batches of an idempotent producer, so that an unanswered one can be sent again. */
async function simulate(seed: number, armed?: Armed): Promise<void> {
  const ports = simulatedPorts(seed)
  const { random } = ports
  const policy: FsyncPolicy = { kind: 'batch' }
  const settings = { 'segment.bytes': '1024', 'compression.type': random.pick(['none', 'zstd']) }
  const model: Model = { sent: [], acknowledged: 0, next: 0 }
  if (armed !== undefined) ports.crashAt(armed.point, armed.nth, armed.kind)
  const lives = armed === undefined ? 5 : 3
  for (let life = 0; life < lives; life++) {
    const log = openLog({ ports, dataDirectory: DATA, fsync: policy })
    try {
      if (log.topic('t') === undefined) await log.createTopic('t', { settings })
      await resume(log, model)
      if (life < lives - 1 && armed === undefined) armRandomly(ports)
      await live(log, ports, model)
      await log.close()
    } catch (error) {
      if (!(isCrash(error) || isFailure(error))) throw error
      await log.close().catch(() => {})
      if (!isCrash(error) && random.next() < 0.5) ports.files.crash(random.pick(['kill', 'power']))
    }
    ports.files.heal()
    check(ports, model)
  }
}

/** Asks what is there, and forgets what was sent in vain: as a producer does that sends it again. */
async function resume(log: EventLog, model: Model): Promise<void> {
  const state = await log.producer('t', 0, 1)
  const there = state === undefined ? 0 : state.lastSequence + 1
  assert.ok(there >= model.acknowledged, `${there} records of ${model.acknowledged} acknowledged`)
  assert.ok(there <= model.sent.length, `${there} records of ${model.sent.length} sent`)
  model.sent.length = there
  model.acknowledged = there
}

async function live(log: EventLog, ports: SimulatedPorts, model: Model): Promise<void> {
  const { random } = ports
  const waiting: Promise<void>[] = []
  for (let step = 0; step < 30; step++) {
    const sequence = model.sent.length
    const values = Array.from(
      { length: 1 + random.below(4) },
      () => `${model.next++}${'x'.repeat(random.below(200))}`,
    )
    model.sent.push(...values)
    const end = model.sent.length
    const records = values.map((value) => ({ value: new TextEncoder().encode(value) }))
    const appending = log
      .append('t', 0, records, { producerId: 1, epoch: 0, sequence })
      .then(() => {
        model.acknowledged = Math.max(model.acknowledged, end)
      })
    // Several at once share a sync.
    waiting.push(appending)
    appending.catch(() => {})
    if (random.next() < 0.5 && (await settled(appending)) !== undefined) break
    await ports.clock.advance(random.below(1000))
    if (step % 10 === 9) check(ports, model)
  }
  // The first that failed is why the others did.
  for (const appending of waiting) {
    const failure = await settled(appending)
    if (failure !== undefined) throw failure
  }
}

function settled(promise: Promise<void>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

function armRandomly(ports: SimulatedPorts): void {
  const { random, files } = ports
  const draw = random.next()
  const nth = 1 + random.below(25)
  if (draw < 0.2) files.fail({ call: 'sync', code: 'EIO', nth })
  else if (draw < 0.4)
    files.fail({ call: 'write', code: 'ENOSPC', nth, bytesWritten: random.below(100) })
  else {
    const known = [...ports.passed.keys()]
    if (known.length > 0) ports.crashAt(random.pick(known), nth, random.pick(['kill', 'power']))
  }
}

/** Readers and the verifier agree with the model at any moment, recovered or not. */
function check(ports: SimulatedPorts, model: Model): void {
  const seen = readAll(ports)
  assert.deepEqual(seen, model.sent.slice(0, seen.length))
  // What a reader has seen is as good as acknowledged: it must never go.
  model.acknowledged = Math.max(model.acknowledged, seen.length)
  if (ports.files.exists(`${DATA}/log/topics/t.json`)) {
    const [partition] = verifyTopic(ports, DATA, 't')
    assert.deepEqual(partition!.damages, [])
  }
}

function readAll(ports: SimulatedPorts): string[] {
  if (!ports.files.exists(`${DATA}/log/topics/t.json`)) return []
  const mark = memory.arena.mark()
  const at = { topic: 't', partition: 0, startOffset: 0 }
  const reader = openReader({ ports, dataDirectory: DATA, memory, ...at })
  const values: string[] = []
  for (let read = reader.poll({ recordsMax: 50 }); read; read = reader.poll({ recordsMax: 50 }))
    for (let row = 0; row < read.count; row++) {
      const words = (read.values >> 2) + 2 * row
      const start = memory.u32[words]!
      const bytes = memory.u8.slice(start, start + memory.u32[words + 1]!)
      values.push(new TextDecoder().decode(bytes))
    }
  reader.close()
  memory.arena.release(mark)
  return values
}

async function faultPoints(): Promise<string[]> {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: DATA })
  await log.createTopic('t', { settings: { 'segment.bytes': '1024' } })
  await live(log, ports, { sent: [], acknowledged: 0, next: 0 })
  await log.close()
  return [...ports.passed.keys()]
}

function isCrash(error: unknown): boolean {
  if (error instanceof SimulatedCrash) return true
  if (error instanceof MillraceError) return isCrash(error.cause) || isDead(error.cause)
  return isDead(error)
}

/** A call on a handle from before the crash. */
function isDead(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EBADF'
}

function isFailure(error: unknown): boolean {
  if (error instanceof MillraceError)
    return error.code === 'LOG_WRITE_FAILED' || error.code === 'LOG_FSYNC_FAILED'
  return error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code))
}
