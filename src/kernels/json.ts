/**
 * The generic JSON path: one record at a time, strictly, into column cells; any key order and spelling.
 *
 * The kernel walks the schema's tree (json-tree.ts). It sets and clears validity bits of the rows it writes, and notes on a node
 * that it met a NULL there; so every node must have been given a validity bitmap.
 */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { wasmBase64 } from './json.generated.ts'
import type { JsonNode, JsonTree } from './json-tree.ts'

/** Why a record is refused. `code` is one of JSON_FAULT; `address` and `stop` enclose the value where a column is at fault. */
export interface JsonRowFault {
  readonly code: number
  readonly address: Pointer
  readonly stop: Pointer
  readonly node: JsonNode | undefined
}

export const JSON_FAULT = {
  object: 1,
  key: 2,
  colon: 3,
  brace: 4,
  bracket: 5,
  value: 6,
  literal: 7,
  number: 8,
  control: 9,
  escape: 10,
  unended: 11,
  utf8: 12,
  depth: 13,
  after: 14,
  room: 15,
  nothing: 16,
  type: 20,
  range: 21,
  missing: 22,
  format: 23,
} as const

export interface JsonKernel {
  /**
   * Forgets the room of the last batch. Strings with escapes, BYTES and nested values go to new arena blocks; with `reserved` one as
   * large as was needed before is there from the start, for projections, which can't ask for it.
   */
  startBatch(reserved: boolean): void
  /**
   * The rows listed at `rows` (u32), from place `from` on: their records are the cells of bytes at `values`, 0 = none. Returns the
   * place of the first that is refused, with `fault` telling why, or `count`.
   */
  decodeRows(
    tree: JsonTree,
    values: Pointer,
    rows: Pointer,
    from: number,
    count: number,
  ): { readonly at: number; readonly fault: JsonRowFault | undefined }
  /** The exclusive end of the bytes that `count` cells of bytes point to. */
  valuesEnd(values: Pointer, count: number): Pointer
  /** Cold parts of emitted projections. */
  readonly imports: WebAssembly.ModuleImports
}

interface JsonExports {
  decodeRows(root: Pointer, values: Pointer, rows: Pointer, from: number, count: number): number
  setHeap(from: Pointer, to: Pointer): void
  errorCode(): number
  errorAddress(): number
  errorStop(): number
  errorNodeNumber(): number
  value_x(node: Pointer, address: Pointer, cell: Pointer, stop: Pointer): number
  skip_x(address: Pointer, stop: Pointer): number
  string_x(address: Pointer, stop: Pointer): number
  day_x(address: Pointer): bigint
  valuesEnd(values: Pointer, count: number): number
}

const ROOM_BYTES_MIN = 1 << 16
const ROOM_BYTES_RESERVED_MAX = 1 << 24

let compiled: WebAssembly.Module | undefined

/** The kernel over `memory`'s one linear memory. */
export function createJsonKernel(memory: LinearMemory): JsonKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const latin = new TextDecoder('latin1')
  const parseDouble = (address: number, bytes: number) =>
    Number(latin.decode(memory.u8.slice(address >>> 0, (address >>> 0) + bytes)))
  const instance = new WebAssembly.Instance(compiled, {
    env: { memory: memory.memory, parseDouble },
  })
  const kernel = instance.exports as WebAssembly.Exports & JsonExports
  let roomBytes = ROOM_BYTES_MIN

  return {
    imports: {
      value_x: kernel.value_x,
      skip_x: kernel.skip_x,
      string_x: kernel.string_x,
      day_x: kernel.day_x,
    },
    valuesEnd: (values, count) => kernel.valuesEnd(values, count) >>> 0,
    startBatch(reserved) {
      if (!reserved) {
        kernel.setHeap(0, 0)
        roomBytes = ROOM_BYTES_MIN
        return
      }
      roomBytes = Math.min(roomBytes, ROOM_BYTES_RESERVED_MAX)
      const room = memory.arena.allocate(roomBytes)
      kernel.setHeap(room, room + roomBytes)
    },
    decodeRows(tree, values, rows, from, count) {
      let at = from
      while (true) {
        at = kernel.decodeRows(tree.root.pointer, values, rows, at, count)
        if (at === count) return { at, fault: undefined }
        if (kernel.errorCode() !== JSON_FAULT.room) return { at, fault: faultOf(tree) }
        const row = memory.u32[(rows >> 2) + at]!
        roomBytes = Math.max(2 * roomBytes, 4 * memory.u32[(values >> 2) + 2 * row + 1]!)
        const room = memory.arena.allocate(roomBytes)
        kernel.setHeap(room, room + roomBytes)
      }
    },
  }

  function faultOf(tree: JsonTree): JsonRowFault {
    const code = kernel.errorCode()
    return {
      code,
      address: kernel.errorAddress() >>> 0,
      stop: kernel.errorStop() >>> 0,
      node: code >= JSON_FAULT.type ? tree.nodes[kernel.errorNodeNumber()] : undefined,
    }
  }
}
