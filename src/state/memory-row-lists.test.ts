import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, type Plain, plainOf } from '../../test/builders/batch.ts'
import { fc } from '../../test/builders/properties.ts'
import { LinearMemory } from '../data/memory.ts'
import { type DataType, types } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import { rowLists } from './memory-row-lists.ts'
import { pairsOfAtMost, type RowLists } from './row-lists.ts'
import type { EntrySink } from './state-stream.ts'

const KEYS: DataType[] = [types.bigint, types.string]
const ROW: DataType[] = [
  types.string,
  {
    kind: 'row',
    nullable: true,
    fields: [
      { name: 'a', type: types.int },
      { name: 'b', type: types.string },
    ],
  },
  types.decimal(38, 2),
  types.double,
  types.bigint,
]
const fieldsOf = (given: DataType[]) => given.map((type, index) => ({ name: `f${index}`, type }))

/** What has been written, as a checkpoint's files would have it. */
function recording() {
  const pieces: Uint8Array[] = []
  let schema = ''
  const sink: EntrySink = {
    schema: (text) => {
      schema = text
    },
    replace: () => {
      pieces.length = 0
    },
    put: () => assert.fail('row lists write records'),
    remove: () => assert.fail('row lists write records'),
    records: (bytes) => {
      pieces.push(bytes.slice())
    },
  }
  const source = (groupStart: number, groupEnd: number, continues: boolean) => ({
    schema,
    groupStart,
    groupEnd,
    continues,
    read: (take: (records: Uint8Array) => void) => pieces.forEach(take),
  })
  return { sink, pieces, source }
}

interface Held {
  readonly key: readonly Plain[]
  readonly row: readonly Plain[]
  readonly number: number
  extra: bigint
  address: number
}

const key = fc.tuple(
  fc.option(fc.bigInt({ min: 0n, max: 5n }), { freq: 8 }),
  fc.constantFrom('', 'a', 'x'.repeat(40)),
)
const row = fc.tuple(
  fc.option(fc.oneof(fc.string({ maxLength: 3 }), fc.constant('y'.repeat(900)))),
  fc.option(
    fc.tuple(fc.option(fc.bigInt({ min: -9n, max: 9n })), fc.option(fc.string({ maxLength: 2 }))),
  ),
  fc.option(fc.constantFrom('0.00', '-1.50', '184467440737095516.16')),
  fc.option(fc.constantFrom(1.5, Number.POSITIVE_INFINITY)),
  fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: fc.array(fc.tuple(key, row), { maxLength: 40 }) }) },
  { weight: 4, arbitrary: fc.record({ remove: fc.array(fc.nat(), { maxLength: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ touch: fc.array(fc.nat(), { maxLength: 10 }) }) },
  { weight: 2, arbitrary: fc.constant('snapshot' as const) },
  { weight: 1, arbitrary: fc.constant('restore' as const) },
  { weight: 1, arbitrary: fc.constant('rescale' as const) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

test('row lists hold what arrays would, through removals, snapshots, restores and rescaling', () => {
  const memory = new LinearMemory()
  const make = rowLists(memory, { keys: KEYS, row: ROW, extras: 2 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 16 }), (history) => {
      const run = startRun(memory, make)
      for (const each of [...history, 'snapshot' as const, 'restore' as const]) run(each)
    }),
    { numRuns: 150 },
  )
})

function startRun(memory: LinearMemory, make: () => RowLists) {
  let stores = [{ lists: make(), from: 0, to: 128 }]
  let files = [recording()]
  let held: Held[] = []
  let saved: Held[] = []
  let number = 0

  const add = (rows: readonly (readonly [readonly Plain[], readonly Plain[]])[]) => {
    const { lists } = stores[0]!
    const keys = batchOf(
      memory,
      fieldsOf(KEYS),
      rows.map(([key]) => key),
    )
    const batch = batchOf(
      memory,
      fieldsOf(ROW),
      rows.map(([, row]) => row),
    )
    const at = memory.arena.allocate(4 * rows.length)
    const entries = memory.arena.allocate(4 * rows.length)
    lists.lists({ count: rows.length, selection: 0, keys: keys.columns }, at)
    lists.append(batch, at, entries)
    rows.forEach(([key, row], index) => {
      const address = memory.u32[entries / 4 + index]!
      memory.i64[(address + lists.extraOffset(1)) / 8] = BigInt(number)
      held.push({ key, row, number: number++, extra: BigInt(held.length), address })
      held.at(-1)!.extra = BigInt(number - 1)
    })
  }
  const remove = (picks: readonly number[]) => {
    for (const pick of picks) {
      const [gone] = held.splice(pick % Math.max(held.length, 1), 1)
      if (gone !== undefined) stores[0]!.lists.remove(gone.address)
    }
  }
  const touch = (picks: readonly number[]) => {
    const { lists } = stores[0]!
    for (const pick of held.length === 0 ? [] : picks) {
      const one = held[pick % held.length]!
      one.extra += 1000n
      memory.i64[(one.address + lists.extraOffset(1)) / 8] = one.extra
      lists.markDirty(one.address)
    }
  }
  const restore = (isRescaled: boolean) => {
    const old = files
    for (const { lists } of stores) lists.dispose()
    stores = [{ lists: make(), from: 0, to: 128 }]
    held = saved.map((each) => ({ ...each }))
    if (old[0]!.pieces.length === 0 && saved.length === 0) {
      files = [recording()]
      return
    }
    stores[0]!.lists.restore(old[0]!.source(0, 128, !isRescaled))
    if (isRescaled) {
      const halves = [make(), make()]
      halves[0]!.restore(old[0]!.source(0, 64, false))
      halves[1]!.restore(old[0]!.source(64, 128, false))
      assert.equal(halves[0]!.size + halves[1]!.size, held.length)
      for (const half of halves) half.dispose()
    }
    relocate(memory, stores[0]!.lists, held)
  }

  return (step: Step) => {
    const mark = memory.arena.mark()
    if (step === 'snapshot') {
      stores[0]!.lists.writeChanges(files[0]!.sink)
      saved = held.map((each) => ({ ...each }))
    } else if (step === 'restore' || step === 'rescale') restore(step === 'rescale')
    else if ('add' in step) add(step.add)
    else if ('remove' in step) remove(step.remove)
    else touch(step.touch)
    check(memory, stores[0]!.lists, held)
    memory.arena.release(mark)
  }
}

const textOf = (value: unknown) =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))

