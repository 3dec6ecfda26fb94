/** delta-rs, DuckDB and Spark read what we write, and we read what they write, row for row. Fetches them at first use. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { encodeNested } from '../../src/data/nested-cells.ts'
import { type DataType, type Schema, types, withNullability } from '../../src/data/types.ts'
import { MillraceError } from '../../src/errors.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import type { Plain } from '../builders/batch.ts'
import { openRun, readTable, type TableSetup, writeTable } from '../builders/delta.ts'
import { fetchPeers, type Peer, startPeer, type Told } from './delta-peers.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-delta-'))
const ports = nodePorts()
const peers: Peer[] = []

before(() => {
  fetchPeers()
  peers.push(startPeer('delta-rs'), startPeer('duckdb'), startPeer('spark'))
})
after(() => {
  for (const peer of peers) peer.close()
  rmSync(root, { recursive: true })
})

const schema: Schema = [
  { name: 'id', type: withNullability(types.bigint, false) },
  { name: 'city', type: types.string },
  { name: 'price', type: types.decimal(10, 2) },
  { name: 'wide', type: types.decimal(38, 4) },
  { name: 'at', type: types.timestampLtz(3) },
  { name: 'local', type: types.timestamp(6) },
  { name: 'day', type: types.date },
  { name: 'flag', type: types.boolean },
  { name: 'single', type: types.float },
  { name: 'double', type: types.double },
  { name: 'raw', type: types.bytes },
  { name: 'small', type: types.smallint },
  {
    name: 'nested',
    type: {
      kind: 'row',
      nullable: true,
      fields: [
        { name: 'x', type: types.int },
        { name: 'y', type: types.string },
      ],
    },
  },
]

/** Every third value of a column is NULL, each column's in other rows. */
function sample(id: number): Plain[] {
  const n = BigInt(id)
  const row: Plain[] = [
    n,
    `city ${id % 3} æ/=%`,
    `${id}.25`,
    `-${id}.1234`,
    n * 1_000_001n - 5_000_000n,
    n * 1_000_001n - 5_000_000n,
    n * 100n - 1000n,
    id % 2 === 0,
    id / 2,
    id / 7,
    new Uint8Array([id % 256, 255]),
    -n,
    id % 4 === 1 ? [null, null] : [n, `y${id}`],
  ]
  return row.map((value, column) => (column > 0 && (id + column) % 3 === 0 ? null : value))
}

const names = (columns: Schema) => columns.map(({ name }) => name)
const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, at) => start + at)

test('all types, NULLs and negative times, over checkpoints and a cleaned-up log, are read equal', async () => {
  const setup = table('all', { options: { 'checkpoint-interval': '5' } })
  const commits = range(0, 12).map((commit) => range(commit * 8, commit * 8 + 8).map(sample))
  await writeTable(setup, ...commits)
  removeLog(setup.path, 10)
  await allRead(setup, commits.flat())
})

test('ARRAYs and MAPs, empty and NULL ones too, are read equal', async () => {
  const list: DataType = { kind: 'array', element: types.bigint, nullable: true }
  const attributes: DataType = {
    kind: 'map',
    key: withNullability(types.string, false),
    value: types.int,
    nullable: true,
  }
  const columns: Schema = [
    { name: 'id', type: types.bigint },
    { name: 'list', type: list },
    { name: 'attributes', type: attributes },
  ]
  const setup = table('nested', { schema: columns })
  const rows = range(0, 30).map((id) => [
    id % 5 === 0 ? null : range(0, id % 4).map((n) => (n === 1 ? null : BigInt(n * id))),
    id % 7 === 0
      ? null
      : range(0, id % 3).map((n) => [`k${n}`, n === 1 ? null : BigInt(id)] as const),
  ])
  const encoded = rows.map(([values, pairs], id): Plain[] => [
    BigInt(id),
    values === null ? null : encodeNested(list, values!),
    pairs === null ? null : encodeNested(attributes, pairs!),
  ])
  await writeTable(setup, encoded)
  const expected = sorted(
    rows.map(([values, pairs], id) => [String(id), told(values!), told(pairs!)]),
  )
  for (const one of peers) {
    assert.deepEqual(sorted(await one.read(setup.path, names(columns))), expected, one.name)
  }
})

test('partitions, with NULL and strange folder names, are read equal', async () => {
  const setup = table('partitioned', { partitionedBy: ['city', 'day', 'flag'] })
  const rows = range(0, 60)
    .map(sample)
    .map((row) => row.with(6, row[6] === null ? null : 17n))
  await writeTable(setup, rows.slice(0, 30), rows.slice(30))
  await allRead(setup, rows)
})

