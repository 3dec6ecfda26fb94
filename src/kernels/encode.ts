/** Rows of a batch as JSON objects: the kernel that walks a schema's tree (json-tree.ts) and writes text. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { MillraceError } from '../errors.ts'
import { wasmBase64 } from './encode.generated.ts'
import type { JsonTree } from './json-tree.ts'

export interface EncodeKernel {
  /**
   * `count` rows (those of the selection; 0 = the first ones) of the columns that `tree`'s nodes are placed on, each as one object.
   * The result is cells of bytes by position, text and cells in the arena.
   * @throws JSON_KEY_NULL if a MAP has a NULL key, and `tree` has no other way with it
   */
  encode(tree: JsonTree, selection: Pointer, count: number): Pointer
}

interface EncodeExports {
  encodeRows(
    root: Pointer,
    selection: Pointer,
    from: number,
    count: number,
    cells: Pointer,
    to: Pointer,
    stop: Pointer,
  ): number
  outputAt(): number
  nullKeyMet(): number
}

/** First guess of a row's bytes: too small costs another block, too large arena space. */
const ROW_BYTES_EXPECTED = 256
const BLOCK_BYTES_MIN = 1 << 14

let compiled: WebAssembly.Module | undefined

/** The kernel over `memory`'s one linear memory. */
export function createEncodeKernel(memory: LinearMemory): EncodeKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const formatDouble = (value: number, single: number, address: number): number => {
    const text = numberText(value, single !== 0)
    const at = address >>> 0
    for (let index = 0; index < text.length; index++) memory.u8[at + index] = text.charCodeAt(index)
    return text.length
  }
  const instance = new WebAssembly.Instance(compiled, {
    env: { memory: memory.memory, formatDouble },
  })
  const kernel = instance.exports as WebAssembly.Exports & EncodeExports
  return {
    encode(tree, selection, count) {
      const cells = memory.arena.allocate(8 * count)
      let bytes = BLOCK_BYTES_MIN
      for (let done = 0; done < count; ) {
        bytes = Math.max(bytes, (count - done) * ROW_BYTES_EXPECTED)
        const block = memory.arena.allocate(bytes)
        const before = done
        const stop = block + bytes
        done = kernel.encodeRows(tree.root.pointer, selection, done, count, cells, block, stop)
        if (kernel.nullKeyMet() !== 0) throw keyNull()
        // Not even one row: it is larger than the block.
        if (done === before) bytes *= 2
      }
      return cells
    },
  }
}

function keyNull(): MillraceError {
  return new MillraceError('JSON_KEY_NULL', {
    message: 'a MAP that is written as JSON has a key that is NULL',
    hint: "set 'json.map-null-key.mode' to DROP, or to LITERAL with 'json.map-null-key.literal'; of debezium-json by its own name",
    facts: {},
  })
}

/** The shortest text that reads back as the number, as single or as double; what is no number stands in quotes. */
function numberText(value: number, single: boolean): string {
  if (!Number.isFinite(value)) return `"${value}"`
  if (Object.is(value, -0)) return '-0.0'
  if (!single) return String(value)
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return String(Number(text))
  }
  return String(Number(value.toPrecision(9)))
}