function byKey(held: readonly Held[]): Map<string, Held[]> {
  const map = new Map<string, Held[]>()
  for (const each of held) {
    const list = map.get(textOf(each.key)) ?? []
    list.push(each)
    map.set(textOf(each.key), list)
  }
  return map
}

/** After a restore entries stand elsewhere. */
function relocate(memory: LinearMemory, lists: RowLists, held: readonly Held[]): void {
  for (const list of byKey(held).values()) {
    const keys = batchOf(memory, fieldsOf(KEYS), [list[0]!.key])
    const at = memory.arena.allocate(4)
    lists.find({ count: 1, selection: 0, keys: keys.columns }, at)
    let entry = lists.first(memory.u32[at / 4]!)
    for (const each of list) {
      each.address = entry
      entry = lists.next(entry)
    }
    assert.equal(entry, 0)
  }
}

function check(memory: LinearMemory, lists: RowLists, held: readonly Held[]): void {
  assert.equal(lists.size, held.length)
  const expected = byKey(held)
  const firsts = [...expected.values()].map((list) => list[0]!.key)
  const keys = batchOf(memory, fieldsOf(KEYS), firsts)
  const at = memory.arena.allocate(4 * firsts.length)
  lists.find({ count: firsts.length, selection: 0, keys: keys.columns }, at)
  let position = 0
  for (const list of expected.values()) {
    const head = memory.u32[at / 4 + position++]!
    assert.equal(lists.count(head), list.length)
    checkList(memory, lists, head, list)
  }
  let found = 0
  const heads = memory.arena.allocate(4 * 8)
  for (let cursor = 0; cursor >= 0; ) {
    const { next, count } = lists.scan(cursor, heads, 8)
    found += count
    cursor = next
  }
  assert.equal(found, expected.size)
  checkPairs(memory, lists, at, [...expected.values()])
}

function checkList(memory: LinearMemory, lists: RowLists, head: number, list: Held[]): void {
  const addresses: number[] = []
  for (let entry = lists.first(head); entry !== 0; entry = lists.next(entry)) {
    assert.equal(lists.listOf(entry), head)
    addresses.push(entry)
  }
  assert.deepEqual(
    addresses,
    list.map(({ address }) => address),
  )
  const backwards: number[] = []
  for (let entry = lists.last(head); entry !== 0; entry = lists.previous(entry))
    backwards.push(entry)
  assert.deepEqual(backwards.reverse(), addresses)
  const entries = memory.arena.allocate(4 * list.length + 4)
  memory.u32.set([...addresses, 0], entries / 4)
  const columns = lists.columnsOf(entries, list.length + 1)
  list.forEach(({ row, extra, address }, index) => {
    const plain = columns.map((column) => plainOf(memory, column, index))
    assert.equal(textOf(plain), textOf(row))
    assert.equal(memory.i64[(address + lists.extraOffset(1)) / 8], extra)
    assert.equal(lists.isNull(address, 2), row[2] === null)
    if (row[4] !== null) assert.equal(memory.i64[(address + lists.cellOffset(4)) / 8], row[4])
    const same = list.find((other) => textOf(other.row) === textOf(row))!
    const asBatch = batchOf(memory, fieldsOf(ROW), [row])
    assert.equal(lists.equal(head, asBatch.columns, 0), same.address)
  })
  assert.ok(columns.every((column) => plainOf(memory, column, list.length) === null))
}

