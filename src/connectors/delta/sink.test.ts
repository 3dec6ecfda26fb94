import assert from 'node:assert/strict'
import test from 'node:test'
import type { Plain } from '../../../test/builders/batch.ts'
import { openRun, readTable, type TableSetup, writeTable } from '../../../test/builders/delta.ts'
import { type Schema, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { commitText } from '../../lakehouse/delta/actions.ts'
import { loadSnapshot } from '../../lakehouse/delta/log.ts'
import { commitKey } from '../../lakehouse/delta/log-files.ts'
import { schemaText } from '../../lakehouse/delta/table-schema.ts'
import { simulatedPorts } from '../../testing/ports.ts'

const schema: Schema = [
  { name: 'id', type: types.bigint },
  { name: 'text', type: types.string },
]
const path = '/lake/t'

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

test('a column that another writer changed under a running pipeline is named, one that it added is not in the way', async () => {
  for (const [schemaString, kind] of [
    [schemaText([schema[0]!, { name: 'text', type: types.int }]), 'refused'],
    [schemaText([...schema, { name: 'new', type: types.int }]), 'committed'],
  ] as const) {
    const ports = simulatedPorts(1)
    const run = await openRun({ ports, path, schema })
    const store = ports.objects(path)
    const { metadata } = (await loadSnapshot(store))!
    const change = commitText([{ metaData: { ...metadata, schemaString } }])
    await store.put(commitKey(1), new TextEncoder().encode(change))
    run.write([[1n, 'x']])
    const outcome = await run.checkpoint()
    assert.equal(outcome.kind, kind)
    if (outcome.kind === 'refused')
      assert.match(outcome.reason, /'text' is string here and integer/)
  }
})

test('another pipeline of the same name is found out by the positions it leaves', async () => {
  const ports = simulatedPorts(1)
  const run = await openRun({ ports, path, schema })
  const store = ports.objects(path)
  const domainMetadata = { domain: 'millrace.test', configuration: '{}', removed: false }
  const theirs = new TextEncoder().encode(commitText([{ domainMetadata }]))
  await store.put(commitKey(1), theirs)
  run.write([[1n, 'x']])
  const outcome = await run.checkpoint()
  assert.match(outcome.kind === 'refused' ? outcome.remedy : '', /pipeline\.name of its own/)
})

test('more partitions than files may be open at once lose no row', async () => {
  const ports = simulatedPorts(1)
  const setup: TableSetup = { ports, path, schema, partitionedBy: ['text'] }
  const rows = Array.from({ length: 300 }, (_, at): Plain[] => [BigInt(at), `p${at % 100}`])
  await writeTable(setup, rows)
  assert.deepEqual(sorted(await readTable(setup)), sorted(rows))
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

test('files that another tool rewrote are merged whole, and come back into buckets', async () => {
  const ports = simulatedPorts(1)
  const setup: TableSetup = {
    ports,
    path,
    schema,
    mode: 'upsert',
    primaryKey: ['id'],
    options: { 'sink.buckets': '4' },
  }
  const run = await openRun(setup)
  run.write(Array.from({ length: 20 }, (_, id): Plain[] => [BigInt(id), 'old']))
  await run.checkpoint()
  const store = ports.objects(path)
  const { files, version } = (await loadSnapshot(store))!
  const untagged = [...files.values()].slice(0, 2).map(({ tags: _, ...add }) => ({ add }))
  await store.put(commitKey(version + 1), new TextEncoder().encode(commitText(untagged)))
  run.write([[3n, 'new']])
  assert.equal((await run.checkpoint()).kind, 'committed')
  const expected = Array.from({ length: 20 }, (_, id) => [BigInt(id), id === 3 ? 'new' : 'old'])
  assert.deepEqual(sorted(await readTable(setup)), sorted(expected))
  const after = (await loadSnapshot(store))!
  assert.deepEqual(
    [...after.files.values()].filter(({ tags }) => tags === undefined),
    [],
  )
})

test('an upsert refuses a NULL for a NOT NULL column at once, but deletes by key alone', async () => {
  const ports = simulatedPorts(1)
  const strict: Schema = [schema[0]!, { name: 'text', type: withNullability(types.string, false) }]
  const setup = { ports, path, schema: strict, mode: 'upsert', primaryKey: ['id'] } as const
  const run = await openRun(setup)
  run.write([[1n, 'a']])
  assert.throws(() => run.write([[2n, null]]), refusal('NULL_REFUSED', /'text'/))
  run.write([[1n, null]], { kinds: ['-D'] })
  assert.equal((await run.checkpoint()).kind, 'committed')
  assert.deepEqual(await readTable(setup), [])
})

test('two sinks that commit under one name are found out, and no row is taken for committed', async () => {
  const ports = simulatedPorts(1)
  const [one, two] = [
    await openRun({ ports, path, schema }),
    await openRun({ ports, path, schema }),
  ]
  one.write([[1n, 'a']])
  two.write([[2n, 'b']])
  assert.equal((await one.checkpoint()).kind, 'committed')
  const outcome = await two.checkpoint()
  assert.match(
    outcome.kind === 'refused' ? outcome.reason : '',
    /is committed .* but without the file/,
  )
})

test('a checkpoint without rows makes no version', async () => {
  const ports = simulatedPorts(1)
  const run = await openRun({ ports, path, schema })
  assert.equal((await run.checkpoint()).kind, 'committed')
  run.write([])
  assert.equal((await run.checkpoint()).kind, 'committed')
  assert.equal((await loadSnapshot(ports.objects(path)))?.version, 0)
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
