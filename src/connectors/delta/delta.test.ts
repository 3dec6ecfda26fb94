import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { Plain, RowKindText } from '../../../test/builders/batch.ts'
import { openRun, readTable, type TableSetup, writeTable } from '../../../test/builders/delta.ts'
import { faultyObjects } from '../../../test/simulate/objects.ts'
import { SimulatedCrash, simulatedPorts } from '../../../test/simulate/ports.ts'
import { type Schema, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { loadSnapshot } from '../../lakehouse/delta/log.ts'
import type { Ports } from '../../ports/ports.ts'
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
    { numRuns: 25 },
  )
})

const POINTS = [
  'delta-prepare-before',
  'delta-file-close-before',
  'delta-file-close-after',
  'delta-prepare-after',
  'delta-stage-before',
  'delta-stage-after',
  'delta-commit-before',
  'delta-commit-after',
  'delta-checkpoint-before',
  'delta-compact-before',
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
            options: { 'checkpoint-interval': '2', 'sink.buckets': '3', 'sink.compact': 'true' },
          }
          const crashes = await stubborn((incarnation, state: PipelineState) =>
            runPipeline(setup, incarnation, state),
          )
          if (crashes > 0) crashed.add(point)
          const rows = await readTable({ ports, path, schema })
          assert.deepEqual(sorted(rows), sorted(rowsOfPipeline('a')), `${kind} at ${point} ${nth}`)
        }
      }
    }
    const unreached = POINTS.filter((point) => !crashed.has(point))
    const other = ['delta-stage-before', 'delta-stage-after']
    assert.deepEqual(
      unreached,
      mode === 'append'
        ? other
        : ['delta-prepare-before', 'delta-prepare-after', 'delta-compact-before'],
    )
  })
}

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

test('a run that another has overtaken is refused, and nothing of it becomes visible', async () => {
  const ports = simulatedPorts(1)
  const setup: TableSetup = { ports, path, schema }
  const old = await openRun(setup, 1)
  const young = await openRun(setup, 2)
  young.write([[1n, 'young']])
  await young.checkpoint()
  old.write([[2n, 'old']])
  const outcome = await old.checkpoint()
  assert.equal(outcome.kind, 'refused')
  assert.match(
    outcome.kind === 'refused' ? outcome.reason : '',
    /another run of 'millrace\.test\.sink'/,
  )
  assert.deepEqual(await readTable(setup), [[1n, 'young']])
  assert.deepEqual(await old.committer.lastCommitted('test'), { incarnation: 2, counter: 1 })
  assert.equal(await old.committer.lastCommitted('other'), undefined)
})

test('a table dropped under a running pipeline is refused with a remedy, made again or not', async () => {
  for (const again of [false, true]) {
    const ports = simulatedPorts(1)
    const run = await openRun({ ports, path, schema })
    run.write([[1n, 'x']])
    const prepared = await run.prepare()
    ports.files.remove(path)
    if (again) await writeTable({ ports, path, schema, pipeline: 'other' }, [[2n, 'y']])
    const outcome = await run.committer.commit({ pipeline: 'test', positions: {}, ...prepared })
    assert.equal(outcome.kind, 'refused')
    assert.match(outcome.kind === 'refused' ? outcome.reason : '', again ? /made again/ : /dropped/)
  }
})

test('prepared files that a vacuum took are refused by name', async () => {
  const ports = simulatedPorts(1)
  const run = await openRun({ ports, path, schema })
  run.write([[1n, 'x']])
  const prepared = await run.prepare()
  for (const name of ports.files.list(path)) {
    if (name.endsWith('.parquet')) ports.files.remove(`${path}/${name}`)
  }
  const outcome = await run.committer.commit({ pipeline: 'test', positions: {}, ...prepared })
  assert.match(
    outcome.kind === 'refused' ? outcome.reason : '',
    /'part-00000-.*\.parquet'.* is gone/,
  )
})

test('columns that do not fit are refused at the start, each with both types', async () => {
  const ports = simulatedPorts(1)
  await writeTable({ ports, path, schema })
  const wrong: Schema = [
    { name: 'id', type: types.string },
    { name: 'TEXT', type: types.string },
    { name: 'more', type: types.date },
  ]
  await assert.rejects(openRun({ ports, path, schema: wrong }), (error) => {
    assert.ok(error instanceof MillraceError && error.code === 'DELTA_SCHEMA_MISMATCH')
    assert.match(error.message, /'id' is string here and long in the table/)
    assert.match(error.message, /'TEXT' is written 'text'/)
    assert.match(error.message, /'more' is not in the table/)
    return true
  })
  await assert.rejects(
    openRun({ ports, path, schema, partitionedBy: ['text'] }),
    refusal('DELTA_SCHEMA_MISMATCH', /PARTITIONED BY \(text\) here and \(\) in the table/),
  )
})

