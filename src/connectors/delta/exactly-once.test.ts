import assert from 'node:assert/strict'
import test from 'node:test'
import type { Plain, RowKindText } from '../../../test/builders/batch.ts'
import { openRun, readTable, type TableSetup } from '../../../test/builders/delta.ts'
import { fc } from '../../../test/builders/properties.ts'
import { type Schema, types } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { loadSnapshot } from '../../lakehouse/delta/log.ts'
import type { Ports } from '../../ports/ports.ts'
import { faultyObjects } from '../../testing/objects.ts'
import { SimulatedCrash, simulatedPorts } from '../../testing/ports.ts'
import type { Committable } from '../contract/sink.ts'
import { committedPositions } from './positions.ts'

const schema: Schema = [
  { name: 'id', type: types.bigint },
  { name: 'text', type: types.string },
]
const path = '/lake/t'

test('writers of one table, over a store that loses answers, bring each row exactly once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const ports = simulatedPorts(seed)
      const faulty: Ports = {
        ...ports,
        objects: (url) =>
          faultyObjects(ports.objects(url), ports.random, { ambiguous: 0.3, failing: 0.02 }),
      }
      const pipelines = ['a', 'b', 'c']
      const options = { 'checkpoint-interval': '3', 'sink.compact': 'true' }
      await Promise.all(
        pipelines.map((pipeline) =>
          stubborn((incarnation, state: PipelineState) =>
            runPipeline({ ports: faulty, path, schema, pipeline, options }, incarnation, state),
          ),
        ),
      )
      const rows = await readTable({ ports, path, schema })
      const expected = pipelines.flatMap((pipeline) => rowsOfPipeline(pipeline))
      assert.deepEqual(sorted(rows), sorted(expected))
      const snapshot = await loadSnapshot(ports.objects(path))
      for (const pipeline of pipelines) {
        const { positions } = committedPositions(snapshot!, pipeline)!
        assert.deepEqual(positions, { source: { 0: { readTo: String(ROUNDS) } } })
      }
    }),
    { numRuns: 10 },
  )
})

const POINTS = [
  'delta-create-before',
  'delta-create-after',
  'delta-prepare-before',
  'delta-file-close-before',
  'delta-file-close-after',
  'delta-prepare-after',
  'delta-stage-before',
  'delta-stage-after',
  'delta-commit-before',
  'delta-commit-after',
  'delta-checkpoint-before',
  'delta-checkpoint-hint',
  'delta-unstage',
  'delta-compact-before',
  'delta-log-cleanup',
  'delta-vacuum',
]

for (const mode of ['append', 'upsert'] as const) {
  test(`a crash at any point of an ${mode} leaves each row exactly once`, async () => {
    const crashed = new Set<string>()
    for (const point of POINTS) {
      for (const kind of ['kill', 'power'] as const) {
        for (const nth of [1, 2, 5]) {
          const ports = simulatedPorts(nth)
          ports.crashAt(point, nth, kind)
          const setup: TableSetup = {
            ports,
            path,
            schema,
            pipeline: 'a',
            mode,
            primaryKey: mode === 'upsert' ? ['id'] : [],
            options: {
              'checkpoint-interval': '2',
              'sink.buckets': '3',
              'sink.compact': 'true',
              'sink.vacuum-retention': '1 h',
              'delta.logRetentionDuration': 'interval 1 day',
            },
          }
          const crashes = await stubborn((incarnation, state: PipelineState) =>
            runPipeline(setup, incarnation, state, () => ports.clock.advance(DAY_MS)),
          )
          if (crashes > 0) crashed.add(point)
          const rows = await readTable({ ports, path, schema })
          assert.deepEqual(sorted(rows), sorted(rowsOfPipeline('a')), `${kind} at ${point} ${nth}`)
        }
      }
    }
    const unreached = POINTS.filter((point) => !crashed.has(point))
    const other = ['delta-stage-before', 'delta-stage-after', 'delta-unstage']
    assert.deepEqual(
      unreached,
      mode === 'append'
        ? other
        : ['delta-prepare-before', 'delta-prepare-after', 'delta-compact-before'],
    )
  })
}

test('a power cut takes no partition whose rows were committed or prepared, nor its folder', async () => {
  for (const point of ['delta-prepare-after', 'delta-commit-before', 'delta-commit-after']) {
    for (let nth = 1; nth <= ROUNDS; nth++) {
      const ports = simulatedPorts(nth)
      ports.crashAt(point, nth, 'power')
      const setup: TableSetup = { ports, path, schema, pipeline: 'a', partitionedBy: ['text'] }
      const crashes = await stubborn((incarnation, state: PipelineState) =>
        runPipeline(setup, incarnation, state),
      )
      assert.equal(crashes, 1)
      const rows = await readTable(setup)
      assert.deepEqual(sorted(rows), sorted(rowsOfPipeline('a')), `${point} ${nth}`)
    }
  }
})

