/**
 * A whole row in the value cells of a keyed entry: one row a key, as deduplication and upserts keep it.
 *
 *   cells   which columns are NULL, 64 a cell (a ROW's own bit, then its fields'); then each column's cells in order, a ROW's
 *           fields one after another
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, layoutOf, type Schema } from '../../data/types.ts'
import type { KeyedTable, ValueCell } from '../../state/keyed-table.ts'

export interface RowCells {
  /** What the entry needs from value cell `first` on. */
  readonly values: readonly ValueCell[]
  /** Copies row `row` of `columns` into `entry`. Texts that were there are freed. */
  store(table: KeyedTable, entry: Pointer, columns: readonly Vector[], row: number): void
  /** Columns of `count` entries (u32 addresses) in the arena; texts stay in the table's slab. */
  load(table: KeyedTable, entries: Pointer, count: number): readonly Vector[]
  /** True if the entry's row is row `row` of `columns`: NULL equals NULL, texts by content. */
  equal(table: KeyedTable, entry: Pointer, columns: readonly Vector[], row: number): boolean
  isNull(table: KeyedTable, entry: Pointer, column: number): boolean
  /** Number of the value cell that column `column` begins with. */
  cellOf(column: number): number
}

/** A column or field: its NULL bit, its first value cell, and the way to its vector. */
interface Part {
  readonly type: DataType
  readonly bit: number
  readonly cell: number
  readonly words: number
  readonly isBytes: boolean
  readonly children: readonly Part[]
}

export function rowCells(memory: LinearMemory, schema: Schema, first: number): RowCells {
  const { parts, values } = layoutParts(schema, first)
  return {
    values,
    store(table, entry, columns, row) {
      const masks = table.valueOffset(first)
      for (let index = 0; index < parts.length; index++)
        storePart({ memory, table, masks }, entry, parts[index]!, columns[index]!, row)
    },
    load(table, entries, count) {
      const at = { memory, table, masks: table.valueOffset(first) }
      return parts.map((part) => loadPart(at, entries, count, part))
    },
    equal(table, entry, columns, row) {
      const at = { memory, table, masks: table.valueOffset(first) }
      return parts.every((part, index) => equalPart(at, entry, part, columns[index]!, row))
    },
    isNull: (table, entry, column) =>
      isNullIn({ memory, table, masks: table.valueOffset(first) }, entry, parts[column]!),
    cellOf: (column) => parts[column]!.cell,
  }
}

function layoutParts(schema: Schema, first: number) {
  const bits = schema.reduce((sum, { type }) => sum + partsOf(type), 0)
  const values: ValueCell[] = Array.from({ length: Math.ceil(bits / 64) }, () => 'i64')
  let bit = 0
  const partOf = (type: DataType): Part => {
    const isBytes = layoutOf(type) === 'bytes'
    const words = cellBytes(type) / 8
    const part = { type, bit: bit++, cell: first + values.length, words, isBytes }
    for (let word = 0; word < words; word++) values.push(isBytes ? 'bytes' : 'i64')
    const children = type.kind === 'row' ? type.fields.map((each) => partOf(each.type)) : []
    return { ...part, children }
  }
  return { parts: schema.map(({ type }) => partOf(type)), values }
}

/** A table, and the offset of the NULL bits in its entries. */
interface Held {
  readonly memory: LinearMemory
  readonly table: KeyedTable
  readonly masks: number
}

function storePart(held: Held, entry: Pointer, part: Part, vector: Vector, row: number): void {
  const { memory, table, masks } = held
  const mask = (entry + masks) / 4 + (part.bit >> 5)
  const isNull = isNullAt(memory, vector, row)
  if (isNull) memory.u32[mask]! |= 1 << (part.bit & 31)
  else memory.u32[mask]! &= ~(1 << (part.bit & 31))
  if (part.isBytes) {
    const cell = vector.cells / 4 + 2 * row
    const length = isNull ? 0 : memory.u32[cell + 1]!
    table.setBytes(entry, part.cell, isNull ? 0 : memory.u32[cell]!, length)
  } else {
    const into = (entry + table.valueOffset(part.cell)) / 8
    const from = vector.cells / 8 + part.words * row
    for (let word = 0; word < part.words; word++)
      memory.i64[into + word] = isNull ? 0n : memory.i64[from + word]!
  }
  part.children.forEach((child, index) => {
    storePart(held, entry, child, vector.children![index]!, row)
  })
}

function loadPart(held: Held, entries: Pointer, count: number, part: Part): Vector {
  const { memory, table } = held
  const { type, words } = part
  const cells = words === 0 ? 0 : memory.arena.allocate(8 * words * count)
  const offset = words === 0 ? 0 : table.valueOffset(part.cell)
  const { i64, u32 } = memory
  for (let at = 0; at < count; at++) {
    const from = (u32[entries / 4 + at]! + offset) / 8
    for (let word = 0; word < words; word++) i64[cells / 8 + words * at + word] = i64[from + word]!
  }
  const validity = loadValidity(held, entries, count, part.bit)
  if (type.kind !== 'row') return { type, cells, validity }
  const children = part.children.map((child) => loadPart(held, entries, count, child))
  return { type, cells, validity, children }
}

function loadValidity({ memory, masks }: Held, entries: Pointer, count: number, bit: number) {
  const validity = memory.arena.allocateCleared((count + 7) >> 3)
  const offset = masks / 4 + (bit >> 5)
  const { u32, u8 } = memory
  let nulls = 0
  for (let at = 0; at < count; at++) {
    const isNull = (u32[u32[entries / 4 + at]! / 4 + offset]! >> (bit & 31)) & 1
    if (isNull === 1) nulls++
    else u8[validity + (at >> 3)]! |= 1 << (at & 7)
  }
  return nulls === 0 ? 0 : validity
}

function equalPart(held: Held, entry: Pointer, part: Part, vector: Vector, row: number): boolean {
  const { memory, table } = held
  const isNull = isNullIn(held, entry, part)
  if (isNull !== isNullAt(memory, vector, row)) return false
  if (isNull) return true
  const kept = part.words === 0 ? 0 : entry + table.valueOffset(part.cell)
  const cell = vector.cells + 8 * part.words * row
  if (part.isBytes && !equalBytes(memory, kept, cell)) return false
  for (let word = 0; word < part.words && !part.isBytes; word++)
    if (memory.i64[kept / 8 + word] !== memory.i64[cell / 8 + word]) return false
  return part.children.every((child, index) =>
    equalPart(held, entry, child, vector.children![index]!, row),
  )
}

function isNullIn({ memory, masks }: Held, entry: Pointer, { bit }: Part): boolean {
  return ((memory.u32[(entry + masks) / 4 + (bit >> 5)]! >> (bit & 31)) & 1) === 1
}

function partsOf(type: DataType): number {
  return type.kind === 'row' ? type.fields.reduce((sum, each) => sum + partsOf(each.type), 1) : 1
}

function isNullAt(memory: LinearMemory, { validity, type }: Vector, row: number): boolean {
  if (validity === 0) return type.kind === 'null'
  return ((memory.u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 0
}

/** The texts that two cells point to. */
function equalBytes({ u32, u8 }: LinearMemory, left: Pointer, right: Pointer): boolean {
  const length = u32[left / 4 + 1]!
  if (length !== u32[right / 4 + 1]!) return false
  const [a, b] = [u32[left / 4]!, u32[right / 4]!]
  for (let at = 0; at < length; at++) if (u8[a + at] !== u8[b + at]) return false
  return true
}