test('upserts and deletions, over a checkpoint, are read equal', async () => {
  const setup = table('upserted', {
    mode: 'upsert',
    primaryKey: ['id'],
    options: { 'sink.buckets': '4', 'checkpoint-interval': '3' },
  })
  const run = await openRun(setup)
  const expected = new Map<number, Plain[]>()
  for (const round of range(0, 8)) {
    const ids = range(round * 10, round * 10 + 20)
    const rows = ids.map((id) => sample(id).with(2, `${round}.00`))
    const kinds = ids.map((id) => (id % 5 === round % 5 ? '-D' : '+U') as '-D' | '+U')
    run.write(rows, { kinds })
    ids.forEach((id, at) => {
      if (kinds[at] === '-D') expected.delete(id)
      else expected.set(id, rows[at]!)
    })
    assert.equal((await run.checkpoint()).kind, 'committed')
  }
  await allRead(setup, [...expected.values()])
})

test('added columns are NULL in older rows for everyone', async () => {
  const narrow = table('evolved', { schema: schema.slice(0, 3) })
  await writeTable(
    narrow,
    range(0, 10).map((id) => sample(id).slice(0, 3)),
  )
  const wide = table('evolved', { options: { 'schema.evolution': 'add-columns' } })
  const later = openRun(wide, 2)
  const run = await later
  run.write(range(10, 20).map(sample))
  await run.checkpoint()
  const old = range(0, 10).map((id) => [
    ...sample(id).slice(0, 3),
    ...Array(schema.length - 3).fill(null),
  ])
  await allRead(wide, [...old, ...range(10, 20).map(sample)])
})

test('files are skipped by their statistics only where no row is lost', async () => {
  const long = 'x'.repeat(40)
  const setup = table('skipped')
  const rows = range(0, 40)
    .map(sample)
    .map((row, id) => row.with(1, `${long}${id % 7}`))
  await writeTable(setup, ...range(0, 10).map((commit) => rows.slice(commit * 4, commit * 4 + 4)))
  for (const peer of peers) {
    for (const operator of ['=', '<', '>'] as const) {
      const value = 17n
      const integers = await peer.read(setup.path, ['id'], {
        column: 'small',
        operator,
        kind: 'integer',
        value: '-17',
      })
      const wanted = rows.filter(
        (row) => row[11] !== null && compare(row[11] as bigint, -value, operator),
      )
      assert.deepEqual(sorted(integers), sorted(wanted.map((row) => [told(row[0]!)])), peer.name)
      const text = `${long}3`
      const strings = await peer.read(setup.path, ['id'], {
        column: 'city',
        operator,
        kind: 'string',
        value: text,
      })
      const found = rows.filter((row) => compare(row[1] as string, text, operator))
      assert.deepEqual(sorted(strings), sorted(found.map((row) => [told(row[0]!)])), peer.name)
    }
  }
})

test('a table of delta-rs, with a deletion and a checkpoint, is read equal by us', async () => {
  const columns = schema
    .slice(0, 12)
    .map((field) => ({ ...field, type: withNullability(field.type, true) }))
  for (const partitioned of [false, true]) {
    const path = join(root, `delta-rs-${partitioned}`)
    await peer('delta-rs').ask('write', path, partitioned)
    await weRead({ ports, path, schema: columns })
  }
})

test('a table of Spark, merged, deleted from and checkpointed, is read equal by us', async () => {
  const path = join(root, 'spark')
  const columns: Schema = [...schema.slice(0, 2), ...schema.slice(4, 8), schema[12]!].map(
    (field) => ({
      ...field,
      type: withNullability(field.type, true),
    }),
  )
  await peer('spark').ask('sql', [
    `CREATE TABLE delta.\`${path}\` (id BIGINT, city STRING, at TIMESTAMP, local TIMESTAMP_NTZ, day DATE, flag BOOLEAN, nested STRUCT<x: INT, y: STRING>)
       USING delta PARTITIONED BY (day) TBLPROPERTIES ('delta.checkpointInterval' = '4')`,
    ...range(0, 6).map(
      (
        n,
      ) => `INSERT INTO delta.\`${path}\` SELECT id, IF(id % 3 = 0, NULL, concat('city ', id)), timestamp_micros(id * 1000001),
         TIMESTAMP_NTZ'1969-12-31 23:59:59.5', date_from_unix_date(id % 3), id % 2 = 0, named_struct('x', CAST(id AS INT), 'y', NULL) FROM range(${n * 10}, ${n * 10 + 10})`,
    ),
    `DELETE FROM delta.\`${path}\` WHERE id % 7 = 0`,
    `MERGE INTO delta.\`${path}\` t USING (SELECT * FROM range(50, 70)) s ON t.id = s.id
       WHEN MATCHED THEN UPDATE SET city = 'merged' WHEN NOT MATCHED THEN INSERT (id, city) VALUES (s.id, 'new')`,
  ])
  await weRead({ ports, path, schema: columns })
})

