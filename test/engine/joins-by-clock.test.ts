/** Joins that go by the machine's clock, and rows that are forgotten: operators alone, with a clock that the test moves. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { LinearMemory } from '../../src/data/memory.ts'
import { type Schema, types } from '../../src/data/types.ts'
import type { OperatorContext } from '../../src/engine/evaluation.ts'
import type { Operator } from '../../src/engine/operator.ts'
import { intervalJoin } from '../../src/engine/operators/interval-join.ts'
import { join } from '../../src/engine/operators/join.ts'
import { latestJoin } from '../../src/engine/operators/latest-join.ts'
import { windowJoin } from '../../src/engine/operators/window-join.ts'
import type { Join, JoinType, PlanNode } from '../../src/plan/nodes.ts'
import type { StateFile } from '../../src/state/checkpoint.ts'
import { openSnapshot } from '../../src/state/snapshot-reader.ts'
import { createSnapshotWriter } from '../../src/state/snapshot-writer.ts'
import { simulatedPorts } from '../../src/testing/ports.ts'
import { batchOf, kindsOf, type Plain, type RowKindText, rowsOf } from '../builders/batch.ts'

const ROW: Schema = [
  { name: 'k', type: types.bigint },
  { name: 'x', type: types.string },
]
const scan = (name: string): PlanNode => ({
  kind: 'scan',
  schema: ROW,
  table: { name, columns: [], options: {} },
})
const key = { kind: 'column', index: 0, type: types.bigint } as const
const sides = {
  left: scan('left'),
  right: scan('right'),
  leftKeys: [key],
  rightKeys: [key],
  schema: [...ROW, ...ROW],
}

type Told = readonly [RowKindText, ...Plain[]]

function driven(open: (context: OperatorContext) => Operator) {
  const memory = new LinearMemory()
  let nowUs = 1_000_000n
  const context: OperatorContext = {
    node: 'join',
    memory,
    settings: { timeZone: 'UTC', overflow: 'wrap' },
    side: { late: () => assert.fail('no row is late'), dead: () => assert.fail('no row is dead') },
    nowUs: () => nowUs,
    count() {},
  }
  let operator = open(context)
  const told: Told[] = []
  const emit: Parameters<Operator['onBatch']>[1] = (batch) => {
    const kinds = kindsOf(memory, batch)
    rowsOf(memory, batch).forEach((row, at) => {
      told.push([kinds[at]!, ...row])
    })
  }
  const taken = (): Told[] => told.splice(0)
  return {
    feed(input: 0 | 1, ...rows: readonly Told[]): Told[] {
      const batch = batchOf(
        memory,
        ROW,
        rows.map(([, ...row]) => row),
        rows.every(([kind]) => kind === '+I') ? {} : { kinds: rows.map(([kind]) => kind) },
      )
      operator.onBatch(batch, emit, input)
      return taken()
    },
    clock(us: bigint): Told[] {
      nowUs = us
      operator.onClock?.(us, emit)
      return taken()
    },
    inputEnds(input: number): Told[] {
      operator.onInputEnd?.(input, emit)
      return taken()
    },
    end(): Told[] {
      operator.onEnd(emit)
      return taken()
    },
    restart(): void {
      const writer = createSnapshotWriter()
      operator.snapshot(writer.operator('join'))
      const { files } = simulatedPorts(1)
      files.makeDirectory('/state')
      const bytes = Buffer.concat(writer.finish(0, 128).pieces)
      const file = files.open('/state/1.state', 'create')
      file.write(bytes, 0)
      file.close()
      const chain: StateFile[] = [{ name: '1.state', bytes: bytes.length }]
      const groups = { groupStart: 0, groupEnd: 128 }
      operator.dispose()
      operator = open(context)
      const reader = openSnapshot(files, '/state', [{ ...groups, files: chain }], groups)
      operator.restore(reader.operator('join'))
    },
  }
}

const joinOf = (type: JoinType, ttl: Pick<Join, 'leftTtlUs' | 'rightTtlUs'>) =>
  driven((context) => join({ kind: 'join', type, ...sides, ...ttl }, context))

test('rows that were not written for the time to live of their side meet none any more', () => {
  const run = joinOf('inner', { leftTtlUs: 10_000_000 })
  run.feed(0, ['+I', 1n, 'a'])
  run.feed(1, ['+I', 2n, 'kept for ever'])
  run.clock(6_000_000n)
  run.feed(0, ['+I', 1n, 'b'])
  run.restart()
  assert.deepEqual(run.feed(1, ['+I', 1n, 'p']), [
    ['+I', 1n, 'a', 1n, 'p'],
    ['+I', 1n, 'b', 1n, 'p'],
  ])
  run.clock(11_000_000n)
  assert.deepEqual(run.feed(1, ['+I', 1n, 'q']), [['+I', 1n, 'b', 1n, 'q']])
  run.clock(99_000_000n)
  assert.deepEqual(run.feed(1, ['+I', 1n, 'r']), [])
  assert.deepEqual(run.feed(0, ['+I', 2n, 'c']), [['+I', 2n, 'c', 2n, 'kept for ever']])
})

test('a row that was forgotten and goes takes nothing with it', () => {
  const run = joinOf('left', { leftTtlUs: 10_000_000, rightTtlUs: 10_000_000 })
  assert.deepEqual(run.feed(0, ['+I', 1n, 'a']), [['+I', 1n, 'a', null, null]])
  run.clock(20_000_000n)
  assert.deepEqual(run.feed(1, ['+I', 1n, 'p']), [])
  assert.deepEqual(run.feed(0, ['+I', 1n, 'b']), [['+I', 1n, 'b', 1n, 'p']])
})

test('an interval join by the clock meets what came within its bounds, and tells the others', () => {
  const run = driven((context) =>
    intervalJoin(
      {
        kind: 'interval-join',
        type: 'left',
        ...sides,
        leftTime: 0,
        rightTime: 0,
        timeDomain: 'processing',
        lowerUs: -5_000_000,
        upperUs: 0,
      },
      context,
      -(2n ** 63n),
    ),
  )
  assert.deepEqual(run.feed(0, ['+I', 1n, 'a'], ['+I', 2n, 'b']), [])
  run.clock(4_000_000n)
  run.restart()
  assert.deepEqual(run.feed(1, ['+I', 1n, 'p']), [['+I', 1n, 'a', 1n, 'p']])
  assert.deepEqual(run.clock(7_000_000n), [['+I', 2n, 'b', null, null]])
  assert.deepEqual(run.feed(1, ['+I', 2n, 'q']), [])
  assert.deepEqual(run.feed(0, ['+I', 3n, 'c'], ['+I', null, 'd']), [['+I', null, 'd', null, null]])
  assert.deepEqual(run.end(), [['+I', 3n, 'c', null, null]])
})

test('a window join by the clock is told when the clock reaches the end of its window', () => {
  const window = { start: 0, end: 0 }
  const run = driven((context) =>
    windowJoin(
      {
        kind: 'window-join',
        type: 'full',
        ...sides,
        leftWindow: window,
        rightWindow: window,
        timeDomain: 'processing',
      },
      context,
      -(2n ** 63n),
    ),
  )
  assert.deepEqual(run.feed(0, ['+I', 5_000_000n, 'a'], ['+I', 9_000_000n, 'b']), [])
  run.feed(1, ['+I', 5_000_000n, 'p'], ['+I', 9_000_000n, 'q'], ['+I', 9_000_000n, 'r'])
  run.restart()
  assert.deepEqual(run.clock(4_998_000n), [])
  assert.deepEqual(run.clock(4_999_000n), [['+I', 5_000_000n, 'a', 5_000_000n, 'p']])
  assert.deepEqual(run.end(), [
    ['+I', 9_000_000n, 'b', 9_000_000n, 'q'],
    ['+I', 9_000_000n, 'b', 9_000_000n, 'r'],
  ])
})

const latest = (type: 'inner' | 'left', options: { waits: boolean; updates: boolean }) =>
  driven((context) =>
    latestJoin(
      { kind: 'temporal-join', type, ...sides, leftTime: 1, timeDomain: 'processing' },
      context,
      options,
    ),
  )

test('a row meets the latest of its key when it comes', () => {
  const run = latest('left', { waits: false, updates: false })
  assert.deepEqual(run.feed(0, ['+I', 1n, 'a']), [['+I', 1n, 'a', null, null]])
  run.feed(1, ['+I', 1n, 'p'], ['+I', 1n, 'q'], ['+I', 2n, 'r'])
  run.restart()
  assert.deepEqual(run.feed(0, ['+I', 1n, 'b'], ['+I', null, 'c']), [
    ['+I', 1n, 'b', 1n, 'q'],
    ['+I', null, 'c', null, null],
  ])
  run.feed(1, ['-U', 1n, 'q'], ['+U', 1n, 's'], ['-D', 2n, 'r'])
  assert.deepEqual(run.feed(0, ['+I', 1n, 'd'], ['+I', 2n, 'e']), [
    ['+I', 1n, 'd', 1n, 's'],
    ['+I', 2n, 'e', null, null],
  ])
})

test('a row that goes takes what it met, whatever is the latest then', () => {
  const run = latest('inner', { waits: false, updates: true })
  run.feed(1, ['+I', 1n, 'p'])
  assert.deepEqual(run.feed(0, ['+I', 1n, 'a'], ['+I', 2n, 'b']), [['+I', 1n, 'a', 1n, 'p']])
  run.feed(1, ['+U', 1n, 'q'], ['+I', 2n, 'r'])
  run.restart()
  assert.deepEqual(run.feed(0, ['-U', 1n, 'a'], ['+U', 1n, 'c'], ['-D', 2n, 'b']), [
    ['-U', 1n, 'a', 1n, 'p'],
    ['+U', 1n, 'c', 1n, 'q'],
  ])
})

test('rows wait for a table that ends, and go on in the order of their coming', () => {
  const run = latest('inner', { waits: true, updates: false })
  assert.deepEqual(run.feed(0, ['+I', 2n, 'a'], ['+I', 1n, 'b']), [])
  run.feed(1, ['+I', 1n, 'p'])
  run.restart()
  run.feed(0, ['+I', 2n, 'c'])
  run.feed(1, ['+I', 2n, 'q'])
  assert.deepEqual(run.inputEnds(1), [
    ['+I', 2n, 'a', 2n, 'q'],
    ['+I', 1n, 'b', 1n, 'p'],
    ['+I', 2n, 'c', 2n, 'q'],
  ])
  assert.deepEqual(run.feed(0, ['+I', 1n, 'd']), [['+I', 1n, 'd', 1n, 'p']])
})
