/** STATE_TTL of one side of a join: rows that were not written for so long are no more, and are taken away when they are met. */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { Pairs } from './join-matches.ts'

export interface Expiry {
  /** Notes that the row was written. */
  stamp(entry: Pointer): void
  /** Moves pairs whose entry lives to the front, and notes the others; how many live. */
  keepLiving(pairs: Pairs): number
  /** Takes away the entries that were found dead. */
  buryDead(): void
  /** Looks through some of the lists for the dead. */
  sweep(): void
}

const SWEPT_LISTS = 1024

export interface ExpiryOptions {
  readonly memory: LinearMemory
  readonly rows: RowLists
  remove(entry: Pointer): void
  /** Of the extra that holds when a row was written. */
  readonly timeOffset: number
  readonly ttlUs: bigint
  nowUs(): bigint
}

export function expiryOf(options: ExpiryOptions): Expiry {
  const { memory, rows, timeOffset, ttlUs, nowUs, remove } = options
  const dead = new Set<Pointer>()
  let cursor = 0

  const isDead = (entry: Pointer, now: bigint): boolean =>
    memory.i64[(entry + timeOffset) / 8]! + ttlUs <= now

  return {
    stamp(entry) {
      memory.i64[(entry + timeOffset) / 8] = nowUs()
    },
    keepLiving({ positions, rows: of, entries, count }) {
      const { u32 } = memory
      const now = nowUs()
      let kept = 0
      for (let at = 0; at < count; at++) {
        const entry = u32[entries / 4 + at]!
        if (isDead(entry, now)) {
          dead.add(entry)
          continue
        }
        u32[positions / 4 + kept] = u32[positions / 4 + at]!
        u32[of / 4 + kept] = u32[of / 4 + at]!
        u32[entries / 4 + kept++] = entry
      }
      return kept
    },
    buryDead() {
      for (const entry of dead) remove(entry)
      dead.clear()
    },
    sweep() {
      if (rows.size === 0) return
      const mark = memory.arena.mark()
      const lists = memory.arena.allocate(4 * SWEPT_LISTS)
      const { next, count } = rows.scan(cursor, lists, SWEPT_LISTS)
      cursor = Math.max(next, 0)
      const now = nowUs()
      for (let at = 0; at < count; at++) {
        for (let entry = rows.first(memory.u32[lists / 4 + at]!); entry !== 0; ) {
          const after = rows.next(entry)
          if (isDead(entry, now)) remove(entry)
          entry = after
        }
      }
      memory.arena.release(mark)
    },
  }
}
