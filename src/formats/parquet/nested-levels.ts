/**
 * Levels of a leaf below an ARRAY or MAP, by walking the encoded cells (data/nested.ts) an entry at a time.
 *
 *   repetition   0 for the first entry of a row, else the depth of the ARRAY or MAP that goes on
 *   definition   how many optional and repeated steps are there; less than the maximum: no value
 *
 * @see Melnik et al., "Dremel: Interactive Analysis of Web-Scale Datasets", VLDB 2010, section 4.1
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import {
  arrayEntries,
  mapEntries,
  type NestedEntries,
  nestedBytes,
  rowEntries,
} from '../../data/nested.ts'
import {
  type ArrayType,
  cellBytes,
  type DataType,
  layoutOf,
  type MapType,
} from '../../data/types.ts'
import { invariant } from '../../errors.ts'
import { appendHybrid, bitsFor } from './hybrid.ts'
import type { Leaf } from './layout.ts'
import { appendLengthed, type LevelBuffer, nullRefused } from './levels.ts'

export function nestedLevels(leaf: Leaf): LevelBuffer {
  let repetitions: number[] = []
  let definitions: number[] = []
  let nullCount = 0
  return {
    get count() {
      return definitions.length
    },
    get nullCount() {
      return nullCount
    },
    append(memory, columns, rows, count) {
      const column = columns[leaf.indexes[0]!]
      invariant(column !== undefined, `a batch holds column '${leaf.path[0]}'`)
      const words: number[] = []
      const walk: Walk = {
        memory,
        leaf,
        emit(repetition, definition) {
          repetitions.push(repetition)
          definitions.push(definition)
          if (definition < leaf.definitionMax) nullCount++
        },
        value: (block, at) => pushCell(leaf.type, block, at, words),
      }
      for (let at = 0; at < count; at++) walkVector(walk, column, rows[at]!, 0, 0)
      return valuesOf(memory, leaf.type, words)
    },
    take(out) {
      const append = (levels: readonly number[], max: number) =>
        appendLengthed(out, () => {
          appendHybrid(out, Uint8Array.from(levels), levels.length, bitsFor(max))
        })
      append(repetitions, leaf.repetitionMax)
      append(definitions, leaf.definitionMax)
    },
    reset() {
      repetitions = []
      definitions = []
      nullCount = 0
    },
  }
}

interface Walk {
  readonly memory: LinearMemory
  readonly leaf: Leaf
  /** One entry's levels. */
  emit(repetition: number, definition: number): void
  /** The value of the entry just told, whose cell is at `at` of `block`. */
  value(block: DataView, at: number): void
}

/** ROWs down to the first ARRAY or MAP. */
function walkVector(
  walk: Walk,
  vector: Vector,
  row: number,
  step: number,
  definition: number,
): void {
  const { memory, leaf } = walk
  const { type, validity, cells } = vector
  if (validity !== 0 && ((memory.u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0) {
    if (!type.nullable) throw nullRefused(leaf.path.join('.'))
    walk.emit(0, definition)
    return
  }
  const held = definition + (type.nullable ? 1 : 0)
  if (type.kind === 'array' || type.kind === 'map') {
    const at = cells / 4 + 2 * row
    const block = new DataView(memory.memory.buffer, memory.u32[at]!, memory.u32[at + 1]!)
    walkEntries(walk, type, block, { step, definition: held, repetition: 0, depth: 0 })
    return
  }
  const way = leaf.steps[step]
  invariant(way?.kind === 'field', 'only a ROW stands above the first ARRAY or MAP')
  walkVector(walk, vector.children![way.index]!, row, step + 1, held)
}

interface Level {
  readonly step: number
  readonly definition: number
  readonly repetition: number
  /** ARRAYs and MAPs entered so far. */
  readonly depth: number
}

function walkEntries(walk: Walk, type: ArrayType | MapType, block: DataView, level: Level): void {
  const { entries, entryType } = entriesOf(walk.leaf, type, block, level.step)
  if (entries.count === 0) walk.emit(level.repetition, level.definition)
  const depth = level.depth + 1
  for (let index = 0; index < entries.count; index++) {
    const repetition = index === 0 ? level.repetition : depth
    const inside = { step: level.step + 1, definition: level.definition + 1, repetition, depth }
    walkEntry(walk, entryType, block, entries, index, inside)
  }
}

function entriesOf(leaf: Leaf, type: ArrayType | MapType, block: DataView, step: number) {
  if (type.kind === 'array') {
    return { entries: arrayEntries(type.element, block), entryType: type.element }
  }
  const { keys, values } = mapEntries(type.key, type.value, block)
  if (leaf.steps[step]?.kind === 'value') return { entries: values, entryType: type.value }
  return { entries: keys, entryType: { ...type.key, nullable: false } as DataType }
}

function walkEntry(
  walk: Walk,
  type: DataType,
  block: DataView,
  entries: NestedEntries,
  index: number,
  level: Level,
): void {
  if (entries.isNull(index)) {
    if (!type.nullable) throw nullRefused(walk.leaf.path.join('.'))
    walk.emit(level.repetition, level.definition)
    return
  }
  const held = { ...level, definition: level.definition + (type.nullable ? 1 : 0) }
  const at = entries.cellAt(index)
  switch (type.kind) {
    case 'array':
    case 'map':
      walkEntries(walk, type, nestedBytes(block, at), held)
      break
    case 'row': {
      const way = walk.leaf.steps[held.step]
      invariant(way?.kind === 'field', 'a ROW is left by one of its fields')
      const fields = nestedBytes(block, at)
      const inside = { ...held, step: held.step + 1 }
      const { type: fieldType } = type.fields[way.index]!
      walkEntry(walk, fieldType, fields, rowEntries(type.fields, fields), way.index, inside)
      break
    }
    default:
      walk.emit(held.repetition, held.definition)
      walk.value(block, at)
  }
}

/** A cell as words of a column's cell: views of bytes point into linear memory again. */
function pushCell(type: DataType, block: DataView, at: number, words: number[]): void {
  const low = block.getUint32(at, true)
  words.push(
    layoutOf(type) === 'bytes' ? block.byteOffset + low : low,
    block.getUint32(at + 4, true),
  )
  if (cellBytes(type) === 16)
    words.push(block.getUint32(at + 8, true), block.getUint32(at + 12, true))
}

function valuesOf(memory: LinearMemory, type: DataType, words: readonly number[]) {
  const cells = memory.arena.allocate(4 * words.length)
  for (let at = 0; at < words.length; at++) memory.u32[cells / 4 + at] = words[at]!
  const count = (4 * words.length) / cellBytes(type)
  const rows = Uint32Array.from({ length: count }, (_, row) => row)
  return { vector: { type, cells, validity: 0 }, rows, count }
}
