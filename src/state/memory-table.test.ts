import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, type Plain, plainOf } from '../../test/builders/batch.ts'
import { fc } from '../../test/builders/properties.ts'
import { LinearMemory } from '../data/memory.ts'
import { type DataType, types } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import { keyHasher } from '../kernels/group.ts'
import type { KeyedTable } from './keyed-table.ts'
import { keyedTables } from './memory-table.ts'
import type { EntrySink, TableSource } from './state-stream.ts'

/** What a table has written, record by record as it came. */
function recording(): { sink: EntrySink; pieces: Uint8Array[]; records: () => number } {
  const pieces: Uint8Array[] = []
  let schema = ''
  let total = 0
  const sink: EntrySink = {
    schema: (text) => {
      schema = text
    },
    replace: () => {
      pieces.length = 0
    },
    put: () => assert.fail('keyed tables write records'),
    remove: () => assert.fail('keyed tables write records'),
    records(bytes, count) {
      assert.notEqual(schema, '')
      total += count
      pieces.push(bytes.slice())
    },
  }
  return { sink, pieces, records: () => total }
}

function sourceOf(pieces: Uint8Array[], schema: string, part: Partial<TableSource> = {}) {
  const read = (take: (records: Uint8Array) => void) => pieces.forEach(take)
  return { schema, groupStart: 0, groupEnd: 128, continues: true, read, ...part }
}

const keyShapes: { name: string; keys: DataType[]; schema: string; key: fc.Arbitrary<Plain[]> }[] =
  [
    {
      name: 'one bigint, sometimes NULL',
      keys: [types.bigint],
      schema: '1 i64;i64,bytes',
      key: fc.tuple(fc.option(fc.bigInt({ min: -400n, max: 400n }), { freq: 20 })),
    },
    {
      name: 'text and a double',
      keys: [types.string, types.double],
      schema: '1 bytes,f64;i64,bytes',
      key: fc.tuple(
        fc.option(fc.oneof(fc.string({ maxLength: 3 }), fc.constant('x'.repeat(700)))),
        fc.option(fc.constantFrom(0, -0, Number.NaN, 1.5, Number.POSITIVE_INFINITY)),
      ),
    },
    {
      name: 'a ROW and a bigint',
      keys: [
        {
          kind: 'row',
          nullable: true,
          fields: [
            { name: 'a', type: types.int },
            { name: 'b', type: types.string },
          ],
        },
        types.bigint,
      ],
      schema: '1 i64,i64,bytes,i64;i64,bytes',
      key: fc.tuple<Plain[]>(
        fc.option(
          fc.tuple<Plain[]>(
            fc.option(fc.bigInt({ min: 0n, max: 3n })),
            fc.option(fc.constantFrom('p', 'q', 'r'.repeat(50))),
          ),
        ),
        fc.constantFrom(1n, 2n),
      ),
    },
    {
      name: 'a wide decimal, text and a boolean',
      keys: [types.decimal(38, 0), types.string, types.boolean],
      schema: '1 i128,bytes,i64;i64,bytes',
      key: fc.tuple(
        fc.option(
          fc.constantFrom(
            '0',
            '-1',
            '18446744073709551616',
            '-99999999999999999999999999999999999999',
          ),
        ),
        fc.constantFrom('', 'ä', 'aaaaaaaa', 'aaaaaaab'),
        fc.boolean(),
      ),
    },
  ]

type Step =
  | { kind: 'add'; keys: Plain[][] }
  | { kind: 'remove'; keys: Plain[][] }
  | { kind: 'snapshot' }
  | { kind: 'restore' }

/** A key as text: -0 is 0, NaN is NaN, numbers and texts differ. */
const identity = (key: readonly Plain[]) =>
  JSON.stringify(
    key.map((value) => (typeof value === 'string' || value === null ? value : [`${value}`])),
  )

for (const { name, keys, schema, key } of keyShapes) {
  const steps = fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('add' as const),
          keys: fc.array(key, { maxLength: 120 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('remove' as const),
          keys: fc.array(key, { maxLength: 60 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const) }) },
    ),
    { maxLength: 14 },
  )
  test(`a keyed table of ${name} does what a Map does, through snapshots and restores`, () => {
    const memory = new LinearMemory()
    const make = keyedTables(memory, { keys, values: ['i64', 'bytes'] })
    fc.assert(
      fc.property(steps, (history: Step[]) => {
        const run = startRun(memory, make, keys, schema)
        for (const step of history) run.step(step)
        run.step({ kind: 'restore' })
        run.table().dispose()
      }),
      { numRuns: 120 },
    )
  })
}

