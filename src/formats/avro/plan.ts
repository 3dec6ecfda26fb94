/**
 * How a writer's schema is read into a table's columns: by name, and as "Schema Resolution" allows, with the table as the reader.
 *
 * Stated differences from Flink's avro format: a branch of a union that does not fit its column makes only the records dead that use
 * it; integers are checked against the column's range; a decimal must have the column's scale; BYTES and STRING read one another.
 */
import type { CellValue } from '../../data/nested-cells.ts'
import type { DataType, Field, RowType } from '../../data/types.ts'
import type { AvroStep } from '../../kernels/avro.ts'
import type { AvroRecord, AvroSchema, LogicalType } from './types.ts'

/** A place that values go to: a column, or a field of a ROW. */
export interface PlannedSlot {
  readonly type: DataType
  /** False: nothing of the writer's goes there, so that it is NULL throughout. */
  readonly isWritten: boolean
  /** Fields of a ROW, by slot. */
  readonly children: readonly number[]
  /** What stands for it where the writer lacks it; absent: NULL. */
  readonly fallback?: CellValue
  /** What an ARRAY's or MAP's cell, a span of Avro bytes, is made of. */
  readonly nested?: AvroSchema
}

/** What a reader's schema says of a column. */
export interface ReaderField {
  /** The name, and those that writers may have used. */
  readonly names: readonly string[]
  /** As cells hold it; undefined: none. */
  readonly fallback?: CellValue
}

export interface AvroPlan {
  readonly root: AvroStep
  /** Columns first, in order. */
  readonly slots: readonly PlannedSlot[]
}

/** Why no record of the writer's can be read. */
export interface AvroMismatch {
  readonly mismatch: string
}

interface Planning {
  readonly slots: PlannedSlot[]
  readonly readers: ReadonlyMap<string, ReaderField>
  /** Steps that pass over a named type: they may be below themselves. */
  readonly skips: Map<AvroSchema, AvroStep>
}

/** Columns that the writer lacks are NULL, or what the reader's schema has for a default. */
export function planAvro(
  writer: AvroSchema,
  columns: readonly Field[],
  readers: ReadonlyMap<string, ReaderField> = new Map(),
): AvroPlan | AvroMismatch {
  const record = recordOf(writer)
  if (record === undefined)
    return { mismatch: `the writer's schema is ${textOf(writer)}, no record` }
  const planning: Planning = { slots: [], readers, skips: new Map() }
  const type: RowType = { kind: 'row', fields: columns, nullable: false }
  const indexes = columns.map((column) => reserve(planning, column.type))
  const step = recordStep(planning, record, type, '', indexes)
  if ('mismatch' in step) return step
  return { root: unionAround(writer, record, step), slots: planning.slots }
}

/** Of a union with one record and null, the record: a null is refused. */
function recordOf(writer: AvroSchema): AvroRecord | undefined {
  if (writer.kind === 'record') return writer
  if (writer.kind !== 'union') return undefined
  const records = writer.branches.filter((branch) => branch.kind === 'record')
  return records.length === 1 ? records[0] : undefined
}

function unionAround(writer: AvroSchema, record: AvroRecord, step: AvroStep): AvroStep {
  if (writer.kind !== 'union') return step
  const refused: AvroStep = { kind: 'refused', path: '' }
  const children = writer.branches.map((branch) => (branch === record ? step : refused))
  return { kind: 'union', path: '', children }
}

function reserve({ slots }: Planning, type: DataType): number {
  return slots.push({ type, isWritten: false, children: [] }) - 1
}

function recordStep(
  planning: Planning,
  record: AvroRecord,
  type: RowType,
  path: string,
  indexes: readonly number[],
): AvroStep | AvroMismatch {
  const children: AvroStep[] = []
  const placeOf = (name: string): string => (path === '' ? name : `${path}.${name}`)
  // A reader's schema speaks of the record itself alone.
  const namesOf = (name: string): readonly string[] =>
    (path === '' ? planning.readers.get(name)?.names : undefined) ?? [name]
  const written = new Map<string, number>()
  for (const [at, { name }] of type.fields.entries()) {
    const named = record.fields.filter((field) => namesOf(name).includes(field.name))
    if (named.length > 1)
      return {
        mismatch: `column ${name} is, by its aliases, ${named.map((each) => each.name).join(' and ')}`,
      }
    if (named[0] !== undefined) written.set(named[0].name, at)
  }
  for (const field of record.fields) {
    const at = written.get(field.name)
    const step =
      at === undefined
        ? skip(planning, field.type, placeOf(field.name))
        : readStep(
            planning,
            field.type,
            type.fields[at]!.type,
            placeOf(type.fields[at]!.name),
            indexes[at]!,
          )
    if ('mismatch' in step) return step
    children.push(step)
  }
  const found = new Set(written.values())
  for (const [at, field] of type.fields.entries()) {
    if (found.has(at)) continue
    const lacking = lackingStep(planning, field, placeOf(field.name), indexes[at]!, path === '')
    if (lacking !== undefined && 'mismatch' in lacking) return lacking
    if (lacking !== undefined) children.push(lacking)
  }
  return { kind: 'record', path, children }
}

