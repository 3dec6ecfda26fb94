/** Values, as cells hold them, to Avro bytes of a schema. */
import type { CellValue } from '../../data/nested-cells.ts'
import type { DataType } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { ByteSink } from '../byte-sink.ts'
import type { AvroSchema, LogicalType } from './types.ts'

export type WriteValue = (out: ByteSink, value: CellValue) => void

/** Undefined if the schema can't hold the type. */
export function valueWriter(schema: AvroSchema, type: DataType): WriteValue | undefined {
  switch (schema.kind) {
    case 'union':
      return unionWriter(schema.branches, type)
    case 'record':
      return type.kind === 'row' ? recordWriter(schema, type.fields) : undefined
    case 'array': {
      const item = type.kind === 'array' ? valueWriter(schema.items, type.element) : undefined
      return item && ((out, value) => writeBlock(out, value as readonly CellValue[], item))
    }
    case 'map': {
      const each = type.kind === 'map' ? valueWriter(schema.values, type.value) : undefined
      if (each === undefined) return undefined
      return (out, value) =>
        writeBlock(out, value as readonly CellValue[], (inner, entry) => {
          const [key, held] = entry as readonly [CellValue, CellValue]
          inner.text(String(key))
          each(inner, held)
        })
    }
    default:
      return scalarWriter(schema, type)
  }
}

/** Null goes to null; what is not null to the first branch that can hold the type. */
function unionWriter(branches: readonly AvroSchema[], type: DataType): WriteValue | undefined {
  const none = branches.findIndex(({ kind }) => kind === 'null')
  const writers = branches.map((branch) =>
    branch.kind === 'null' ? undefined : valueWriter(branch, type),
  )
  const some = writers.findIndex((writer) => writer !== undefined)
  const writer = writers[some]
  if (writer === undefined || (type.nullable && none < 0)) return undefined
  return (out, value) => {
    if (value === null) out.long(BigInt(none))
    else {
      out.long(BigInt(some))
      writer(out, value)
    }
  }
}

type RecordFields = Extract<DataType, { kind: 'row' }>['fields']

/** Fields of the schema by name. Those the row lacks must be able to be null. */
export function recordWriter(
  schema: Extract<AvroSchema, { kind: 'record' }>,
  fields: RecordFields,
): WriteValue | undefined {
  const writers: { readonly at: number; readonly write: WriteValue }[] = []
  for (const field of schema.fields) {
    const at = fields.findIndex(({ name }) => name === field.name)
    const write =
      at < 0
        ? valueWriter(field.type, { kind: 'null', nullable: true })
        : valueWriter(field.type, fields[at]!.type)
    if (write === undefined || (at >= 0 && fields[at]!.type.nullable && !takesNull(field.type)))
      return undefined
    writers.push({ at, write })
  }
  if (fields.some(({ name }) => !schema.fields.some((field) => field.name === name)))
    return undefined
  return (out, value) => {
    const row = value as readonly CellValue[]
    for (const { at, write } of writers) write(out, at < 0 ? null : row[at]!)
  }
}

function takesNull(schema: AvroSchema): boolean {
  return (
    schema.kind === 'null' ||
    (schema.kind === 'union' && schema.branches.some(({ kind }) => kind === 'null'))
  )
}

function writeBlock(out: ByteSink, items: readonly CellValue[], item: WriteValue): void {
  if (items.length > 0) {
    out.long(BigInt(items.length))
    for (const each of items) item(out, each)
  }
  out.long(0n)
}

function scalarWriter(schema: AvroSchema, type: DataType): WriteValue | undefined {
  const logical = 'logical' in schema ? schema.logical : undefined
  switch (schema.kind) {
    case 'null':
      return type.kind === 'null' ? () => undefined : undefined
    case 'boolean':
      return type.kind === 'boolean' ? (out, value) => out.byte(value === true ? 1 : 0) : undefined
    case 'int':
    case 'long': {
      const divisor = unitOf(schema.kind, logical, type)
      if (divisor === undefined) return undefined
      if (divisor === 1n) return (out, value) => out.long(value as bigint)
      return (out, value) => out.long(floorDivide(value as bigint, divisor))
    }
    case 'float':
      return type.kind === 'float' ? (out, value) => out.float(value as number) : undefined
    case 'double':
      return type.kind === 'double' || type.kind === 'float'
        ? (out, value) => out.double(value as number)
        : undefined
    case 'string':
      return isText(type) ? (out, value) => out.text(value as string) : undefined
    case 'bytes':
      if (type.kind === 'decimal')
        return isDecimal(logical, type)
          ? (out, value) => out.block(twosComplement(value as bigint))
          : undefined
      return isBytes(type) ? (out, value) => out.block(value as Uint8Array) : undefined
    case 'enum': {
      if (!isText(type)) return undefined
      const { symbols, fallback, name } = schema
      return (out, value) => {
        const at = symbols.indexOf(String(value))
        if (at < 0 && fallback === undefined) throw symbolMissing(name, String(value))
        out.long(BigInt(at < 0 ? symbols.indexOf(String(fallback)) : at))
      }
    }
    case 'fixed':
      return type.kind === 'decimal' && isDecimal(logical, type)
        ? (out, value) => out.raw(padded(value as bigint, schema.size))
        : undefined
    default:
      return undefined
  }
}

function symbolMissing(name: string, value: string): MillraceError {
  return new MillraceError('VALUE_REFUSED', {
    message: `enum ${name} has no symbol ${JSON.stringify(value.slice(0, 100))}`,
    hint: 'give the enum a default, or let the query make such values NULL',
    facts: { name },
  })
}

/** What a cell is divided by: µs in cells, ms in Avro. Undefined if the type does not fit. */
function unitOf(
  kind: 'int' | 'long',
  logical: LogicalType | undefined,
  type: DataType,
): bigint | undefined {
  const name = logical?.name ?? ''
  switch (type.kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
      return 1n
    case 'date':
      return kind === 'int' ? 1n : undefined
    case 'bigint':
      return kind === 'long' ? 1n : undefined
    case 'time':
      return name === 'time-micros' ? 1n : 1000n
    case 'timestamp':
    case 'timestamp_ltz':
      if (kind === 'int' || name.endsWith('-nanos')) return undefined
      return name.endsWith('-micros') ? 1n : 1000n
    default:
      return undefined
  }
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}

function isText({ kind }: DataType): boolean {
  return kind === 'char' || kind === 'varchar'
}

function isBytes({ kind }: DataType): boolean {
  return kind === 'binary' || kind === 'varbinary'
}

function isDecimal(
  logical: LogicalType | undefined,
  type: { readonly precision: number; readonly scale: number },
): boolean {
  if (logical?.name !== 'decimal' || (logical.scale ?? 0) !== type.scale) return false
  return (logical.precision ?? 38) >= type.precision
}

/** Big-endian, as few bytes as hold the sign. */
function twosComplement(value: bigint): Uint8Array {
  let bytes = 1
  while (BigInt.asIntN(8 * bytes, value) !== value) bytes++
  return padded(value, bytes)
}

function padded(value: bigint, size: number): Uint8Array {
  const out = new Uint8Array(size)
  let rest = BigInt.asUintN(8 * size, value)
  for (let at = size - 1; at >= 0; at--) {
    out[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return out
}
