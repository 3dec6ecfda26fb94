/**
 * Variable bytes of a table: free lists by size class over chunks that the caller adds.
 *
 *   0   u32   next free byte of the newest chunk
 *   4   u32   its end
 *   8   u32 a class   first free block; a free block begins with the address of the next
 *
 * Classes are 16, 24, 32, 48, 64, 96 ... bytes. A cell is address | length << 32; without bytes the address is the slab's own.
 */

// @ts-nocheck: compiled by asc, not by tsc

function classOf(bytes: u32): u32 {
  if (bytes <= 16) return 0
  const bit: u32 = 31 - clz(bytes - 1)
  return bytes <= <u32>3 << (bit - 1) ? 2 * (bit - 4) + 1 : 2 * (bit - 3)
}

// @ts-ignore: decorator
@inline
function classBytes(index: u32): u32 {
  return (index & 1 ? <u32>24 : <u32>16) << (index >> 1)
}

/** The cell of a copy of the bytes; 0 if the slab has no room: then a chunk of `slabNeed` bytes at least must be added. */
export function slabPut(slab: usize, address: usize, length: u32): u64 {
  if (length == 0) return <u64>slab
  const index = classOf(length)
  const head = slab + 8 + (index << 2)
  let block = <usize>load<u32>(head)
  if (block != 0) store<u32>(head, load<u32>(block))
  else {
    block = load<u32>(slab)
    if (block + classBytes(index) > <usize>load<u32>(slab, 4)) return 0
    store<u32>(slab, <u32>(block + classBytes(index)))
  }
  memory.copy(block, address, length)
  return (<u64>block) | ((<u64>length) << 32)
}

export function slabNeed(length: u32): u32 {
  return classBytes(classOf(length))
}

export function slabFree(slab: usize, cell: u64): void {
  const length = <u32>(cell >>> 32)
  if (length == 0) return
  const head = slab + 8 + (classOf(length) << 2)
  store<u32>(<usize>(<u32>cell), load<u32>(head))
  store<u32>(head, <u32>cell)
}