/** A column that the writer lacks: a default, or NULL. */
function lackingStep(
  { slots, readers }: Planning,
  { name, type }: Field,
  path: string,
  slot: number,
  isColumn: boolean,
): AvroStep | AvroMismatch | undefined {
  const fallback = isColumn ? readers.get(name)?.fallback : undefined
  if (fallback !== undefined && fallback !== null) {
    slots[slot] = { ...slots[slot]!, fallback }
    return undefined
  }
  if (!type.nullable)
    return { mismatch: `column ${path} is NOT NULL, and the writer's schema has no such field` }
  if (isColumn) return undefined
  // Another branch of a union may write it: a step of no bytes.
  slots[slot] = { ...slots[slot]!, isWritten: true }
  return { kind: 'null', path, slot }
}

/** Marks the slot as written. */
function readStep(
  planning: Planning,
  writer: AvroSchema,
  type: DataType,
  path: string,
  slot: number,
): AvroStep | AvroMismatch {
  planning.slots[slot] = { ...planning.slots[slot]!, isWritten: true }
  if (writer.kind === 'union') return unionStep(planning, writer.branches, type, path, slot)
  if (writer.kind === 'null') return { kind: 'null', path, slot }
  if (writer.kind === 'record' && type.kind === 'row') {
    const { children } = planning.slots[slot]!
    const indexes =
      children.length > 0 ? children : type.fields.map((field) => reserve(planning, field.type))
    planning.slots[slot] = { ...planning.slots[slot]!, children: indexes }
    return recordStep(planning, writer, type, path, indexes)
  }
  if (
    (writer.kind === 'array' && type.kind === 'array') ||
    (writer.kind === 'map' && type.kind === 'map')
  ) {
    planning.slots[slot] = { ...planning.slots[slot]!, nested: writer }
    const item = writer.kind === 'array' ? writer.items : writer.values
    return { kind: writer.kind, path, slot, children: [skip(planning, item, path)] }
  }
  const scalar = scalarStep(writer, type)
  if (scalar !== undefined) return { ...scalar, path, slot }
  return {
    mismatch: `column ${path} is ${type.kind.toUpperCase()}, and the writer's schema says ${textOf(writer)}`,
  }
}

function unionStep(
  planning: Planning,
  branches: readonly AvroSchema[],
  type: DataType,
  path: string,
  slot: number,
): AvroStep | AvroMismatch {
  // Spans of bytes don't tell which branch they are of.
  const nested = branches.filter(({ kind }) => kind === 'array' || kind === 'map')
  const steps = branches.map((branch): AvroStep | AvroMismatch =>
    nested.length > 1 && branch !== nested.find(({ kind }) => kind === type.kind)
      ? { mismatch: '' }
      : readStep(planning, branch, type, path, slot),
  )
  const fitting = branches.some(
    (branch, index) => branch.kind !== 'null' && !('mismatch' in steps[index]!),
  )
  const first = steps.find((step) => 'mismatch' in step)
  if (!fitting && first !== undefined) return first
  const children = steps.map(
    (step): AvroStep => ('mismatch' in step ? { kind: 'refused', path } : step),
  )
  return { kind: 'union', path, children }
}

const RANGES: Readonly<Partial<Record<DataType['kind'], bigint>>> = {
  tinyint: 2n ** 7n,
  smallint: 2n ** 15n,
  int: 2n ** 31n,
}
const INT = 2n ** 31n

type Scalar = Omit<AvroStep, 'path' | 'slot'>

