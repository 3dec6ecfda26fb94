/** Rows picked out of columns: by owner, and dense, as they travel between workers. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './gather.generated.ts'

/** What `out` areas must have room for beyond what is written to them. */
export const GATHER_SLACK_BYTES = 16

/** `selection` is u32 row numbers or 0 for all; the outputs are by position. See gather.as.ts. */
export interface GatherKernel {
  /** `ends`: u32 an owner, where its list of rows begins, and afterwards where it ends. */
  partition(hashes: Pointer, selection: Pointer, count: number, owners: number, ends: Pointer): void
  gather8(cells: Pointer, selection: Pointer, count: number, out: Pointer): void
  gather16(cells: Pointer, selection: Pointer, count: number, out: Pointer): void
  gatherBytes(bytes: Pointer, selection: Pointer, count: number, out: Pointer): void
  /** `out` is cleared before. */
  gatherBits(bitmap: Pointer, selection: Pointer, count: number, out: Pointer): void
  stringBytes(cells: Pointer, validity: Pointer, selection: Pointer, count: number): number
  /** Returns where the bytes end that were written from `bytes` on. */
  gatherStrings(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    out: Pointer,
    bytes: Pointer,
    base: Pointer,
  ): number
  rebase(cells: Pointer, count: number, delta: number): void
}

const module = new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
const kernels = new WeakMap<LinearMemory, GatherKernel>()

/** The one instance over `memory`. */
export function gatherKernel(memory: LinearMemory): GatherKernel {
  let kernel = kernels.get(memory)
  if (kernel === undefined) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.memory } })
    const made = exports as object as GatherKernel
    kernel = {
      ...made,
      gatherStrings: (...given) => made.gatherStrings(...given) >>> 0,
    }
    kernels.set(memory, kernel)
  }
  return kernel
}
