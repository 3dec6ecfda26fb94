/** The first N rows of partitions in blocks: layouts and contracts stand in top.as.ts. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './top.generated.ts'

/** Of a code and of an element of a block, by the number of sort keys. */
export const codeBytes = (keys: number) => 8 * keys + 8
export const SORT_KEYS_MAX = 8
/** i64 cells of a top. */
export const TOP_CELLS = 3

export interface TopKernel {
  sortCodes(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    kind: number,
    descending: number,
    nullRank: number,
    key: number,
    stride: number,
    out: Pointer,
  ): void
  offer(
    tops: Pointer,
    offset: number,
    codes: Pointer,
    from: number,
    count: number,
    limit: number,
    stamp: number,
    touched: Pointer,
    before: Pointer,
    evicted: Pointer,
    keys: number,
    texts: number,
    turned: number,
  ): number
  readonly touchedCount: { readonly value: number }
  readonly evictedCount: { readonly value: number }
  survivors(touched: Pointer, count: number, offset: number, where: Pointer, keys: number): void
  settle(
    elements: Pointer,
    entries: Pointer,
    count: number,
    keys: number,
    texts: number,
    cells: Pointer,
  ): void
  placeChanges(
    touched: Pointer,
    count: number,
    offset: number,
    before: Pointer,
    limit: number,
    first: number,
    entries: Pointer,
    kinds: Pointer,
    numbers: Pointer,
    keys: number,
  ): number
}

const module = new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
const kernels = new WeakMap<LinearMemory, TopKernel>()

/** The one instance over `memory`. */
export function topKernel(memory: LinearMemory): TopKernel {
  let kernel = kernels.get(memory)
  if (kernel === undefined) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.memory } })
    kernel = exports as object as TopKernel
    kernels.set(memory, kernel)
  }
  return kernel
}