/** Undefined if the writer's type can't be read as the column's. */
export function scalarStep(writer: AvroSchema, type: DataType): Scalar | undefined {
  switch (writer.kind) {
    case 'boolean':
      return type.kind === 'boolean' ? { kind: 'boolean' } : undefined
    case 'int':
    case 'long':
      return integerStep(writer.kind, writer.logical, type)
    case 'float':
      return type.kind === 'float' || type.kind === 'double' ? { kind: 'float' } : undefined
    case 'double':
      return type.kind === 'double' ? { kind: 'double' } : undefined
    case 'string':
    case 'bytes':
      if (type.kind === 'decimal') return decimalStep(writer.logical, type)
      if (type.kind === 'char' || type.kind === 'varchar') return { kind: 'bytes', isText: true }
      return type.kind === 'binary' || type.kind === 'varbinary' ? { kind: 'bytes' } : undefined
    case 'enum': {
      const isText = type.kind === 'char' || type.kind === 'varchar'
      return isText ? { kind: 'enum', symbols: writer.symbols } : undefined
    }
    case 'fixed': {
      const { size } = writer
      if (type.kind === 'binary' || type.kind === 'varbinary') return { kind: 'fixed', size }
      const decimal = type.kind === 'decimal' ? decimalStep(writer.logical, type) : undefined
      if (decimal === undefined) return undefined
      return {
        ...decimal,
        size,
        kind: decimal.kind === 'decimal' ? 'decimal fixed' : 'decimal fixed wide',
      }
    }
    default:
      return undefined
  }
}

function integerStep(
  writer: 'int' | 'long',
  logical: LogicalType | undefined,
  type: DataType,
): Scalar | undefined {
  const name = logical?.name ?? ''
  const ofWriter = writer === 'int' ? { least: -INT, greatest: INT - 1n } : {}
  switch (type.kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint': {
      const bound = RANGES[type.kind]
      const limits = bound === undefined ? ofWriter : { least: -bound, greatest: bound - 1n }
      return { kind: 'integer', ...limits }
    }
    case 'float':
    case 'double':
      return { kind: 'integer as double' }
    case 'date':
      return writer === 'int' ? { kind: 'integer', ...ofWriter } : undefined
    case 'time': {
      const day = 86_400_000n
      if (name === 'time-micros') return { kind: 'integer', least: 0n, greatest: 1000n * day - 1n }
      return { kind: 'integer', least: 0n, greatest: day - 1n, factor: 1000n }
    }
    case 'timestamp':
    case 'timestamp_ltz': {
      if (writer !== 'long' || name.endsWith('-nanos')) return undefined
      if (name.endsWith('-micros')) return { kind: 'integer' }
      // Without a logical type they are milliseconds, as Flink takes them.
      const greatest = (2n ** 63n - 1n) / 1000n
      return { kind: 'integer', least: -greatest, greatest, factor: 1000n }
    }
    default:
      return undefined
  }
}

function decimalStep(
  logical: LogicalType | undefined,
  type: Extract<DataType, { kind: 'decimal' }>,
): Scalar | undefined {
  if (logical?.name !== 'decimal' || (logical.scale ?? 0) !== type.scale) return undefined
  if (type.precision > 18) return { kind: 'decimal wide' }
  const greatest = 10n ** BigInt(type.precision) - 1n
  return { kind: 'decimal', least: -greatest, greatest }
}

function skip(planning: Planning, writer: AvroSchema, path: string): AvroStep {
  const known = planning.skips.get(writer)
  if (known !== undefined) return known
  const children: AvroStep[] = []
  const step: AvroStep = skippingStep(writer, path, children)
  if ('name' in writer) planning.skips.set(writer, step)
  if (writer.kind === 'record')
    children.push(...writer.fields.map(({ type, name }) => skip(planning, type, `${path}.${name}`)))
  else if (writer.kind === 'union')
    children.push(...writer.branches.map((branch) => skip(planning, branch, path)))
  else if (writer.kind === 'array') children.push(skip(planning, writer.items, path))
  else if (writer.kind === 'map') children.push(skip(planning, writer.values, path))
  return step
}

function skippingStep(writer: AvroSchema, path: string, children: AvroStep[]): AvroStep {
  switch (writer.kind) {
    case 'int':
    case 'long':
      return { kind: 'integer', path }
    case 'string':
      return { kind: 'bytes', path }
    case 'fixed':
      return { kind: 'fixed', path, size: writer.size }
    case 'enum':
      return { kind: 'enum', path, symbols: writer.symbols }
    case 'record':
    case 'union':
    case 'array':
    case 'map':
      return { kind: writer.kind, path, children }
    default:
      return { kind: writer.kind, path }
  }
}

function textOf(writer: AvroSchema): string {
  if (writer.kind === 'union') return `a union of ${writer.branches.map(textOf).join(', ')}`
  if ('name' in writer) return `${writer.kind} ${writer.name}`
  const logical = 'logical' in writer ? writer.logical : undefined
  if (logical === undefined) return writer.kind
  const scale =
    logical.precision === undefined ? '' : `(${logical.precision}, ${logical.scale ?? 0})`
  return `${writer.kind} ${logical.name}${scale}`
}