function checkPairs(memory: LinearMemory, lists: RowLists, at: number, all: Held[][]): void {
  const positions = memory.arena.allocate(4 * 7)
  const entries = memory.arena.allocate(4 * 7)
  const pairs: number[][] = []
  for (let from = pairsOfAtMost(7); from.position < all.length; ) {
    from = lists.pairs(at, all.length, from, positions, entries)
    for (let pair = 0; pair < from.count; pair++)
      pairs.push([memory.u32[positions / 4 + pair]!, memory.u32[entries / 4 + pair]!])
  }
  assert.deepEqual(
    pairs,
    all.flatMap((list, position) => list.map(({ address }) => [position, address])),
  )
}

test('an entry is moved to any place of its list', () => {
  const memory = new LinearMemory()
  const lists = rowLists(memory, { keys: [], row: [types.bigint], extras: 0 })()
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(5)), { maxLength: 20 }), (moves) => {
      const batch = batchOf(memory, fieldsOf([types.bigint]), [[0n], [1n], [2n], [3n], [4n]])
      const at = memory.arena.allocate(20)
      const entries = memory.arena.allocate(20)
      lists.lists({ count: 5, selection: 0, keys: [] }, at)
      lists.append(batch, at, entries)
      const list = memory.u32[at / 4]!
      const order = Array.from({ length: 5 }, (_, index) => memory.u32[entries / 4 + index]!)
      for (const [from, to] of moves) {
        const entry = order[from]!
        const before = order[to] ?? 0
        lists.place(list, entry, before)
        if (before !== entry) {
          order.splice(from, 1)
          order.splice(before === 0 ? order.length : order.indexOf(before), 0, entry)
        }
        const walked = []
        for (let one = lists.first(list); one !== 0; one = lists.next(one)) walked.push(one)
        assert.deepEqual(walked, order)
        assert.equal(lists.last(list), order.at(-1))
      }
      for (const entry of order) lists.remove(entry)
    }),
  )
})

test('lists that were emptied give their memory back', () => {
  const memory = new LinearMemory()
  const lists = rowLists(memory, { keys: [types.bigint], row: [types.string], extras: 0 })()
  let before = 0
  for (let round = 0; round < 40; round++) {
    const rows = Array.from({ length: 1000 }, (_, index) => [BigInt(1000 * round + index)])
    const keys = batchOf(memory, fieldsOf([types.bigint]), rows)
    const texts = batchOf(
      memory,
      fieldsOf([types.string]),
      rows.map(([key]) => [`text ${key}`]),
    )
    const mark = memory.arena.mark()
    const at = memory.arena.allocate(4000)
    const entries = memory.arena.allocate(4000)
    lists.lists({ count: 1000, selection: 0, keys: keys.columns }, at)
    lists.append(texts, at, entries)
    if (round % 3 === 0) lists.writeChanges(recording().sink)
    for (let index = 0; index < 1000; index++) lists.remove(memory.u32[entries / 4 + index]!)
    if (round % 3 === 1) lists.writeChanges(recording().sink)
    memory.arena.release(mark)
    if (round === 10) before = lists.bytesUsed
  }
  assert.equal(lists.size, 0)
  assert.ok(lists.bytesUsed < 1.2 * before)
})

test('rows of another shape, and records that are none, are refused', () => {
  const memory = new LinearMemory()
  const make = rowLists(memory, { keys: [types.bigint], row: [types.string], extras: 0 })
  const other = rowLists(memory, { keys: [types.bigint], row: [types.double], extras: 0 })
  const written = recording()
  make().writeChanges(written.sink)
  const code = (code: string) => (error: unknown) =>
    error instanceof MillraceError && error.code === code
  assert.throws(() => other().restore(written.source(0, 128, true)), code('CHECKPOINT_MISMATCH'))
  written.pieces.push(Uint8Array.from([9, 1, 2]))
  assert.throws(() => make().restore(written.source(0, 128, true)), code('CHECKPOINT_CORRUPT'))
})
