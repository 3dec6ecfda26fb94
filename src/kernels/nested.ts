/** Entries of encoded ARRAYs, MAPs and ROWs as columns: the encoding stands in data/nested.ts, what is read in nested.as.ts. */
import type { Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { cellBytes, type DataType, layoutOf } from '../data/types.ts'
import { wasmBase64 } from './nested.generated.ts'

interface NestedKernel {
  placeEntries(
    bases: Pointer,
    indexes: Pointer,
    count: number,
    skipped: number,
    cellBytes: number,
    out: Pointer,
  ): void
  placeField(bases: Pointer, count: number, index: number, offset: number, out: Pointer): void
  innerBlocks(bases: Pointer, places: Pointer, count: number, out: Pointer): void
  loadPlaces(
    bases: Pointer,
    places: Pointer,
    count: number,
    words: number,
    isBytes: number,
    out: Pointer,
    validity: Pointer,
  ): number
}

const module = new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
const kernels = new WeakMap<LinearMemory, NestedKernel>()

function nestedKernel(memory: LinearMemory): NestedKernel {
  let kernel = kernels.get(memory)
  if (kernel === undefined) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.memory } })
    kernel = exports as object as NestedKernel
    kernels.set(memory, kernel)
  }
  return kernel
}

/** Entries of some blocks: u32 addresses (0 = none) and u32 numbers of entries. */
export interface EntriesOf {
  readonly bases: Pointer
  readonly indexes: Pointer
  readonly count: number
}

/** Elements of ARRAYs, in the arena; texts stay in their blocks. */
export function elementsOf(memory: LinearMemory, element: DataType, of: EntriesOf): Vector {
  return vectorAt(memory, element, of, placesOf(memory, of, 0, element))
}

/** Keys and values of MAPs. */
export function pairsOf(
  memory: LinearMemory,
  key: DataType,
  value: DataType,
  of: EntriesOf,
): readonly [Vector, Vector] {
  return [
    vectorAt(memory, key, of, placesOf(memory, of, 0, key)),
    vectorAt(memory, value, of, placesOf(memory, of, encodedBytes(key), value)),
  ]
}

function placesOf(
  memory: LinearMemory,
  { bases, indexes, count }: EntriesOf,
  skipped: number,
  type: DataType,
): Pointer {
  const places = memory.arena.allocate(4 * count)
  nestedKernel(memory).placeEntries(bases, indexes, count, skipped, encodedBytes(type), places)
  return places
}

function vectorAt(
  memory: LinearMemory,
  type: DataType,
  of: Omit<EntriesOf, 'indexes'>,
  places: Pointer,
): Vector {
  const { bases, count } = of
  const kernel = nestedKernel(memory)
  const words = cellBytes(type) / 8
  const cells = words === 0 ? 0 : memory.arena.allocate(8 * words * count)
  const bitmap = memory.arena.allocateCleared((count + 7) >> 3)
  const isBytes = layoutOf(type) === 'bytes' ? 1 : 0
  const nulls = kernel.loadPlaces(bases, places, count, words, isBytes, cells, bitmap)
  const validity = nulls === 0 ? 0 : bitmap
  if (type.kind !== 'row') return { type, cells, validity }
  const blocks = memory.arena.allocate(4 * count)
  kernel.innerBlocks(bases, places, count, blocks)
  let offset = 8 + 8 * Math.ceil(type.fields.length / 64)
  const children = type.fields.map((field, index) => {
    const inner = memory.arena.allocate(4 * count)
    kernel.placeField(blocks, count, index, offset, inner)
    offset += encodedBytes(field.type)
    return vectorAt(memory, field.type, { bases: blocks, count }, inner)
  })
  return { type, cells, validity, children }
}

/** In an encoded value a ROW is a cell of bytes. */
function encodedBytes(type: DataType): number {
  return layoutOf(type) === 'row' ? 8 : cellBytes(type)
}
