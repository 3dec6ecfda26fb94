/** Where things stand in the block of a keyed table (kernels/group/table.as.ts), and how large blocks are. */
import { OVERREAD_BYTES } from '../data/memory.ts'

/** Whole blocks of the heap's size classes, less the padding that the heap adds. */
export const blockBytes = (bits: number): number => 2 ** bits - OVERREAD_BYTES

/** In u32s. */
export const FIELD = {
  directory: 0,
  mask: 1,
  depth: 2,
  bump: 4,
  bumpEnd: 5,
  liveCount: 7,
  dirtyAt: 8,
  dirtyEnd: 9,
  slab: 10,
  layout: 11,
  needKind: 12,
  needAmount: 13,
  inserted: 15,
} as const

export const INLINE_DIRECTORY_BYTES = 64
export const INLINE_SUB_BYTES = 80
