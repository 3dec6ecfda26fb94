import assert from 'node:assert/strict'
import test from 'node:test'
import { MillraceError } from '../errors.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from '../testing/ports.ts'
import { type CheckpointStore, openCheckpointStore } from './checkpoint-store.ts'
import { openSnapshot } from './snapshot-reader.ts'
import { createSnapshotWriter } from './snapshot-writer.ts'

const DIRECTORY = '/data/pipelines/p'
const GROUPS = { groupStart: 0, groupEnd: 128 }
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 4)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)

type Entries = Map<string, string>

test('after a crash anywhere the newest durable checkpoint is there whole, and no incarnation comes again', async () => {
  const points = await pointsPassed()
  assert.ok(points.length >= 8, points.join())
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    for (const kind of ['kill', 'power'] as const) {
      for (const point of points) {
        for (const nth of [1, 2, 5]) await crashAndReopen(seed, point, nth, kind)
      }
    }
  }
})

test('a chain that is merged keeps exactly what lives', async () => {
  const ports = simulatedPorts(FIRST_SEED)
  const store = await open(ports)
  const live: Entries = new Map()
  let files = 0
  for (let counter = 1; counter <= 80; counter++) {
    await checkpoint(ports, store, counter, live)
    assert.deepEqual(stateOf(ports, store), live)
    files = Math.max(files, store.latest!.chains[0]!.files.length)
  }
  assert.ok(ports.passed.get('state-merged')! > 0)
  assert.ok(files <= 32)
})

test('what no manifest names is removed and what one names is not', async () => {
  const ports = simulatedPorts(FIRST_SEED)
  const store = await open(ports)
  const live: Entries = new Map()
  for (let counter = 1; counter <= 70; counter++) await checkpoint(ports, store, counter, live)
  const named = store.latest!.chains[0]!.files.map(({ name }) => name)
  const own = ports.files.list(store.stateDirectory).filter((name) => !named.includes(name))
  assert.ok(
    own.every((name) => name.startsWith('0000000001-0000000070')),
    own.join(),
  )
  for (const name of named) assert.ok(ports.files.exists(`${store.stateDirectory}/${name}`))
  assert.equal(ports.files.list(`${DIRECTORY}/manifests`).length, 1)
})

test('a damaged byte in a manifest or a state file is refused with its file, never read', async () => {
  const ports = simulatedPorts(FIRST_SEED)
  const first = await open(ports)
  const live: Entries = new Map()
  for (let counter = 1; counter <= 3; counter++) await checkpoint(ports, first, counter, live)
  const manifest = `${DIRECTORY}/manifests/${ports.files.list(`${DIRECTORY}/manifests`)[0]}`
  const states = first.latest!.chains[0]!.files.map(({ name }) => `${first.stateDirectory}/${name}`)
  for (const path of [manifest, ...states]) {
    const bytes = ports.files.contents(path).length
    // Only the magic at a state file's head is not read.
    for (let at = path === manifest ? 0 : 8; at < bytes; at++) {
      ports.files.flip(path, at)
      await assert.rejects(
        async () => stateOf(ports, await open(ports)),
        (error) =>
          error instanceof MillraceError &&
          error.code === 'CHECKPOINT_CORRUPT' &&
          error.message.includes(path),
        `byte ${at} of ${path}`,
      )
      ports.files.flip(path, at)
    }
  }
  assert.deepEqual(stateOf(ports, await open(ports)), live)
})

test('a savepoint is taken up by another pipeline after its origin went on', async () => {
  const ports = simulatedPorts(FIRST_SEED)
  const store = await open(ports)
  const live: Entries = new Map()
  for (let counter = 1; counter <= 4; counter++) await checkpoint(ports, store, counter, live)
  const saved = new Map(live)
  assert.deepEqual(await store.copyTo('/saved/s'), { incarnation: 1, counter: 4 })
  await checkpoint(ports, store, 5, live)
  ports.files.crash('power')
  const adopted = await open(ports, { savepoint: '/saved/s' })
  assert.deepEqual(stateOf(ports, adopted), saved)
  assert.equal(adopted.incarnation, 2)
})

test('a start that forgets all checkpoints takes a new incarnation', async () => {
  const ports = simulatedPorts(FIRST_SEED)
  await checkpoint(ports, await open(ports), 1, new Map())
  const fresh = await open(ports, { fresh: true })
  assert.equal(fresh.latest, undefined)
  assert.equal(fresh.incarnation, 2)
})

