/**
 * The order of rows by sort keys, where they lie: entries of row lists among one another, and rows of a batch against entries.
 *
 * NaN is greater than every number; texts are ordered by their bytes. A sort key that is not a column is kept as one more column
 * of the row: `columns` are those of the input, then these.
 */

import { readerOf } from '../../compile/cells.ts'
import type { CompiledExpression, Frame } from '../../compile/compiled.ts'
import { compileExpression } from '../../compile/expression.ts'
import { compareValues } from '../../compile/value-order.ts'
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, layoutOf, type Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { aggregateKernel } from '../../kernels/aggregate.ts'
import type { Expression } from '../../plan/expressions.ts'
import type { SortKey } from '../../plan/nodes.ts'
import type { RowLists } from '../../state/row-lists.ts'

/** What a row is kept as, so that it can be compared. */
export interface SortColumns {
  /** Types of the columns that are kept: the input's, then the computed sort keys'. */
  readonly types: readonly DataType[]
  readonly keys: readonly KeyColumn[]
  /** The columns that are kept, of a frame over the input's. */
  of(frame: Frame): readonly Vector[]
}

/** Columns of rows of `schema`, and others that are computed from them when a row comes. */
export interface KeptColumns extends Pick<SortColumns, 'types' | 'of'> {
  /** The number of the column that holds what `expression` gives; it is added if there is none. */
  place(expression: Expression): number
  keyOf(key: SortKey): KeyColumn
}

