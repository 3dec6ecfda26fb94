/**
 * What a sink's table says of its values, held against each row that is written: NOT NULL, and the lengths of texts and bytes.
 *
 * @see Flink, ConstraintEnforcer; 'table.exec.sink.not-null-enforcer', '...type-length-enforcer', '...nested-constraint-enforcer'
 */
import type { Batch, Vector } from '../../data/batch.ts'
import { cellReaderOf, cellWriterOf } from '../../data/cells.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { CellValue } from '../../data/nested-cells.ts'
import { type DataType, STRING_LENGTH_MAX, withNullability } from '../../data/types.ts'
import { isNull } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import type { SinkNode } from '../../plan/nodes.ts'
import type { SinkChecks } from '../../plan/sink-checks.ts'
import { rowsWithout } from '../evaluation.ts'

interface CheckedColumn {
  readonly index: number
  readonly name: string
  readonly type: DataType
}

const DEFAULTS: SinkChecks = { notNull: 'error', length: 'ignore', nested: 'ignore' }

/** Gives the rows to be written, perhaps fewer, or with other texts. @throws SINK_VALUE_REFUSED */
export type CheckRows = (batch: Batch) => Batch

/** undefined where there is nothing to check. */
export function sinkChecks(plan: SinkNode, memory: LinearMemory): CheckRows | undefined {
  const checks = plan.checks ?? DEFAULTS
  const columns = columnsOf(plan)
  const flat = columns.filter(({ type }) => !type.nullable)
  const deep = columns.filter(({ type }) => isDeep(type, checks))
  if (flat.length === 0 && deep.length === 0) return undefined
  return (batch) => {
    const kept = flat.reduce((rows, column) => withoutNulls(memory, rows, column, checks), batch)
    return deep.reduce((rows, column) => checkedDeep(memory, rows, column, checks), kept)
  }
}

function columnsOf({ table }: SinkNode): readonly CheckedColumn[] {
  return table.columns
    .filter(
      (column) => column.kind === 'physical' || (column.kind === 'metadata' && !column.virtual),
    )
    .map(({ name, type }, index) => ({ index, name, type }))
}

function withoutNulls(
  memory: LinearMemory,
  batch: Batch,
  { index, name }: CheckedColumn,
  { notNull }: SinkChecks,
): Batch {
  const vector = batch.columns[index]!
  if (vector.validity === 0) return batch
  const kept = rowsWithout(memory, batch, (row) => isNull(memory, vector, row))
  if (kept.count === batch.count) return batch
  if (notNull === 'error') throw nullRefused(name)
  return { ...batch, ...kept }
}

/** Values must be looked into: their own length, or what is in them. */
function isDeep(type: DataType, checks: SinkChecks): boolean {
  if (checks.length !== 'ignore' && hasLength(type)) return true
  const checksNested = (inner: DataType): boolean => !inner.nullable || isDeep(inner, checks)
  switch (type.kind) {
    case 'row':
      return checks.nested !== 'ignore' && type.fields.some((field) => checksNested(field.type))
    case 'array':
      return checks.nested === 'all' && checksNested(type.element)
    case 'map':
      return checks.nested === 'all' && [type.key, type.value].some(checksNested)
    default:
      return false
  }
}

type Lengthy = Extract<DataType, { kind: 'char' | 'varchar' | 'binary' | 'varbinary' }>

function hasLength(type: DataType): type is Lengthy {
  return (
    type.kind === 'char' ||
    type.kind === 'binary' ||
    ((type.kind === 'varchar' || type.kind === 'varbinary') && type.length < STRING_LENGTH_MAX)
  )
}

/** A NULL where there must be none: the row is not written. */
const DROPPED = Symbol('dropped')

