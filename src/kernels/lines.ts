/** Lines of a text in linear memory, as bytes cells. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './lines.generated.ts'

export interface LinesKernel {
  /**
   * Cells of the lines in [address, address + bytes) that end within it, without their \n or \r\n; at most `max`, at `cells`.
   * `consumed` is the bytes up to and with the last line's end.
   */
  split(
    address: Pointer,
    bytes: number,
    cells: Pointer,
    max: number,
  ): { readonly count: number; readonly consumed: number }
}

interface LinesExports {
  split(address: Pointer, bytes: number, cells: Pointer, max: number): number
  consumed(): number
}

let compiled: WebAssembly.Module | undefined

/** The kernel over `memory`'s one linear memory. */
export function createLinesKernel(memory: LinearMemory): LinesKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
  const kernel = instance.exports as WebAssembly.Exports & LinesExports
  return {
    split(address, bytes, cells, max) {
      const count = kernel.split(address, bytes, cells, max)
      return { count, consumed: (kernel.consumed() >>> 0) - address }
    },
  }
}