export interface KeyColumn {
  readonly column: number
  readonly type: DataType
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export interface SortOrder {
  /** Below 0 if the left entry comes first, 0 if they tie. */
  compareEntries(left: Pointer, right: Pointer): number
  /** The same, of row `row` of the kept columns against an entry. */
  compareRow(columns: readonly Vector[], row: number, right: Pointer): number
  compareRows(columns: readonly Vector[], row: number, other: number): number
}

export function keptColumns(memory: LinearMemory, schema: Schema): KeptColumns {
  const computed: CompiledExpression[] = []
  const places = new Map<string, number>()
  const types = schema.map(({ type }) => type)
  const place = (expression: Expression): number => {
    if (expression.kind === 'column') return expression.index
    const text = JSON.stringify(expression)
    const known = places.get(text)
    if (known !== undefined) return known
    computed.push(compileExpression(expression, { memory }))
    places.set(text, types.push(expression.type) - 1)
    return types.length - 1
  }
  return {
    types,
    place,
    keyOf({ expression, descending, nullsFirst }) {
      const { type } = expression
      if (layoutOf(type) === 'row') throw rowOrder()
      return { column: place(expression), type, descending, nullsFirst }
    },
    of: (frame) =>
      computed.length === 0
        ? frame.columns
        : [...frame.columns, ...computed.map((key) => key.evaluate(frame))],
  }
}

export function sortColumns(
  memory: LinearMemory,
  schema: Schema,
  order: readonly SortKey[],
): SortColumns {
  const kept = keptColumns(memory, schema)
  return { ...kept, keys: order.map(kept.keyOf) }
}

export function sortOrder(
  memory: LinearMemory,
  keys: readonly KeyColumn[],
  lists: Pick<RowLists, 'cellOffset' | 'isNull'>,
): SortOrder {
  const compared = keys.map((key) => keyOrder(memory, key, lists))
  const [only] = compared
  if (compared.length === 1 && only !== undefined) return only
  return {
    compareEntries(left, right) {
      for (let index = 0; index < compared.length; index++) {
        const order = compared[index]!.compareEntries(left, right)
        if (order !== 0) return order
      }
      return 0
    },
    compareRow(columns, row, right) {
      for (let index = 0; index < compared.length; index++) {
        const order = compared[index]!.compareRow(columns, row, right)
        if (order !== 0) return order
      }
      return 0
    },
    compareRows(columns, row, other) {
      for (let index = 0; index < compared.length; index++) {
        const order = compared[index]!.compareRows(columns, row, other)
        if (order !== 0) return order
      }
      return 0
    },
  }
}

function keyOrder(
  memory: LinearMemory,
  { column, type, descending, nullsFirst }: KeyColumn,
  lists: Pick<RowLists, 'cellOffset' | 'isNull'>,
): SortOrder {
  const offset = lists.cellOffset(column)
  const bytes = cellBytes(type)
  const compare = compareCells(memory, type)
  const sign = descending ? -1 : 1
  const whereNull = nullsFirst ? -1 : 1
  const nulls = (left: boolean, right: boolean): number =>
    left === right ? 0 : left ? whereNull : -whereNull
  const { nullable } = type
  const isNullAt = (validity: Pointer, row: number): boolean =>
    validity !== 0 && ((memory.u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 0
  return {
    compareEntries(left, right) {
      if (nullable) {
        const leftIsNull = lists.isNull(left, column)
        const rightIsNull = lists.isNull(right, column)
        if (leftIsNull || rightIsNull) return nulls(leftIsNull, rightIsNull)
      }
      return sign * compare(left + offset, right + offset)
    },
    compareRow(columns, row, right) {
      const { cells, validity } = columns[column]!
      if (nullable) {
        const isNull = isNullAt(validity, row)
        const rightIsNull = lists.isNull(right, column)
        if (isNull || rightIsNull) return nulls(isNull, rightIsNull)
      }
      return sign * compare(cells + bytes * row, right + offset)
    },
    compareRows(columns, row, other) {
      const { cells, validity } = columns[column]!
      const isNull = isNullAt(validity, row)
      const otherIsNull = isNullAt(validity, other)
      if (isNull || otherIsNull) return nulls(isNull, otherIsNull)
      return sign * compare(cells + bytes * row, cells + bytes * other)
    },
  }
}

/** Orders what two addresses hold, cells of one type. */
export function compareCells(
  memory: LinearMemory,
  type: DataType,
): (left: Pointer, right: Pointer) => number {
  if (type.kind === 'array' || type.kind === 'map') {
    const valueAt = (cells: Pointer) => readerOf(memory, { type, cells, validity: 0 })(0)
    return (left, right) => compareValues(valueAt(left), valueAt(right), type)
  }
  switch (layoutOf(type)) {
    case 'bytes': {
      const { compareBytes } = aggregateKernel(memory)
      return (left, right) => {
        const { u32 } = memory
        return compareBytes(
          u32[left / 4]!,
          u32[left / 4 + 1]!,
          u32[right / 4]!,
          u32[right / 4 + 1]!,
        )
      }
    }
    case 'f64':
      return (left, right) => compareDoubles(memory.f64[left / 8]!, memory.f64[right / 8]!)
    case 'i128':
      return (left, right) =>
        compareWords(memory, left + 8, right + 8) || compareLow(memory, left, right)
    default:
      return (left, right) => compareWords(memory, left, right)
  }
}

/** Signed, by halves: no bigint is made. */
function compareWords({ i32, u32 }: LinearMemory, left: Pointer, right: Pointer): number {
  const high = i32[(left >>> 2) + 1]!
  const other = i32[(right >>> 2) + 1]!
  if (high !== other) return high < other ? -1 : 1
  const low = u32[left >>> 2]!
  const otherLow = u32[right >>> 2]!
  return low === otherLow ? 0 : low < otherLow ? -1 : 1
}

/** Unsigned. */
function compareLow({ u32 }: LinearMemory, left: Pointer, right: Pointer): number {
  for (const half of [1, 0]) {
    const [word, other] = [u32[(left >>> 2) + half]!, u32[(right >>> 2) + half]!]
    if (word !== other) return word < other ? -1 : 1
  }
  return 0
}

function compareDoubles(left: number, right: number): number {
  if (left < right) return -1
  if (left > right) return 1
  if (left === right) return 0
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
}

function rowOrder(): MillraceError {
  return new MillraceError('SQL_UNSUPPORTED', {
    message: 'rows cannot be ordered by a ROW',
    hint: 'order by the fields of the ROW, one after the other',
    facts: {},
  })
}
