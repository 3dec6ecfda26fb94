import assert from 'node:assert/strict'
import test from 'node:test'
import type { Asking } from '../../compile/user-code.ts'
import { AsyncQueue, type Passed } from './async-queue.ts'

const ASKING: Asking = {
  capacity: 2,
  timeoutMs: 100,
  retries: 1,
  retryDelayMs: 10,
  ordered: true,
}

/** What the function was asked, in order, each to be answered by hand. */
function asked(asking: Partial<Asking> = {}) {
  const calls: {
    value: unknown
    signal: AbortSignal
    answer(value: unknown): void
    fail(error: Error): void
  }[] = []
  const queue = new AsyncQueue(
    (value, signal) =>
      new Promise((answer, fail) => {
        calls.push({ value, signal: signal as AbortSignal, answer, fail })
      }),
    { ...ASKING, ...asking },
  )
  return { queue, calls }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function text(passed: Passed | undefined): string | undefined {
  if (passed === undefined) return undefined
  if (passed.kind === 'watermark') return `watermark ${passed.watermarkUs}`
  const rows = passed.rows.map(({ values, answer, error }) =>
    error instanceof Error ? `${values[0]}: ${error.message}` : `${values[0]} = ${answer}`,
  )
  return rows.join(', ')
}

test('no more rows are asked for at a time than the capacity, and it is full when as many wait', async () => {
  const { queue, calls } = asked()
  queue.push(8, ['a'])
  queue.ask(0n)
  assert.equal(queue.isFull, false)
  for (const value of ['b', 'c']) queue.push(8, [value])
  queue.ask(0n)
  assert.equal(queue.isFull, true)
  assert.deepEqual(
    calls.map(({ value }) => value),
    ['a', 'b'],
  )
  calls[1]!.answer(2)
  await settled()
  queue.ask(1n)
  assert.equal(calls.length, 3)
  assert.equal(queue.next(), undefined, 'a, which came first, waits')
  calls[0]!.answer(1)
  await settled()
  assert.equal(text(queue.next()), 'a = 1, b = 2')
  assert.equal(queue.isFull, false)
})

test('unordered rows go on as they are answered, but none passes a watermark, and no watermark a row', async () => {
  const { queue, calls } = asked({ ordered: false, capacity: 4 })
  for (const value of ['a', 'b']) queue.push(8, [value])
  queue.mark(7n)
  queue.mark(9n)
  queue.push(8, ['c'])
  queue.ask(0n)
  calls[2]!.answer(3)
  calls[1]!.answer(2)
  await settled()
  assert.equal(text(queue.next()), 'b = 2')
  assert.equal(queue.next(), undefined)
  calls[0]!.answer(1)
  await settled()
  assert.deepEqual(
    [1, 2, 3, 4].map(() => text(queue.next())),
    ['a = 1', 'watermark 9', 'c = 3', undefined],
  )
  assert.ok(queue.isEmpty)
})

test('what has failed is asked for again after the delay, as often as it may be, and then fails', async () => {
  const { queue, calls } = asked()
  queue.push(8, ['a'])
  queue.ask(0n)
  calls[0]!.fail(new Error('busy'))
  await settled()
  queue.ask(9_999n)
  assert.equal(calls.length, 1)
  queue.ask(10_000n)
  assert.equal(calls.length, 2)
  calls[1]!.fail(new Error('still busy'))
  await settled()
  queue.ask(20_000n)
  assert.equal(calls.length, 2)
  assert.equal(text(queue.next()), 'a: still busy')
})

test('a row that is not answered in time fails and is told so, and an answer that comes later is for nobody', async () => {
  const { queue, calls } = asked({ retries: 9 })
  queue.push(8, ['a'])
  queue.push(8, ['b'])
  queue.ask(0n)
  calls[1]!.fail(new Error('busy'))
  await settled()
  queue.ask(100_000n)
  assert.equal(calls[0]!.signal.aborted, true)
  calls[0]!.answer(1)
  await settled()
  assert.equal(
    text(queue.next()),
    'a: no answer within 100 ms, b: no answer within 100 ms; its last try: busy',
  )
  queue.push(8, ['c'])
  queue.ask(100_000n)
  assert.equal(calls.at(-1)!.value, 'c', 'there is room again')
})

test('what is thrown at once is like what a promise is rejected with', async () => {
  const queue = new AsyncQueue(
    () => {
      throw new Error('not there')
    },
    { ...ASKING, retries: 0 },
  )
  queue.push(8, ['a'])
  queue.ask(0n)
  await settled()
  assert.equal(text(queue.next()), 'a: not there')
})

test('after it is disposed of, who is asked is told that nobody waits', () => {
  const { queue, calls } = asked()
  queue.push(8, ['a'])
  queue.ask(0n)
  queue.dispose()
  assert.equal(calls[0]!.signal.aborted, true)
})
