/** Decoded values of ARRAYs and MAPs to their encoded cells: the layout is told in data/nested.ts. */
import type { SchemaElement } from 'hyparquet'
import { cellBytes, type DataType, layoutOf } from '../../data/types.ts'
import { invariant } from '../../errors.ts'
import { childAt, childNamed, type FileColumn, integerReader, wrongType } from './file-column.ts'

/**
 * The block of one value: an array for an ARRAY, an object by key's text for a MAP, an object by name for a ROW.
 *
 * @throws PARQUET_INVALID if a value is not of the type
 */
export function nestedBlock(type: DataType, value: unknown, column: FileColumn): Uint8Array {
  switch (type.kind) {
    case 'array': {
      if (!Array.isArray(value)) throw wrongType(column, typeof value)
      return block(value.length, [
        { values: value, typeAt: () => type.element, columnAt: () => elementOf(column) },
      ])
    }
    case 'map': {
      if (typeof value !== 'object' || value === null) throw wrongType(column, typeof value)
      const entries = childAt(column, 1)
      const [keyColumn, valueColumn] = [childAt(entries, 1), childAt(entries, 2)]
      const keys = Object.keys(value).map((key) => keyOf(keyColumn.elements[0], key))
      return block(keys.length, [
        { values: keys, typeAt: () => type.key, columnAt: () => keyColumn },
        { values: Object.values(value), typeAt: () => type.value, columnAt: () => valueColumn },
      ])
    }
    default: {
      invariant(type.kind === 'row', 'only ARRAY, MAP and ROW are nested')
      if (typeof value !== 'object' || value === null) throw wrongType(column, typeof value)
      const held = new Map(Object.entries(value))
      const values = type.fields.map(({ name }) => held.get(name))
      const columnAt = (index: number) => childNamed(column, type.fields[index]!.name)
      return block(values.length, [
        { values, typeAt: (index) => type.fields[index]!.type, columnAt },
      ])
    }
  }
}

/** Lists of three levels, and the two of older writers, whose repeated field is the element itself. */
function elementOf(column: FileColumn): FileColumn {
  const repeated = childAt(column, 1)
  return repeated.elements[0]?.num_children === 1 ? childAt(repeated, 1) : repeated
}

/** hyparquet makes property names of keys: of bytes their numbers with commas between. */
function keyOf(element: SchemaElement | undefined, text: string): unknown {
  switch (element?.type) {
    case 'BYTE_ARRAY':
    case 'FIXED_LEN_BYTE_ARRAY':
      return Uint8Array.from(text === '' ? [] : text.split(',').map(Number))
    case 'FLOAT':
    case 'DOUBLE':
      return Number(text)
    case 'BOOLEAN':
      return text === 'true'
    default:
      return BigInt(text)
  }
}

interface Part {
  readonly values: readonly unknown[]
  readonly typeAt: (index: number) => DataType
  readonly columnAt: (index: number) => FileColumn
}

function block(count: number, parts: readonly Part[]): Uint8Array {
  const bitmap = 8 * Math.ceil(count / 64)
  const heads = parts.map(({ values, typeAt }) =>
    values.reduce<number>((sum, _, index) => sum + nestedCellBytes(typeAt(index)), bitmap),
  )
  const tails: Uint8Array[] = []
  let end = heads.reduce((sum, head) => sum + head, 8)
  const view = new DataView(new ArrayBuffer(end))
  view.setUint32(0, count, true)
  let at = 8
  for (const { values, typeAt, columnAt } of parts) {
    const bits = at
    at += bitmap
    values.forEach((value, index) => {
      const type = typeAt(index)
      if (value !== null && value !== undefined) {
        view.setUint8(bits + (index >> 3), view.getUint8(bits + (index >> 3)) | (1 << (index & 7)))
        const tail = putCell(view, at, end, type, value, columnAt(index))
        if (tail !== undefined) tails.push(tail)
        end += tail?.length ?? 0
      }
      at += nestedCellBytes(type)
    })
  }
  return Buffer.concat([new Uint8Array(view.buffer), ...tails])
}

/** Writes the cell; what it points to, if it does, is to follow at `end`. */
function putCell(
  view: DataView,
  at: number,
  end: number,
  type: DataType,
  value: unknown,
  column: FileColumn,
): Uint8Array | undefined {
  const layout = layoutOf(type)
  if (layout === 'f64') {
    view.setFloat64(at, Number(value), true)
    return undefined
  }
  if (layout === 'i64' || layout === 'i128') {
    const cell = integerReader(type, column)(value)
    view.setBigInt64(at, BigInt.asIntN(64, cell), true)
    if (layout === 'i128') view.setBigInt64(at + 8, cell >> 64n, true)
    return undefined
  }
  const isNested = type.kind === 'array' || type.kind === 'map' || type.kind === 'row'
  if (!isNested && !(value instanceof Uint8Array)) throw wrongType(column, typeof value)
  const tail = isNested ? nestedBlock(type, value, column) : (value as Uint8Array)
  view.setUint32(at, end, true)
  view.setUint32(at + 4, tail.length, true)
  return tail
}

function nestedCellBytes(type: DataType): number {
  return layoutOf(type) === 'row' ? 8 : cellBytes(type)
}
