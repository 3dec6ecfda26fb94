/** CRC32C of ordinary bytes at the kernel's speed: they are copied into a memory that is kept for it. */
import { type ChecksumMemory, crc32cOf, createCrc32c } from './crc32c.ts'

const PAGE_BYTES = 65536
/** What an address reaches: modules are made for a shared memory of this size. */
const PAGES_MAX = 65536
/** Below it the copy costs more than it gains. */
const KERNEL_BYTES_MIN = 256

interface Scratch {
  readonly memory: WebAssembly.Memory
  readonly checksum: (address: number, bytes: number) => number
  /** Behind the kernel's tables, to the memory's end. */
  readonly pointer: number
}

let scratch: Scratch | undefined

/** The CRC of `bytes[from, to)` as an unsigned number. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  if (to - from < KERNEL_BYTES_MIN) return crc32cOf(bytes.subarray(from, to))
  scratch ??= createScratch()
  const { memory, checksum, pointer } = scratch
  const missing = pointer + (to - from) - memory.buffer.byteLength
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
  new Uint8Array(memory.buffer, pointer, to - from).set(bytes.subarray(from, to))
  return checksum(pointer, to - from)
}

function createScratch(): Scratch {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX, shared: true })
  // No address is 0.
  let next = PAGE_BYTES
  const upward: ChecksumMemory = {
    memory,
    allocate(bytes) {
      const pointer = next
      next += Math.ceil(bytes / 16) * 16
      const missing = next - memory.buffer.byteLength
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
      return pointer
    },
  }
  return { memory, checksum: createCrc32c(upward), pointer: next }
}