test('deletion vectors are refused by name', async () => {
  const path = join(root, 'vectors')
  await peer('spark').ask('sql', [
    `CREATE TABLE delta.\`${path}\` (id BIGINT) USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`,
    `INSERT INTO delta.\`${path}\` SELECT id FROM range(0, 100)`,
    `DELETE FROM delta.\`${path}\` WHERE id = 3`,
  ])
  await assert.rejects(
    readTable({ ports, path, schema: [{ name: 'id', type: types.bigint }] }),
    (error) =>
      error instanceof MillraceError &&
      error.code === 'DELTA_FEATURE_UNSUPPORTED' &&
      /deletionVectors/.test(error.message),
  )
})

test('appends of Spark between our commits stay, and ours come after them', async () => {
  const columns: Schema = [
    { name: 'id', type: types.bigint },
    { name: 'who', type: types.string },
  ]
  const setup = table('shared', { schema: columns })
  const run = await openRun(setup)
  for (const round of range(0, 4)) {
    run.write([[BigInt(round), 'millrace']])
    const prepared = await run.prepare()
    await peer('spark').ask('sql', [
      `INSERT INTO delta.\`${setup.path}\` VALUES (${round + 100}, 'spark')`,
    ])
    const outcome = await run.committer.commit({ pipeline: 'test', positions: {}, ...prepared })
    assert.equal(outcome.kind, 'committed')
    // The same again: an answer that was lost.
    const again = await run.committer.commit({ pipeline: 'test', positions: {}, ...prepared })
    assert.deepEqual([again.kind, again.kind === 'committed' && again.already], ['committed', true])
  }
  const rows = range(0, 4).flatMap((round): Plain[][] => [
    [BigInt(round), 'millrace'],
    [BigInt(round + 100), 'spark'],
  ])
  await allRead(setup, rows)
})

test('a table that delta-rs made takes appends of both, with our positions beside it', async () => {
  const columns: Schema = [
    { name: 'id', type: types.bigint },
    { name: 'who', type: types.string },
  ]
  const setup = table('shared-rs', { schema: columns })
  const append = (id: number) =>
    peer('delta-rs').ask('append', setup.path, { id: [id], who: ['delta-rs'] })
  await append(100)
  const run = await openRun(setup)
  for (const round of range(1, 4)) {
    run.write([[BigInt(round), 'millrace']])
    const prepared = await run.prepare()
    await append(round + 100)
    const positions = { source: { 0: { readTo: String(round) } } }
    const outcome = await run.committer.commit({ pipeline: 'test', positions, ...prepared })
    assert.equal(outcome.kind, 'committed')
  }
  const folder = join(setup.path, '_millrace/positions')
  const sidecars = readdirSync(folder)
  assert.equal(sidecars.length, 1)
  assert.match(readFileSync(join(folder, sidecars[0]!), 'utf8'), /"readTo":"3"/)
  const rows = range(1, 4).flatMap((round): Plain[][] => [
    [BigInt(round), 'millrace'],
    [BigInt(round + 100), 'delta-rs'],
  ])
  await allRead(setup, [...rows, [100n, 'delta-rs']])
})

function table(name: string, setup: Partial<TableSetup> = {}): TableSetup {
  return { ports, path: join(root, name), schema, ...setup }
}

function peer(name: Peer['name']): Peer {
  return peers.find((candidate) => candidate.name === name)!
}

/** Every peer, and we ourselves, see exactly `rows`. */
async function allRead(setup: TableSetup, rows: readonly (readonly Plain[])[]): Promise<void> {
  const expected = sorted(rows.map((row) => row.map(told)))
  assert.deepEqual(
    sorted((await readTable(setup)).map((row) => row.map(told))),
    expected,
    'millrace',
  )
  for (const one of peers) {
    assert.deepEqual(sorted(await one.read(setup.path, names(setup.schema))), expected, one.name)
  }
}

/** We see what delta-rs and Spark see. */
async function weRead(setup: TableSetup): Promise<void> {
  const ours = sorted((await readTable(setup)).map((row) => row.map(told)))
  assert.ok(ours.length > 30)
  for (const one of peers) {
    assert.deepEqual(ours, sorted(await one.read(setup.path, names(setup.schema))), one.name)
  }
}

function told(value: Plain): Told {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isInteger(value) ? `${value}.0` : String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return value.map(told)
}

function sorted(rows: readonly (readonly Told[])[]): readonly (readonly Told[])[] {
  return rows.toSorted((a, b) => {
    const [x, y] = [JSON.stringify(a), JSON.stringify(b)]
    return x < y ? -1 : x > y ? 1 : 0
  })
}

function compare<Value extends bigint | string>(a: Value, b: Value, operator: '=' | '<' | '>') {
  return operator === '=' ? a === b : operator === '<' ? a < b : a > b
}

/** As a cleanup of the log would. */
function removeLog(path: string, beforeVersion: number): void {
  for (const version of range(0, beforeVersion)) {
    rmSync(join(path, '_delta_log', `${String(version).padStart(20, '0')}.json`))
  }
}
