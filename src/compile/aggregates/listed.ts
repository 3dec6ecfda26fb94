/**
 * Aggregates that keep values themselves, in their order: FIRST_VALUE, LAST_VALUE, LISTAGG, ARRAY_AGG, MAP_AGG. A group's values are one
 * block in its entry, written anew when it changes: the cost of a row grows with the values of its group where all are kept.
 */
import type { Vector } from '../../data/batch.ts'
import { cellReaderOf } from '../../data/cells.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type CellValue, decodeNested, encodeNested } from '../../data/nested-cells.ts'
import type { DataType } from '../../data/types.ts'
import { writerOf } from '../cells.ts'
import { equalValues } from '../value-order.ts'
import type { Accumulator } from './accumulator.ts'
import type { GroupTable } from './aggregate-set.ts'
import type { ReadResult } from './results.ts'

export const LISTED = ['FIRST_VALUE', 'LAST_VALUE', 'LISTAGG', 'ARRAY_AGG', 'MAP_AGG'] as const
export type ListedName = (typeof LISTED)[number]

export function isListed(name: string): name is ListedName {
  return (LISTED as readonly string[]).includes(name)
}

/** The values of one row's arguments. */
type Item = readonly CellValue[]

/** `retracts`: what goes may have been the first or the last, so that all are kept. */
export function listed(
  memory: LinearMemory,
  name: ListedName,
  args: readonly DataType[],
  retracts: boolean,
): Accumulator {
  const block = blockOf(memory, args)
  const add = addition(name, retracts)
  return {
    cells: ['bytes'],
    add({ groups, entries, vectors, selection, count }, offset, valueIndex, sign) {
      const readers = vectors.map((vector) => cellReaderOf(memory, vector))
      // Rows of one group stand together most of the time: its block is written once for all of them.
      let held: { readonly entry: Pointer; items: readonly Item[] } | undefined
      const store = (): void => {
        if (held !== undefined) block.write(groups, held.entry, valueIndex, held.items)
      }
      for (let at = 0; at < count; at++) {
        const entry = memory.u32[entries / 4 + at]!
        const row = selection === 0 ? at : memory.u32[selection / 4 + at]!
        if (held?.entry !== entry) {
          store()
          held = { entry, items: block.read(entry + offset) }
        }
        const item = readers.map((read) => read(row))
        held.items = sign > 0 ? add(held.items, item) : without(held.items, item, args)
      }
      store()
      return 0
    },
    merge(groups, into, from, count, offset, valueIndex) {
      for (let at = 0; at < count; at++) {
        const entry = memory.u32[into / 4 + at]!
        const added = block.read(memory.u32[from / 4 + at]! + offset)
        block.write(groups, entry, valueIndex, added.reduce(add, block.read(entry + offset)))
      }
    },
  }
}

type Add = (items: readonly Item[], item: Item) => readonly Item[]

function addition(name: ListedName, retracts: boolean): Add {
  if (!retracts && name === 'FIRST_VALUE')
    return (items, item) => (items.length > 0 ? items : [item])
  if (!retracts && name === 'LAST_VALUE') return (_, item) => [item]
  return (items, item) => [...items, item]
}

/** Without the first that equals `item`. */
function without(items: readonly Item[], item: Item, args: readonly DataType[]): readonly Item[] {
  const isIt = (each: Item): boolean =>
    each.every((value, index) =>
      value === null || item[index] === null
        ? value === item[index]
        : equalValues(value, item[index]!, args[index]!),
    )
  const at = items.findIndex(isIt)
  return at < 0 ? items : items.toSpliced(at, 1)
}

function blockOf(memory: LinearMemory, args: readonly DataType[]) {
  const fields = args.map((type, index) => ({ name: `v${index}`, type }))
  const type: DataType = {
    kind: 'array',
    nullable: false,
    element: { kind: 'row', fields, nullable: false },
  }
  return {
    read(cell: Pointer): readonly Item[] {
      const bytes = memory.u32[cell / 4 + 1]!
      if (bytes === 0) return []
      const address = memory.u32[cell / 4]!
      const copy = memory.u8.slice(address, address + bytes)
      return decodeNested(type, new DataView(copy.buffer)) as readonly Item[]
    },
    write(groups: GroupTable, entry: Pointer, valueIndex: number, items: readonly Item[]): void {
      const encoded = items.length === 0 ? new Uint8Array() : encodeNested(type, items)
      const mark = memory.arena.mark()
      const address = memory.arena.allocate(encoded.length + 8)
      memory.u8.set(encoded, address)
      groups.setBytes(entry, valueIndex, address, encoded.length)
      memory.arena.release(mark)
    },
  }
}

/** NULL where there is no value. */
export function listedResult(
  memory: LinearMemory,
  name: ListedName,
  args: readonly DataType[],
  type: DataType,
): ReadResult {
  const block = blockOf(memory, args)
  return (entries, count, { value }): Vector => {
    const writer = writerOf(memory, type, count)
    for (let at = 0; at < count; at++) {
      const items = block.read(memory.u32[entries / 4 + at]! + value)
      if (items.length > 0) writer.set(at, resultOf(name, items))
    }
    return writer.vector
  }
}

const SEPARATOR = ','

function resultOf(name: ListedName, items: readonly Item[]): CellValue {
  switch (name) {
    case 'FIRST_VALUE':
      return items[0]![0]!
    case 'LAST_VALUE':
      return items.at(-1)![0]!
    case 'ARRAY_AGG':
      return items.map(([value]) => value!)
    case 'MAP_AGG':
      // The last value of a key counts.
      return [...new Map(items.map(([key, value]) => [key!, value!]))]
    case 'LISTAGG':
      return items.reduce(
        (text, [value, separator], index) =>
          index === 0 ? String(value) : `${text}${separator ?? SEPARATOR}${String(value)}`,
        '',
      )
  }
}
