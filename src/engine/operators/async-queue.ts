/**
 * Rows that wait for an answer from outside, and the watermarks between them: no more than so many are asked for at a time, each again
 * when it fails, until its time is over.
 *
 * Answers come whenever they come: they are only noted, and looked at when `next` is called.
 */
import type { Asking, AsyncCode } from '../../compile/user-code.ts'
import type { Pointer } from '../../data/memory.ts'
import type { Value as Told } from '../../data/values.ts'

export interface Asked {
  readonly entry: Pointer
  readonly values: readonly Told[]
  state: 'waits' | 'asked' | 'answered' | 'failed'
  /** When it is answered. */
  answer?: unknown
  /** When it has failed for good. */
  error?: unknown
  tries: number
  /** Of the first try. */
  sinceUs?: bigint
  /** Not before then. */
  againUs?: bigint
  abort?: AbortController
}

export type Passed =
  | { readonly kind: 'rows'; readonly rows: readonly Asked[] }
  | { readonly kind: 'watermark'; readonly watermarkUs: bigint }

type Item = Asked | { readonly watermarkUs: bigint }

export class AsyncQueue {
  readonly #code: AsyncCode['call']
  readonly #asking: Asking
  #items: Item[] = []
  #rows = 0
  #asked = 0

  constructor(code: AsyncCode['call'], asking: Asking) {
    this.#code = code
    this.#asking = asking
  }

  /** As many rows wait as may be asked for. */
  get isFull(): boolean {
    return this.#rows >= this.#asking.capacity
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  push(entry: Pointer, values: readonly Told[]): void {
    this.#items.push({ entry, values, state: 'waits', tries: 0 })
    this.#rows++
  }

  mark(watermarkUs: bigint): void {
    const last = this.#items.at(-1)
    if (last !== undefined && isMark(last)) this.#items.pop()
    this.#items.push({ watermarkUs })
  }

  /** Asks for as many as may be asked for; gives up those whose time is over. */
  ask(nowUs: bigint): void {
    const { capacity, timeoutMs } = this.#asking
    const timeoutUs = BigInt(timeoutMs) * 1000n
    for (const item of this.#items) {
      if (isMark(item)) continue
      const isOver = item.sinceUs !== undefined && nowUs - item.sinceUs >= timeoutUs
      if (isOver && (item.state === 'asked' || item.state === 'waits')) this.#giveUp(item)
      else if (item.state === 'waits' && this.#asked < capacity && (item.againUs ?? nowUs) <= nowUs)
        this.#try(item, nowUs)
    }
  }

  /** What may go on: rows that are done, or a watermark that no row before it waits for. */
  next(): Passed | undefined {
    const [first] = this.#items
    if (first === undefined) return undefined
    if (isMark(first)) {
      this.#items.shift()
      return { kind: 'watermark', watermarkUs: first.watermarkUs }
    }
    const rows: Asked[] = []
    const left: Item[] = []
    let mayPass = true
    for (const item of this.#items) {
      if (isMark(item)) mayPass = false
      else if (mayPass && (item.state === 'answered' || item.state === 'failed')) {
        rows.push(item)
        continue
      } else if (this.#asking.ordered) mayPass = false
      left.push(item)
    }
    if (rows.length === 0) return undefined
    this.#items = left
    this.#rows -= rows.length
    return { kind: 'rows', rows }
  }

  /** Answers that come from now on are for nobody. */
  dispose(): void {
    for (const item of this.#items) if (!isMark(item)) item.abort?.abort()
    this.#items = []
  }

  #try(item: Asked, nowUs: bigint): void {
    const abort = new AbortController()
    Object.assign(item, { state: 'asked', abort, sinceUs: item.sinceUs ?? nowUs })
    item.tries++
    this.#asked++
    const isCurrent = (): boolean => {
      if (item.abort !== abort || item.state !== 'asked') return false
      this.#asked--
      return true
    }
    this.#call(item, abort.signal).then(
      (answer) => {
        if (isCurrent()) Object.assign(item, { state: 'answered', answer })
      },
      (error: unknown) => {
        if (!isCurrent()) return
        if (item.tries > this.#asking.retries) Object.assign(item, { state: 'failed', error })
        else {
          const delayUs = BigInt(this.#asking.retryDelayMs) * 1000n
          Object.assign(item, { state: 'waits', againUs: nowUs + delayUs, error })
        }
      },
    )
  }

  /** What it throws at once is as what its promise is rejected with. */
  async #call({ values }: Asked, signal: AbortSignal): Promise<unknown> {
    return await this.#code(...values, signal)
  }

  #giveUp(item: Asked): void {
    if (item.state === 'asked') this.#asked--
    const cause = item.error === undefined ? {} : { cause: item.error }
    const late = `no answer within ${this.#asking.timeoutMs} ms`
    const said = item.error instanceof Error ? `; its last try: ${item.error.message}` : ''
    Object.assign(item, { state: 'failed', error: new Error(`${late}${said}`, cause) })
    item.abort?.abort()
  }
}

function isMark(item: Item): item is { readonly watermarkUs: bigint } {
  return 'watermarkUs' in item
}
