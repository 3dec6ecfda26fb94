/** Asynchronous functions of tests: what they are asked last may be answered first, and some answers come only when asked again. */
import { asyncFunction, t } from '../../src/index.ts'

/** Whether there is an answer for `n`. */
export function isUnanswerable(n: number): boolean {
  return n % 11 === 10
}

/** The answer. */
export function squareOf(n: number): number {
  return n * n
}

const tries = new Map<number, number>()

async function answer(n: bigint | null): Promise<bigint | null> {
  const number = Number(n)
  for (let turn = (number * 7919) % 40; turn > 0; turn--) await undefined
  if (isUnanswerable(number)) throw new RangeError(`${number} has no square here`)
  const tried = tries.get(number) ?? 0
  tries.set(number, tried + 1)
  if (number % 5 === 4 && tried % 3 !== 2) throw new Error('busy')
  return n === null ? null : BigInt(squareOf(number))
}

// Of any three tries for one number one is answered, whoever's it is: with the 48 rows that a test gives, none needs 150.
const options = { capacity: 4, retries: 150, retryDelay: '0ms' } as const

export const square = asyncFunction([t.bigint()], t.bigint(), answer, options)

export const squareUnordered = asyncFunction([t.bigint()], t.bigint(), answer, {
  ...options,
  order: 'unordered',
})

/** How often `squareSlowly` was asked for each number. */
export const askedFor = new Map<number, number>()

/** Answers when the event loop has turned a few times. */
export const squareSlowly = asyncFunction(
  [t.bigint()],
  t.bigint(),
  async (n) => {
    const number = Number(n)
    askedFor.set(number, (askedFor.get(number) ?? 0) + 1)
    for (let turn = (number * 7919) % 7; turn > 0; turn--) await turned()
    if (isUnanswerable(number)) throw new RangeError(`${number} has no square here`)
    return BigInt(squareOf(number))
  },
  { capacity: 6, retries: 0, order: 'unordered' },
)

function turned(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
