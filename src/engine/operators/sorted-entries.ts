/**
 * The entries of one long list in their order, for finding places by halving: pieces of at most PIECE_ENTRIES, so that coming and
 * going moves little. Rebuilt from the list when it is asked for; no part of a checkpoint.
 */
import type { Pointer } from '../../data/memory.ts'

const PIECE_ENTRIES = 512

export interface SortedEntries {
  readonly size: number
  /** `compare(entry, other)` as in sorting. Behind those that tie. Returns the entry that comes next; 0 at the end. */
  insert(entry: Pointer, compare: (left: Pointer, right: Pointer) => number): Pointer
  remove(entry: Pointer, compare: (left: Pointer, right: Pointer) => number): void
  /** The first entry for which `comesBefore` is false, of an order in which all those before it are true; 0 if none. */
  first(comesBefore: (entry: Pointer) => boolean): Pointer
}

/** Of entries that are in order. */
export function sortedEntries(ordered: readonly Pointer[]): SortedEntries {
  const pieces: Pointer[][] = []
  for (let start = 0; start < ordered.length; start += PIECE_ENTRIES / 2)
    pieces.push(ordered.slice(start, start + PIECE_ENTRIES / 2))
  let size = ordered.length

  /** Piece and place of the first entry that does not come before; the end of the last piece if all do. */
  function placeOf(comesBefore: (entry: Pointer) => boolean): readonly [number, number] {
    let [low, high] = [0, pieces.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (comesBefore(pieces[middle]!.at(-1)!)) low = middle + 1
      else high = middle
    }
    if (low === pieces.length) return [Math.max(low - 1, 0), pieces.at(-1)?.length ?? 0]
    const piece = pieces[low]!
    let [from, to] = [0, piece.length]
    while (from < to) {
      const middle = (from + to) >>> 1
      if (comesBefore(piece[middle]!)) from = middle + 1
      else to = middle
    }
    return [low, from]
  }

  const entryAt = (piece: number, at: number): Pointer =>
    pieces[piece]?.[at] ?? pieces[piece + 1]?.[0] ?? 0

  return {
    get size() {
      return size
    },
    insert(entry, compare) {
      const [piece, at] = placeOf((other) => compare(other, entry) <= 0)
      const next = entryAt(piece, at)
      if (pieces.length === 0) pieces.push([])
      const into = pieces[piece]!
      into.splice(at, 0, entry)
      if (into.length > PIECE_ENTRIES) pieces.splice(piece + 1, 0, into.splice(into.length >> 1))
      size++
      return next
    },
    remove(entry, compare) {
      let [piece, at] = placeOf((other) => compare(other, entry) < 0)
      while (piece < pieces.length) {
        const found = pieces[piece]!.indexOf(entry, at)
        if (found >= 0) {
          pieces[piece]!.splice(found, 1)
          if (pieces[piece]!.length === 0) pieces.splice(piece, 1)
          size--
          return
        }
        piece++
        at = 0
      }
    },
    first(comesBefore) {
      const [piece, at] = placeOf(comesBefore)
      return entryAt(piece, at)
    },
  }
}
