/** Which rows of a decoded batch are good. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { DeadRecord } from './format.ts'

/** The rows below `count` that are not dead, as a selection; `dead` ascending. */
export function selectGood(
  memory: LinearMemory,
  count: number,
  dead: readonly DeadRecord[],
): Pointer {
  const selection = memory.arena.allocate(4 * count)
  let next = 0
  let at = selection >> 2
  for (let row = 0; row < count; row++) {
    if (dead[next]?.row === row) next++
    else memory.u32[at++] = row
  }
  return selection
}
