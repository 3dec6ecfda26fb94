/**
 * Linear memories that nobody needs any more, given back. For the collector their pages weigh nothing: of itself it would let those of
 * ten attempts pile up, and a thread that waits for work would hold its last worker's for ever.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { LinearMemory } from '../data/memory.ts'

/** A collection of all costs some 10 ms: it is worth it for so much. */
const BYTES_MIN = 256 << 20

let droppedBytes = 0
let collect: (() => void) | undefined

/** To be called when `memory` is let go of; it may still be held until the caller's turn of the event loop has ended. */
export function dropMemory({ memory }: LinearMemory): void {
  droppedBytes += memory.buffer.byteLength
  if (droppedBytes < BYTES_MIN) return
  droppedBytes = 0
  setTimeout(collectAll, 0).unref()
}

function collectAll(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