function startRun(memory: LinearMemory, make: () => KeyedTable, keys: DataType[], schema: string) {
  let table = make()
  let kept: Uint8Array[] = []
  const truth = new Map<string, number>()
  let saved = new Map<string, number>()
  const fields = keys.map((type, index) => ({ name: `k${index}`, type }))
  const step = (step: Step) => {
    const mark = memory.arena.mark()
    if (step.kind === 'add') {
      const rows = batchOf(memory, fields, step.keys)
      const entries = memory.arena.allocate(4 * rows.count)
      const fresh = table.upsert({ count: rows.count, selection: 0, keys: rows.columns }, entries)
      const before = truth.size
      step.keys.forEach((key, at) => {
        const count = (truth.get(identity(key)) ?? 0) + 1
        truth.set(identity(key), count)
        const entry = memory.u32[entries / 4 + at]!
        memory.i64[(entry + table.valueOffset(0)) / 8]! += 1n
        const text = Buffer.from(`${count}`.repeat(count % 40))
        const address = memory.arena.allocate(text.length)
        memory.u8.set(text, address)
        table.setBytes(entry, 1, address, text.length)
      })
      assert.equal(fresh, truth.size - before)
    } else if (step.kind === 'remove') {
      const rows = batchOf(memory, fields, step.keys)
      const entries = memory.arena.allocate(4 * rows.count)
      for (const [at, key] of step.keys.entries()) {
        const selection = memory.arena.allocate(4)
        memory.u32[selection / 4] = at
        table.find({ count: 1, selection, keys: rows.columns }, entries)
        const entry = memory.u32[entries / 4]!
        assert.equal(entry !== 0, truth.delete(identity(key)))
        if (entry !== 0) table.remove(entry)
      }
    } else if (step.kind === 'snapshot') {
      const { sink, pieces } = recording()
      let replaced = false
      table.writeChanges({
        ...sink,
        replace: () => {
          replaced = true
        },
      })
      kept = replaced ? pieces : [...kept, ...pieces]
      saved = new Map(truth)
    } else {
      table.dispose()
      table = make()
      truth.clear()
      if (kept.length > 0) {
        table.restore(sourceOf(kept, schema))
        for (const [key, count] of saved) truth.set(key, count)
      }
    }
    assert.deepEqual(contents(memory, table), new Map(truth))
    memory.arena.release(mark)
  }
  return { step, table: () => table }
}

function contents(memory: LinearMemory, table: KeyedTable): Map<string, number> {
  const found = new Map<string, number>()
  const entries = memory.arena.allocate(4 * 50)
  for (let cursor = 0; cursor >= 0; ) {
    const { next, count } = table.scan(cursor, entries, 50)
    const keys = table.keysOf(entries, count)
    for (let at = 0; at < count; at++) {
      const entry = memory.u32[entries / 4 + at]!
      const value = Number(memory.i64[(entry + table.valueOffset(0)) / 8])
      const cell = (entry + table.valueOffset(1)) / 4
      const text = Buffer.from(
        memory.u8.slice(memory.u32[cell]!, memory.u32[cell]! + memory.u32[cell + 1]!),
      ).toString()
      assert.equal(text, `${value}`.repeat(value % 40))
      found.set(identity(keys.map((vector) => plainOf(memory, vector, at))), value)
    }
    cursor = next
  }
  assert.equal(table.size, found.size)
  return found
}

test('three hundred thousand keys split sub-tables, keep their addresses and are all found', () => {
  const memory = new LinearMemory()
  const make = keyedTables(memory, { keys: [types.bigint], values: ['i64'] })
  const count = 300_000
  const cells = memory.allocate(8 * count)
  for (let row = 0; row < count; row++) memory.i64[cells / 8 + row] = BigInt(row) * 7919n
  const [first, second] = [memory.allocate(4 * count), memory.allocate(4 * count)]
  memory.arena.allocate(1 << 21)
  const used = memory.bytesUsed
  const table = make()
  const rows = { count, selection: 0, keys: [{ type: types.bigint, cells, validity: 0 }] }
  assert.equal(table.upsert(rows, first), count)
  assert.equal(table.upsert(rows, second), 0)
  const entries = (at: number) => memory.u32.slice(at / 4, at / 4 + count)
  assert.deepEqual(entries(first), entries(second))
  table.find(rows, second)
  assert.deepEqual(entries(first), entries(second))
  assert.equal(new Set(entries(first)).size, count)
  const whole = recording()
  table.writeChanges(whole.sink)
  assert.equal(whole.records(), count)
  table.upsert({ ...rows, count: 3000 }, second)
  const increment = recording()
  table.writeChanges(increment.sink)
  assert.equal(increment.records(), 3000)
  const bytes = increment.pieces.reduce((sum, piece) => sum + piece.length, 0)
  assert.ok(bytes <= 2 * 3000 * 24, `${bytes} bytes`)
  table.dispose()
  assert.equal(memory.bytesUsed, used)
})

test('key groups are taken by their range, each key in exactly one of four', () => {
  const memory = new LinearMemory()
  const make = keyedTables(memory, { keys: [types.bigint], values: ['i64', 'bytes'] })
  const table = make()
  const rows = batchOf(
    memory,
    [{ name: 'k', type: types.bigint }],
    Array.from({ length: 999 }, (_, n) => [BigInt(n)]),
  )
  table.upsert({ count: 999, selection: 0, keys: rows.columns }, memory.arena.allocate(4 * 999))
  const { sink, pieces } = recording()
  table.writeChanges(sink)
  const sizes = [0, 32, 64, 96].map((groupStart) => {
    const part = make()
    part.restore(sourceOf(pieces, '1 i64;i64,bytes', { groupStart, groupEnd: groupStart + 32 }))
    return part.size
  })
  assert.equal(
    sizes.reduce((sum, size) => sum + size),
    999,
  )
  assert.ok(
    sizes.every((size) => size > 150),
    `${sizes}`,
  )
})