test('a full, read-only or failing disk fails the checkpoint and leaves the last one', async () => {
  const calls = ['open', 'write', 'sync', 'rename', 'sync-directory'] as const
  for (const call of calls) {
    for (const code of ['ENOSPC', 'EROFS', 'EIO'] as const) {
      for (const nth of [1, 2]) {
        const ports = simulatedPorts(FIRST_SEED)
        const store = await open(ports)
        const live: Entries = new Map()
        await checkpoint(ports, store, 1, live)
        const before = new Map(live)
        ports.files.fail({ call, code, nth })
        const failure = await checkpoint(ports, store, 2, live).catch((error: unknown) => error)
        ports.files.heal()
        if (failure !== undefined) {
          assert.ok(failure instanceof MillraceError, String(failure))
          assert.equal(failure.code, 'CHECKPOINT_FAILED', `${call} ${code} ${nth}`)
        }
        const again = await open(ports)
        const isSecond = again.latest!.checkpoint.counter === 2
        assert.deepEqual(stateOf(ports, again), isSecond ? live : before)
      }
    }
  }
})

async function pointsPassed(): Promise<string[]> {
  const ports = simulatedPorts(FIRST_SEED)
  const store = await open(ports)
  for (let counter = 1; counter <= 40; counter++) await checkpoint(ports, store, counter, new Map())
  return [...ports.passed.keys()]
}

async function crashAndReopen(
  seed: number,
  point: string,
  nth: number,
  kind: 'kill' | 'power',
): Promise<void> {
  const ports = simulatedPorts(seed)
  const incarnations = new Set<number>()
  /** By id: what a checkpoint that was begun holds. */
  const begun = new Map<string, Entries>()
  let durable = ''
  const where = `MILLRACE_SEED=${seed}: ${kind} at ${point}, ${nth}`
  for (let life = 0; life < 3; life++) {
    if (life < 2) ports.crashAt(point, nth, kind)
    else ports.disarm()
    try {
      const store = await open(ports)
      assert.ok(!incarnations.has(store.incarnation), `${where}: incarnation ${store.incarnation}`)
      incarnations.add(store.incarnation)
      const at = idOf(store)
      assert.ok(at >= durable, `${where}: ${at} was taken up, ${durable} is durable`)
      const live = new Map(at === '' ? [] : begun.get(at))
      assert.deepEqual(stateOf(ports, store), live, where)
      const count = point === 'state-merged' ? 36 : 6
      for (let counter = 1; counter <= count; counter++) {
        await checkpoint(ports, store, counter, live, (id) => begun.set(id, new Map(live)))
        durable = idOf(store)
      }
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw new Error(where, { cause: error })
    }
  }
}

function idOf({ latest }: CheckpointStore): string {
  return latest === undefined ? '' : textOf(latest.checkpoint)
}

function textOf({ incarnation, counter }: { incarnation: number; counter: number }): string {
  return `${String(incarnation).padStart(5, '0')}-${String(counter).padStart(5, '0')}`
}

function open(
  ports: SimulatedPorts,
  options: { fresh?: boolean; savepoint?: string } = {},
): Promise<CheckpointStore> {
  return openCheckpointStore({
    ports,
    directory: DIRECTORY,
    pipeline: 'p',
    fresh: false,
    ...options,
  })
}

/** Changes a few entries, writes the change and confirms it. */
async function checkpoint(
  ports: SimulatedPorts,
  store: CheckpointStore,
  counter: number,
  live: Entries,
  begin: (id: string) => void = () => {},
): Promise<void> {
  const writer = createSnapshotWriter()
  writer.operator('o').table('t', (sink) => {
    // The first of a life goes on from the files before it.
    for (let change = 0; change < 4; change++) {
      const key = String(ports.random.below(12))
      if (ports.random.below(3) === 0) {
        live.delete(key)
        sink.remove(Number(key), bytesOf(key))
      } else {
        const value = `${store.incarnation} ${counter} ${change}`
        live.set(key, value)
        sink.put(Number(key), bytesOf(key), bytesOf(value))
      }
    }
  })
  const id = { incarnation: store.incarnation, counter }
  begin(textOf(id))
  const contents = {
    checkpoint: id,
    planFingerprint: '',
    operators: [{ id: 'o', name: 'o' }],
    positions: {},
    prepared: {},
    snapshots: [writer.finish(GROUPS.groupStart, GROUPS.groupEnd)],
    ended: false,
  }
  await store.write(contents, { committables: {}, committed: {} })
  await store.confirm(id)
}

function stateOf(ports: SimulatedPorts, { latest, stateDirectory }: CheckpointStore): Entries {
  const found: Entries = new Map()
  if (latest === undefined) return found
  const reader = openSnapshot(ports.files, stateDirectory, latest.chains, GROUPS)
  reader.operator('o').table('t', (_group, key, value) => found.set(textIn(key), textIn(value)))
  return found
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function textIn(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
