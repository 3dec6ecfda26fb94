/** Table functions: how many rows each makes of a row, and the columns of those rows. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { mapEntries, type NestedEntries, nestedBytes } from '../../data/nested.ts'
import { type DataType, layoutOf, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { elementsOf, pairsOf } from '../../kernels/nested.ts'
import type { Correlate } from '../../plan/nodes.ts'
import { vectorAt } from './joined-rows.ts'

/** Rows to be made, u32 each: the row of the input, and the number among those made of it. */
export interface Made {
  readonly rows: Pointer
  readonly indexes: Pointer
  readonly count: number
}

export interface TableFunction {
  /** What rows are made of row `row`: how many, or the numbers of those that count. */
  entriesOf(args: readonly Vector[], row: number): number | readonly number[]
  columnsOf(args: readonly Vector[], made: Made): readonly Vector[]
}

/** @throws SQL_UNSUPPORTED */
export function tableFunctionOf(plan: Correlate, memory: LinearMemory): TableFunction {
  switch (plan.function) {
    case 'UNNEST':
      return unnest(memory, plan.args[0]!.type)
    case 'UNNEST_WITH_ORDINALITY':
      return withOrdinality(memory, unnest(memory, plan.args[0]!.type))
    case 'REPLICATE_ROWS':
      return replicateRows(memory)
    default:
      throw unknown(plan.function, plan.function)
  }
}

function unnest(memory: LinearMemory, type: DataType): TableFunction {
  if (type.kind !== 'array' && type.kind !== 'map')
    throw unknown(`UNNEST of ${type.kind}`, type.kind)
  return {
    entriesOf([collection], row) {
      const base = blockAt(memory, collection!, row)
      if (base === 0) return 0
      const count = countAt(memory, base)
      return type.kind === 'map' && count > 1
        ? lastOfKeys(memory, type.key, type.value, base)
        : count
    },
    columnsOf([collection], { rows, indexes, count }) {
      const bases = memory.arena.allocate(4 * count)
      for (let at = 0; at < count; at++) {
        const base = blockAt(memory, collection!, memory.u32[rows / 4 + at]!)
        memory.u32[bases / 4 + at] = base
      }
      const of = { bases, indexes, count }
      if (type.kind === 'map') return pairsOf(memory, type.key, type.value, of)
      const elements = elementsOf(memory, type.element, of)
      return elements.children ?? [elements]
    },
  }
}

function withOrdinality(memory: LinearMemory, inner: TableFunction): TableFunction {
  return {
    entriesOf: inner.entriesOf,
    columnsOf(args, made) {
      const cells = memory.arena.allocate(8 * made.count)
      const { i64, u32 } = memory
      for (let at = 0; at < made.count; at++)
        i64[cells / 8 + at] = BigInt(u32[made.indexes / 4 + at]! + 1)
      const ordinality = { type: withNullability(types.int, false), cells, validity: 0 }
      return [...inner.columnsOf(args, made), ordinality]
    },
  }
}

function replicateRows(memory: LinearMemory): TableFunction {
  return {
    entriesOf([times], row) {
      if (isNull(memory, times!, row)) return 0
      const count = Number(memory.i64[times!.cells / 8 + row]!)
      return Math.max(count, 0)
    },
    columnsOf: ([, ...columns], { rows, count }) =>
      columns.map((column) => vectorAt(memory, column, rows, count)),
  }
}

/** The address of the encoded value; 0 for NULL. */
function blockAt(memory: LinearMemory, collection: Vector, row: number): Pointer {
  return isNull(memory, collection, row) ? 0 : memory.u32[collection.cells / 4 + 2 * row]!
}

/** Blocks are not aligned. */
function countAt({ u8 }: LinearMemory, base: Pointer): number {
  return (u8[base]! | (u8[base + 1]! << 8) | (u8[base + 2]! << 16) | (u8[base + 3]! << 24)) >>> 0
}

/** Of equal keys of a map the last counts; entries stay in order. */
function lastOfKeys(
  memory: LinearMemory,
  key: DataType,
  value: DataType,
  base: Pointer,
): readonly number[] {
  const block = new DataView(memory.memory.buffer, base)
  const { keys } = mapEntries(key, value, block)
  const last = new Map<string, number>()
  for (let index = 0; index < keys.count; index++) last.set(keyText(key, block, keys, index), index)
  return [...last.values()]
}

function keyText(key: DataType, block: DataView, keys: NestedEntries, index: number): string {
  if (keys.isNull(index)) return 'null'
  const at = keys.cellAt(index)
  const layout = layoutOf(key)
  if (layout === 'i128') return `${block.getBigInt64(at, true)} ${block.getBigInt64(at + 8, true)}`
  if (layout === 'i64' || layout === 'f64') return `${block.getBigInt64(at, true)}`
  const bytes = nestedBytes(block, at)
  return Buffer.from(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)).toString(
    'latin1',
  )
}

function isNull({ u8 }: LinearMemory, { validity }: Vector, row: number): boolean {
  return validity !== 0 && ((u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 0
}

function unknown(what: string, name: string): MillraceError {
  return new MillraceError('SQL_UNSUPPORTED', {
    message: `the engine has no table function ${what}`,
    hint: 'arrays and maps become rows by UNNEST: CROSS JOIN UNNEST(items) AS t (item)',
    facts: { function: name },
  })
}
