/**
 * A view that answers: a continuous query whose result is kept in memory by key, to be asked for a row and followed.
 *
 * Nothing of it is written: opened again it is computed again, from where its sources begin.
 */
import { jsonText, type Row, type Value } from '../data/values.ts'
import { createFollowers, type NumberedChange } from './followers.ts'
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
  /**
   * Goes on behind the change of this number, if all that came since is still kept; else, and without a number, it begins with all
   * rows that there are. Nothing comes twice and nothing is missing between the two.
   */
  resume(after: number | undefined, signal?: AbortSignal): Resumed<Told>
  /** Resolves when nothing more will happen, since the sources have ended or it was closed; rejects with what made it fail. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

export interface Resumed<Told> {
  /** Absent where it goes on; else what the follower holds is to be forgotten, and these are all the rows. */
  readonly rows?: readonly Told[]
  /** Of the last change that is in `rows`, or that was had before. */
  readonly number: number
  readonly changes: AsyncIterable<NumberedChange>
}

export interface ViewStart {
  /** Columns that name a row. */
  readonly key: readonly string[]
  /** How many of the last changes are kept for followers that come back; none unless told. */
  readonly changesKept?: number
  /** Begins the query; `caughtUp` is called when its sources have nothing more for the first time. */
  begin(signal: AbortSignal, caughtUp: () => void): AsyncIterable<Change>
}

export function openView(start: ViewStart): View<Row> {
  const rows = new Map<string, Row>()
  const followers = createFollowers(start.changesKept ?? 0)
  const stop = new AbortController()
  let failure: unknown
  const caughtUp = Promise.withResolvers<void>()
  // Who does not wait for it is told by `get`.
  caughtUp.promise.catch(() => {})
  const ended = Promise.withResolvers<void>()
  ended.promise.catch(() => {})

  async function read(): Promise<void> {
    try {
      for await (const change of start.begin(stop.signal, caughtUp.resolve)) {
        take(rows, keyOf(start.key, change.row), change)
        followers.tell(change)
      }
      followers.end()
      caughtUp.resolve()
      ended.resolve()
    } catch (error) {
      failure = error
      followers.end(error)
      caughtUp.reject(error)
      ended.reject(error)
    }
  }
  const reading = read()

  const close = async (): Promise<void> => {
    stop.abort()
    await reading
  }
  return {
    ready: caughtUp.promise,
    ended: ended.promise,
    get(...key) {
      if (failure !== undefined) throw failure
      return rows.get(textOf(key))
    },
    rows: () => [...rows.values()],
    get size() {
      return rows.size
    },
    async *changes(signal) {
      for await (const { change } of followers.follow(signal)) yield change
    },
    resume(after, signal) {
      const missed = after === undefined ? undefined : followers.behind(after)
      if (missed !== undefined) return { number: after!, changes: followers.follow(signal, missed) }
      const { number } = followers
      return { rows: [...rows.values()], number, changes: followers.follow(signal) }
    },
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
  return JSON.stringify(key, (_, value) => (typeof value === 'bigint' ? keyNumber(value) : value))
}

/** As a number where that is exact. */
function keyNumber(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : `${value}n`
}