test('an upsert equals a map, however its changes are cut into commits', async () => {
  const change = fc.record({
    id: fc.bigInt({ min: 0n, max: 12n }),
    kind: fc.constantFrom<RowKindText>('+I', '+U', '-U', '-D'),
    text: fc.option(fc.string()),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
      async (commits, buckets) => {
        const ports = simulatedPorts(1)
        const setup: TableSetup = {
          ports,
          path,
          schema,
          mode: 'upsert',
          primaryKey: ['id'],
          options: { 'sink.buckets': String(buckets), 'sink.file-size': '1kb' },
        }
        const run = await openRun(setup)
        const expected = new Map<bigint, Plain[]>()
        for (const changes of commits) {
          run.write(
            changes.map(({ id, text }) => [id, text]),
            { kinds: changes.map(({ kind }) => kind) },
          )
          assert.equal((await run.checkpoint()).kind, 'committed')
          for (const { id, kind, text } of changes) {
            if (kind === '-D') expected.delete(id)
            else if (kind !== '-U') expected.set(id, [id, text])
          }
        }
        assert.deepEqual(sorted(await readTable(setup)), sorted([...expected.values()]))
      },
    ),
    { numRuns: 60 },
  )
})

test('files whose commit lost its answer are not added again under a later checkpoint', async () => {
  const ports = simulatedPorts(1)
  const run = await openRun({ ports, path, schema })
  run.write([[1n, 'x']])
  const first = await run.prepare()
  const request = { pipeline: 'test', positions: {} }
  await run.committer.commit({ ...request, ...first })
  run.write([[2n, 'y']])
  const second = await run.prepare()
  const committables = [...first.committables, ...second.committables]
  await run.committer.commit({ ...request, ...second, committables })
  assert.deepEqual(sorted(await readTable({ ports, path, schema })), [
    [1n, 'x'],
    [2n, 'y'],
  ])
})

test('a full disk is told as such, and the rows come once there is room', async () => {
  const ports = simulatedPorts(1)
  let failures = 0
  await stubborn(async (incarnation, state: PipelineState) => {
    if (incarnation === 1)
      ports.files.fail({ call: 'write', code: 'ENOSPC', nth: 5, forever: true })
    else ports.files.heal()
    try {
      await runPipeline({ ports, path, schema, pipeline: 'a' }, incarnation, state)
    } catch (error) {
      failures++
      refusal('STORE_FULL', /no space is left/)(error)
      throw error
    }
  })
  assert.equal(failures, 1)
  assert.deepEqual(sorted(await readTable({ ports, path, schema })), sorted(rowsOfPipeline('a')))
})

const ROUNDS = 10
const DAY_MS = 86_400_000

interface PipelineState {
  /** As the checkpoint's manifest keeps it: durable before commit. */
  manifest?: {
    readonly checkpoint: { readonly incarnation: number; readonly counter: number }
    readonly committables: readonly Committable[]
    readonly readTo: number
  }
  committedTo: number
}

function rowsOfPipeline(pipeline: string): Plain[][] {
  return Array.from({ length: ROUNDS }, (_, round) => rowsOfRound(pipeline, round)).flat()
}

function rowsOfRound(pipeline: string, round: number): Plain[][] {
  const base = pipeline.charCodeAt(0) * 1000 + round * 10
  return [0, 1, 2].map((at) => [BigInt(base + at), `${pipeline}${round}`])
}

/** Runs to the end, from what the manifest says, as the engine does after a restart. */
async function runPipeline(
  setup: TableSetup,
  incarnation: number,
  state: PipelineState,
  afterCommit: () => Promise<void> = async () => {},
): Promise<void> {
  const run = await openRun(setup, incarnation)
  const commit = async () => {
    const { manifest } = state
    if (manifest === undefined) return
    const { checkpoint, committables, readTo } = manifest
    const positions = { source: { 0: { readTo: String(readTo) } } }
    for (;;) {
      const request = { pipeline: setup.pipeline!, checkpoint, committables, positions }
      const outcome = await run.committer.commit(request)
      assert.notEqual(outcome.kind, 'refused', JSON.stringify(outcome))
      if (outcome.kind === 'committed') break
    }
  }
  await commit()
  for (let round = state.manifest?.readTo ?? 0; round < ROUNDS; round++) {
    run.write(rowsOfRound(setup.pipeline!, round))
    const { checkpoint, committables } = await run.prepare()
    state.manifest = { checkpoint, committables, readTo: round + 1 }
    await commit()
    await afterCommit()
  }
  await run.writer.close()
}

/** Starts again, as a new incarnation, after every crash and failure of the outside; answers how often. */
async function stubborn(
  body: (incarnation: number, state: PipelineState) => Promise<void>,
): Promise<number> {
  const state: PipelineState = { committedTo: 0 }
  for (let incarnation = 1; ; incarnation++) {
    try {
      await body(incarnation, state)
      return incarnation - 1
    } catch (error) {
      const isExpected =
        error instanceof SimulatedCrash || (error instanceof MillraceError && error.retryable)
      if (!isExpected || incarnation > 200) throw error
    }
  }
}

function sorted(rows: readonly (readonly Plain[])[]): readonly (readonly Plain[])[] {
  const text = (row: readonly Plain[]) => row.map(String).join('\0')
  return rows.toSorted((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0))
}

function refusal(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof MillraceError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  }
}
