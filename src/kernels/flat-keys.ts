/** Keys that are ROWs, as kernels know them: first whether there is one, then its fields. Other keys are as they are. */
import type { Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { type DataType, types as dataTypes, withNullability } from '../data/types.ts'

export interface FlatKeys {
  readonly types: readonly DataType[]
  /** Which of them key `index` begins with. */
  startOf(index: number): number
  /** Vectors of `types`, for the rows of `selection` (0: rows 0 .. count - 1), in the arena. */
  flatten(keys: readonly Vector[], selection: Pointer, count: number): readonly Vector[]
  /** Keys as they were, from vectors of `types`. */
  rebuild(vectors: readonly Vector[]): readonly Vector[]
}

export function flatKeys(memory: LinearMemory, keys: readonly DataType[]): FlatKeys {
  if (!keys.some(({ kind }) => kind === 'row'))
    return {
      types: keys,
      startOf: (index) => index,
      flatten: (vectors) => vectors,
      rebuild: (vectors) => vectors,
    }
  const starts: number[] = []
  const types: DataType[] = []
  for (const key of keys) {
    starts.push(types.length)
    types.push(...leavesOf(key))
  }
  return {
    types,
    startOf: (index) => starts[index]!,
    flatten(vectors, selection, count) {
      if (count === 0) return vectors.flatMap((vector) => flattened(memory, vector, 0))
      const last = selection === 0 ? count - 1 : memory.u32[selection / 4 + count - 1]!
      return vectors.flatMap((vector) => flattened(memory, vector, last + 1))
    },
    rebuild(vectors) {
      let next = 0
      const vectorOf = (type: DataType): Vector => {
        const own = vectors[next++]!
        if (type.kind !== 'row') return own
        const children = type.fields.map((field) => vectorOf(field.type))
        return { type, cells: 0, validity: own.validity, children }
      }
      return keys.map(vectorOf)
    },
  }
}

function leavesOf(type: DataType): DataType[] {
  if (type.kind !== 'row') return [type]
  const fields = type.fields.flatMap((field) => leavesOf(withNullability(field.type, true)))
  return [dataTypes.boolean, ...fields]
}

function flattened(memory: LinearMemory, vector: Vector, rowCount: number): Vector[] {
  const { type, validity, children } = vector
  if (type.kind !== 'row') return [vector]
  const cells = memory.arena.allocateCleared(8 * rowCount)
  const isThere: Vector = { type: dataTypes.boolean, cells, validity }
  const fields = (children ?? []).map((child) => ({
    ...child,
    validity: bothValid(memory, validity, child.validity, rowCount),
  }))
  return [isThere, ...fields.flatMap((field) => flattened(memory, field, rowCount))]
}

/** A field is NULL where its ROW is. */
function bothValid(memory: LinearMemory, row: Pointer, field: Pointer, rowCount: number): Pointer {
  if (row === 0 || field === 0) return row === 0 ? field : row
  const bytes = (rowCount + 7) >> 3
  const out = memory.arena.allocate(bytes)
  const { u8 } = memory
  for (let at = 0; at < bytes; at++) u8[out + at] = u8[row + at]! & u8[field + at]!
  return out
}