test('a table of another shape, or a torn record, is refused', () => {
  const memory = new LinearMemory()
  const make = keyedTables(memory, { keys: [types.bigint], values: ['i64', 'bytes'] })
  const isError = (code: string) => (error: unknown) =>
    error instanceof MillraceError && error.code === code
  assert.throws(() => make().restore(sourceOf([], '1 f64;i64')), isError('CHECKPOINT_MISMATCH'))
  const torn = [new Uint8Array([4, 0, 0])]
  assert.throws(
    () => make().restore(sourceOf(torn, '1 i64;i64,bytes')),
    isError('CHECKPOINT_CORRUPT'),
  )
})

test('the hash of keys is what it always was', () => {
  const memory = new LinearMemory()
  const hashOf = (type: DataType, value: Plain) => {
    const out = memory.arena.allocate(4)
    const batch = batchOf(memory, [{ name: 'k', type }], [[value]])
    keyHasher(memory, [type])(batch.columns, 0, 1, out)
    return memory.u32[out / 4]!
  }
  for (const [type, value] of vectors) assert.equal(hashOf(type, value), slowHash(type, value))
  assert.deepEqual(
    vectors.map(([type, value]) => hashOf(type, value)),
    EXPECTED,
  )
})

const vectors: [DataType, Plain][] = [
  [types.bigint, 0n],
  [types.bigint, 1n],
  [types.bigint, -1n],
  [types.bigint, null],
  [types.double, -0],
  [types.double, 1.5],
  [types.double, Number.NaN],
  [types.string, ''],
  [types.string, 'a'],
  [types.string, 'eight by'],
  [types.string, 'Grüße aus Århus, 東京'],
  [types.decimal(38, 0), '-1'],
  [types.decimal(38, 0), '170141183460469231731687303715884105'],
]
const EXPECTED = [
  3744269668, 2743321451, 2159330579, 4114651929, 3744269668, 2490482875, 815954571, 3744269668,
  3139873006, 1185547180, 3818229904, 2159330579, 348637225,
]

/** From the words above group/hash.as.ts. */
function slowHash(type: DataType, value: Plain): number {
  const u64 = (x: bigint) => BigInt.asUintN(64, x)
  const [A, B] = [0xd6e8feb86659fd93n, 0xa0761d6478bd642fn]
  const mix = (value: bigint) => {
    let x = u64(value)
    x = u64((x ^ (x >> 32n)) * A)
    x = u64((x ^ (x >> 29n)) * B)
    return x ^ (x >> 32n)
  }
  let h = 0x6d696c6c72616365n
  if (value === null) h = mix(h ^ 0x9c3a5f1e7d2b4860n)
  else if (type.kind === 'double') {
    const view = new DataView(new ArrayBuffer(8))
    view.setFloat64(0, Object.is(value, -0) ? 0 : Number(value))
    h = mix(h ^ view.getBigUint64(0))
  } else if (type.kind === 'varchar') {
    const bytes = Buffer.from(String(value))
    let f = u64(BigInt(bytes.length) * B)
    for (let at = 0; at < bytes.length; at += 8) {
      const word = Buffer.alloc(8)
      bytes.copy(word, 0, at)
      f = u64((f ^ word.readBigUInt64LE()) * A)
      f ^= f >> 32n
    }
    h = mix(h ^ f)
  } else {
    const number = BigInt(String(value))
    h = mix(h ^ u64(number))
    if (BigInt.asIntN(64, number) !== number) h = mix(h ^ u64(number >> 64n))
  }
  return Number(h & 0xffffffffn)
}

test('counting rows is finding their entries and adding one to each, NULL keys and text too', () => {
  const memory = new LinearMemory()
  const keys = [null, 5n, 5n, 0n, null, -7n, 5n]
  for (const type of [types.bigint, types.string]) {
    const table = keyedTables(memory, { keys: [type], values: ['i64', 'i64'] })()
    const values = keys.map((key) => (type.kind === 'varchar' && key !== null ? `${key}` : key))
    const batch = batchOf(
      memory,
      [{ name: 'k', type }],
      values.map((value) => [value]),
    )
    const rows = { count: keys.length, selection: 0, keys: batch.columns }
    assert.equal(table.count(rows, 1), 4)
    assert.equal(table.count(rows, 1), 0)
    const entries = memory.arena.allocate(4 * keys.length)
    table.find(rows, entries)
    const counts = keys.map((_, row) => {
      const entry = memory.u32[entries / 4 + row]!
      return memory.i64[(entry + table.valueOffset(1)) / 8]
    })
    assert.deepEqual(counts, [4n, 6n, 6n, 2n, 4n, 2n, 6n])
  }
})
