/** CRC32C of ordinary bytes at the kernel's speed: they are copied into a memory that is kept for it. */
import { crc32cOf, createCrc32c } from '../codec/crc32c.ts'
import { LinearMemory, type Pointer } from '../data/memory.ts'

/** Below it the copy costs more than it gains. */
const KERNEL_BYTES_MIN = 256
const SCRATCH_BYTES = 1 << 20

interface Scratch {
  readonly memory: LinearMemory
  readonly checksum: (address: Pointer, bytes: number) => number
  pointer: Pointer
  bytes: number
}

let scratch: Scratch | undefined

/** The CRC of `bytes[from, to)` as an unsigned number. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < KERNEL_BYTES_MIN) return crc32cOf(bytes.subarray(from, to))
  const { memory, checksum, pointer } = scratchOf(to - from)
  memory.u8.set(bytes.subarray(from, to), pointer)
  return checksum(pointer, to - from)
}

function scratchOf(bytes: number): Scratch {
  scratch ??= createScratch()
  if (bytes <= scratch.bytes) return scratch
  scratch.memory.free(scratch.pointer, scratch.bytes)
  scratch.pointer = scratch.memory.allocate(bytes)
  scratch.bytes = bytes
  return scratch
}

function createScratch(): Scratch {
  const memory = new LinearMemory()
  const pointer = memory.allocate(SCRATCH_BYTES)
  return { memory, checksum: createCrc32c(memory), pointer, bytes: SCRATCH_BYTES }
}
