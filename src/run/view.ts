/**
 * A view that answers: a continuous query whose result is kept in memory by key, to be asked for a row and followed.
 *
 * Nothing of it is written: opened again it is computed again, from where its sources begin.
 */
import { jsonText, type Row, type Value } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { Change } from './handle.ts'

export interface View<Told> extends AsyncDisposable {
  /** Resolves when all that its sources held when it was opened has been read; rejects if it fails before. */
  readonly ready: Promise<void>
  /** The row of a key, as far as it has been read. @throws what made the view fail */
  get(...key: readonly Value[]): Told | undefined
  /** All rows there are. */
  rows(): Told[]
  readonly size: number
  /** What happens from now on. A follower that is `CHANGES_AHEAD_MAX` changes behind is ended with VIEW_FOLLOWER_SLOW. */
  changes(signal?: AbortSignal): AsyncIterable<Change>
  close(): Promise<void>
}

/** Changes that wait for one follower. */
export const CHANGES_AHEAD_MAX = 100_000

export interface ViewStart {
  /** Columns that name a row. */
  readonly key: readonly string[]
  /** Begins the query; `caughtUp` is called when its sources have nothing more for the first time. */
  begin(signal: AbortSignal, caughtUp: () => void): AsyncIterable<Change>
}

interface Follower {
  tell(change: Change): void
  end(error?: unknown): void
}

export function openView(start: ViewStart): View<Row> {
  const rows = new Map<string, Row>()
  const followers = new Set<Follower>()
  const stop = new AbortController()
  let failure: unknown
  let settle: { resolve(): void; reject(error: unknown): void } | undefined
  const ready = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // Who does not wait for it is told by `get`.
  ready.catch(() => {})

  async function read(): Promise<void> {
    try {
      for await (const change of start.begin(stop.signal, () => settle?.resolve())) {
        take(rows, keyOf(start.key, change.row), change)
        for (const follower of followers) follower.tell(change)
      }
      settle?.resolve()
    } catch (error) {
      failure = error
      settle?.reject(error)
    }
    for (const follower of followers) follower.end(failure)
  }
  const reading = read()

  const close = async (): Promise<void> => {
    stop.abort()
    await reading
  }
  return {
    ready,
    get(...key) {
      if (failure !== undefined) throw failure
      return rows.get(textOf(key))
    },
    rows: () => [...rows.values()],
    get size() {
      return rows.size
    },
    changes: (signal) => follow(followers, signal),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A new row of a key may come before the old one goes: only the row that is there is taken away. */
function take(rows: Map<string, Row>, key: string, { kind, row }: Change): void {
  if (kind === '+I' || kind === '+U') rows.set(key, row)
  else if (kind === '-D') {
    const there = rows.get(key)
    if (there !== undefined && jsonText(there) === jsonText(row)) rows.delete(key)
  }
}

function keyOf(names: readonly string[], row: Row): string {
  return textOf(names.map((name) => row[name] ?? null))
}

/** Numbers and bigints of one value are one key. */
function textOf(key: readonly Value[]): string {
  return JSON.stringify(key, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
}

async function* follow(
  followers: Set<Follower>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Change> {
  const waiting: Change[] = []
  let wake: (() => void) | undefined
  let ended: { readonly error: unknown } | undefined
  const follower: Follower = {
    tell(change) {
      if (waiting.length >= CHANGES_AHEAD_MAX) this.end(tooSlow())
      else waiting.push(change)
      wake?.()
    },
    end(error) {
      ended ??= { error }
      followers.delete(follower)
      wake?.()
    },
  }
  followers.add(follower)
  const abort = () => follower.end()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const change = waiting.shift()
      if (change !== undefined) yield change
      else if (ended !== undefined) break
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
    if (ended?.error !== undefined) throw ended.error
  } finally {
    signal?.removeEventListener('abort', abort)
    followers.delete(follower)
  }
}

function tooSlow(): MillraceError {
  return new MillraceError('VIEW_FOLLOWER_SLOW', {
    message: `a follower of a view is ${CHANGES_AHEAD_MAX} changes behind`,
    hint: 'take changes faster, or ask for rows by get() instead',
    facts: { changes: CHANGES_AHEAD_MAX },
  })
}