test('columns are added only when asked', async () => {
  const ports = simulatedPorts(1)
  await writeTable({ ports, path, schema }, [[1n, 'a']])
  const wide: Schema = [...schema, { name: 'at', type: types.timestamp(3) }]
  const options = { 'schema.evolution': 'add-columns' }
  await assert.rejects(
    openRun({ ports, path, schema: wide }),
    refusal('DELTA_SCHEMA_MISMATCH', /'at'/),
  )
  const run = await openRun({ ports, path, schema: wide, options }, 2)
  run.write([[2n, 'b', 5n]])
  await run.checkpoint()
  assert.deepEqual(sorted(await readTable({ ports, path, schema: wide })), [
    [1n, 'a', null],
    [2n, 'b', 5n],
  ])
  const { protocol } = (await loadSnapshot(ports.objects(path)))!
  assert.deepEqual(protocol.readerFeatures, ['timestampNtz'])
})

test('an upsert keeps the values of columns that it does not write', async () => {
  const ports = simulatedPorts(1)
  const upsert = { ports, path, mode: 'upsert', primaryKey: ['id'] } as const
  const options = { 'sink.buckets': '1', 'schema.evolution': 'add-columns' }
  const wide: Schema = [...schema, { name: 'more', type: types.int }]
  const first = await openRun({ ...upsert, schema: wide, options }, 1)
  first.write([
    [1n, 'a', 10n],
    [2n, 'b', 20n],
  ])
  await first.checkpoint()
  const narrow = await openRun({ ...upsert, schema, options }, 2)
  narrow.write([[2n, 'c']])
  await narrow.checkpoint()
  assert.deepEqual(sorted(await readTable({ ports, path, schema: wide })), [
    [1n, 'a', 10n],
    [2n, 'c', null],
  ])
})

test('two pipelines may append to one table, but not upsert', async () => {
  const ports = simulatedPorts(1)
  const upsert = { ports, path, schema, mode: 'upsert', primaryKey: ['id'] } as const
  const run = await openRun({ ...upsert, pipeline: 'one' })
  run.write([[1n, 'a']])
  await run.checkpoint()
  await assert.rejects(
    openRun({ ...upsert, pipeline: 'two' }),
    refusal('DELTA_SCHEMA_MISMATCH', /the pipeline 'one' upserts into it/),
  )
  await assert.rejects(
    openRun({ ...upsert, pipeline: 'one', primaryKey: ['text'] }, 2),
    refusal('DELTA_SCHEMA_MISMATCH', /its key is \["id"\]/),
  )
})

test('NULL in a NOT NULL column, TIME and a missing table are refused by name', async () => {
  const ports = simulatedPorts(1)
  const strict: Schema = [{ name: 'id', type: withNullability(types.bigint, false) }]
  const run = await openRun({ ports, path, schema: strict })
  assert.throws(() => run.write([[null]]), refusal('NULL_REFUSED', /'id'/))
  await assert.rejects(
    openRun({ ports, path: '/lake/u', schema: [{ name: 'clock', type: types.time(3) }] }),
    refusal('DELTA_TYPE_UNSUPPORTED', /'clock' is of type TIME/),
  )
  await assert.rejects(
    readTable({ ports, path: '/lake/none', schema }),
    refusal('DELTA_TABLE_MISSING', /\/lake\/none/),
  )
  await assert.rejects(
    openRun({ ports, path, schema: strict, options: { 'sink.file-size': 'huge' } }),
    refusal('DELTA_OPTION_INVALID', /'sink.file-size'.*'huge'/),
  )
})

test('an older version is read as it was; one that never was is refused', async () => {
  const ports = simulatedPorts(1)
  const setup: TableSetup = { ports, path, schema }
  await writeTable(setup, [[1n, 'a']], [[2n, 'b']])
  const at = (versionAsOf: string) => readTable({ ...setup, options: { versionAsOf } })
  assert.deepEqual(await at('1'), [[1n, 'a']])
  assert.deepEqual(await at('0'), [])
  await assert.rejects(at('9'), refusal('DELTA_VERSION_MISSING', /version 9 .* reaches 2/))
})

test('small files are compacted to the same rows, and a vacuum leaves what is needed', async () => {
  const ports = simulatedPorts(1)
  const setup: TableSetup = {
    ports,
    path,
    schema,
    options: { 'sink.compact': 'true', 'sink.vacuum-retention': '0 s', 'checkpoint-interval': '2' },
  }
  const run = await openRun(setup)
  for (let commit = 0; commit < 20; commit++) {
    run.write([[BigInt(commit), 'x']])
    await run.checkpoint()
    await ports.clock.advance(1000)
  }
  assert.deepEqual(
    sorted(await readTable(setup)),
    sorted(Array.from({ length: 20 }, (_, id) => [BigInt(id), 'x'])),
  )
  const files = ports.files.list(path).filter((name) => name.endsWith('.parquet'))
  assert.ok(files.length < 12, `${files.length} files`)
})

const ROUNDS = 10

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
