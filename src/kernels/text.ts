/** Texts by their bytes: lengths, parts, letters' case, replacements, what has a text in it. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './text.generated.ts'

/** `validity` and `selection` as in a batch; NULL rows get no result. */
export interface TextKernel {
  /** Of the selected texts together. */
  bytesOf(cells: Pointer, validity: Pointer, selection: Pointer, count: number): number
  /** Copies the texts to `space`, one behind the other, which has room for all; 1 if all of it is ASCII, else 0. */
  gather(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    space: Pointer,
  ): number
  /** Writes code points as i64 cells. */
  lengths(cells: Pointer, validity: Pointer, selection: Pointer, count: number, out: Pointer): void
  /** Writes the part numbered `index`, from 0, between bytes `by`, and its bit to `outValidity`, cleared before. */
  parts(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    by: number,
    index: number,
    out: Pointer,
    outValidity: Pointer,
  ): void
  /**
   * Writes texts with the 26 ASCII letters from byte `first` on in the other case. `space` has room for all the texts, one byte at
   * least. Rows with other than ASCII go to `rest` (u32 each) without a result; returns how many.
   */
  turnLetters(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    first: number,
    out: Pointer,
    space: Pointer,
    rest: Pointer,
  ): number
  /** Writes texts with `searchBytes` > 0 bytes replaced by no more; `space` has room for all the texts. */
  replace(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    search: Pointer,
    searchBytes: number,
    by: Pointer,
    byBytes: number,
    out: Pointer,
    space: Pointer,
  ): void
  /** Writes the rows that have a text anywhere (`place` 0), at their start (1), at their end (2) or as a whole (3); returns how many. */
  having(
    cells: Pointer,
    validity: Pointer,
    selection: Pointer,
    count: number,
    needle: Pointer,
    bytes: number,
    place: 0 | 1 | 2 | 3,
    out: Pointer,
  ): number
}

let compiled: WebAssembly.Module | undefined
const instances = new WeakMap<LinearMemory, TextKernel>()

/** The kernel over `memory`'s one linear memory. */
export function textKernel(memory: LinearMemory): TextKernel {
  const known = instances.get(memory)
  if (known !== undefined) return known
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
  const kernel = instance.exports as WebAssembly.Exports & TextKernel
  instances.set(memory, kernel)
  return kernel
}
