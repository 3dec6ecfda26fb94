/**
 * An object's bytes for a reader that must not wait: blocks are fetched ahead of it. Objects never change: each is read by the size that
 * it had when it was opened.
 */
import { MillraceError } from '../../errors.ts'
import type { ObjectStore } from '../../ports/objects.ts'

/** What lines are read from. */
export interface FileBytes {
  size(): number
  /** Fills `into` as far as the file has bytes from `position` on; how many that were. 'waiting': they have not come yet. */
  read(into: Uint8Array, position: number): number | 'waiting'
  close(): void
}

/** Fetched at a time; one more is under way while it is read. */
const BLOCK_BYTES = 4 << 20

interface Block {
  readonly start: number
  readonly bytes: Uint8Array
}

export function objectBytes(store: ObjectStore, key: string, size: number): FileBytes {
  /** One behind the other, of which the first holds the bytes that are read next. */
  let held: readonly Block[] = []
  let isFetching = false
  let failure: unknown

  function fetch(start: number): void {
    if (isFetching) return
    isFetching = true
    store
      .getRange(key, start, Math.min(BLOCK_BYTES, size - start))
      .then((bytes) => {
        if (bytes === undefined || bytes.length === 0) throw gone(`${store.url}/${key}`, start)
        held = [...held, { start, bytes }]
      })
      .catch((error: unknown) => {
        failure = error
      })
      .finally(() => {
        isFetching = false
      })
  }

  return {
    size: () => size,
    read(into, position) {
      if (failure !== undefined) throw failure
      held = held.filter(({ start, bytes }) => start + bytes.length > position)
      if (held[0] !== undefined && held[0].start > position) held = []
      const last = held.at(-1)
      const heldTo = last === undefined ? position : last.start + last.bytes.length
      const isEnough = heldTo >= position + into.length
      if (heldTo < size && (!isEnough || held.length < 2)) fetch(heldTo)
      if (!isEnough) return 'waiting'
      for (const { start, bytes } of held) {
        const from = Math.max(0, position - start)
        const at = start + from - position
        if (at < into.length) into.set(bytes.subarray(from, from + into.length - at), at)
      }
      return into.length
    },
    close() {
      held = []
    },
  }
}

function gone(url: string, start: number): MillraceError {
  return new MillraceError('FILE_MISSING', {
    message: `${url}: what follows byte ${start} is gone, and was there when it was opened`,
    hint: 'objects of a table are neither changed nor removed while they are read: put it back, or start with --fresh',
    facts: { url, start },
  })
}