function checkedDeep(
  memory: LinearMemory,
  batch: Batch,
  column: CheckedColumn,
  checks: SinkChecks,
): Batch {
  const { index, name, type } = column
  const vector = batch.columns[index]!
  const read = cellReaderOf(memory, vector)
  const dropped = new Set<number>()
  const writer =
    checks.length === 'trim-pad'
      ? cellWriterOf(memory, vector.type, batch.rowCount, (units) => {
          throw new RangeError(`a text of ${units} characters`)
        })
      : undefined
  const kept = rowsWithout(memory, batch, (row) => {
    const value = read(row)
    const checked = checkedValue(value, type, name, checks)
    if (checked === DROPPED) dropped.add(row)
    else writer?.set(row, checked)
    return dropped.has(row)
  })
  const columns =
    writer === undefined ? batch.columns : replaced(batch.columns, index, writer.vector)
  return { ...batch, ...kept, columns }
}

function replaced(columns: readonly Vector[], index: number, vector: Vector): readonly Vector[] {
  return columns.map((each, at) => (at === index ? vector : each))
}

/** `path` names the value: a.b, a[0], a[key]. */
function checkedValue(
  value: CellValue,
  type: DataType,
  path: string,
  checks: SinkChecks,
): CellValue | typeof DROPPED {
  if (value === null) {
    if (type.nullable) return null
    if (checks.notNull === 'drop') return DROPPED
    throw nullRefused(path)
  }
  if (hasLength(type)) return checkedLength(value as string | Uint8Array, type, path, checks)
  const parts = checks.nested === 'ignore' ? undefined : partsOf(value, type, path, checks)
  if (parts === undefined) return value
  const made: CellValue[] = []
  for (const part of parts) {
    const checked = checkedValue(part.value, part.type, part.path, checks)
    if (checked === DROPPED) return DROPPED
    made.push(checked)
  }
  if (type.kind !== 'map') return made
  return (value as readonly CellValue[]).map((_, entry) => [made[2 * entry]!, made[2 * entry + 1]!])
}

interface Part {
  readonly value: CellValue
  readonly type: DataType
  readonly path: string
}

/** undefined for what has no parts, or none that are checked. */
function partsOf(
  value: CellValue,
  type: DataType,
  path: string,
  { nested }: SinkChecks,
): readonly Part[] | undefined {
  const list = value as readonly CellValue[]
  if (type.kind === 'row') {
    return type.fields.map((field, index) => ({
      value: list[index]!,
      type: field.type,
      path: `${path}.${field.name}`,
    }))
  }
  if (nested !== 'all') return undefined
  if (type.kind === 'array') {
    return list.map((each, index) => ({
      value: each,
      type: type.element,
      path: `${path}[${index}]`,
    }))
  }
  if (type.kind !== 'map') return undefined
  return (list as readonly (readonly CellValue[])[]).flatMap(([key, each]) => [
    { value: key!, type: type.key, path: `${path}[key]` },
    { value: each!, type: type.value, path: `${path}[value]` },
  ])
}

function checkedLength(
  value: string | Uint8Array,
  type: Lengthy,
  path: string,
  { length }: SinkChecks,
): CellValue {
  const isFixed = type.kind === 'char' || type.kind === 'binary'
  const given = typeof value === 'string' ? [...value].length : value.length
  const fits = isFixed ? given === type.length : given <= type.length
  if (fits || length === 'ignore') return value
  if (length === 'error') throw lengthRefused(path, type, given)
  if (typeof value === 'string') {
    const cut = [...value].slice(0, type.length).join('')
    return isFixed ? cut + ' '.repeat(Math.max(0, type.length - given)) : cut
  }
  if (!isFixed || given > type.length) return value.slice(0, type.length)
  const padded = new Uint8Array(type.length)
  padded.set(value)
  return padded
}

function nullRefused(path: string): MillraceError {
  return new MillraceError('SINK_VALUE_REFUSED', {
    message: `column '${path}' is NOT NULL, and a NULL was to be written into it`,
    hint: "give it a value with COALESCE, or leave such rows out: SET 'table.exec.sink.not-null-enforcer' = 'DROP'",
    facts: { column: path },
  })
}

function lengthRefused(path: string, type: Lengthy, given: number): MillraceError {
  const text = typeText(withNullability(type, true))
  return new MillraceError('SINK_VALUE_REFUSED', {
    message: `column '${path}' is ${text}, and a value of length ${given} was to be written into it`,
    hint: "SET 'table.exec.sink.type-length-enforcer' = 'TRIM_PAD' to have values cut and filled up",
    facts: { column: path, length: given },
  })
}
