/** One Avro value at a time, as cells hold it: for what is inside ARRAY and MAP cells, which have no kernel. Bytes have been checked by it. */
import type { CellValue } from '../../data/nested-cells.ts'
import type { DataType } from '../../data/types.ts'
import { scalarStep } from './plan.ts'
import type { AvroSchema } from './types.ts'

/** Bytes and how far they have been read. */
export interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

export type ReadValue = (cursor: Cursor) => CellValue

/** A value that does not fit; its message is the reason that a dead row bears. */
export class ValueRefused extends Error {}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws ValueRefused, and so does what it returns */
export function valueReader(writer: AvroSchema, type: DataType): ReadValue {
  switch (writer.kind) {
    case 'null':
      return () => {
        if (!type.nullable)
          throw new ValueRefused(`null, but declared ${type.kind.toUpperCase()} NOT NULL`)
        return null
      }
    case 'union': {
      const branches = writer.branches.map((branch) => lazily(branch, type))
      return (cursor) => branches[Number(readLong(cursor))]!(cursor)
    }
    case 'array': {
      if (type.kind !== 'array') break
      const item = valueReader(writer.items, type.element)
      return (cursor) => readItems(cursor, item)
    }
    case 'map': {
      if (type.kind !== 'map') break
      const value = valueReader(writer.values, type.value)
      return (cursor) => readItems(cursor, (inner) => [readText(inner), value(inner)])
    }
    case 'record': {
      if (type.kind !== 'row') break
      const fields = writer.fields.map((field) => {
        const at = type.fields.findIndex(({ name }) => name === field.name)
        return { at, read: lazily(field.type, at < 0 ? undefined : type.fields[at]!.type) }
      })
      return (cursor) => {
        const row: CellValue[] = type.fields.map(() => null)
        for (const { at, read } of fields) {
          const value = read(cursor)
          if (at >= 0) row[at] = value
        }
        return row
      }
    }
    default: {
      const step = scalarStep(writer, type)
      if (step !== undefined) return scalarReader(writer, step)
    }
  }
  throw new ValueRefused(`${writer.kind} is no ${type.kind.toUpperCase()}`)
}

/** Made when it is first used: types may be below themselves, and branches that don't fit need never come. */
function lazily(writer: AvroSchema, type: DataType | undefined): ReadValue {
  let made: ReadValue | undefined
  return (cursor) => {
    made ??= type === undefined ? skipper(writer) : valueReader(writer, type)
    return made(cursor)
  }
}

function skipper(writer: AvroSchema): ReadValue {
  const skip = (cursor: Cursor, bytes: number): null => {
    cursor.at += bytes
    return null
  }
  switch (writer.kind) {
    case 'null':
      return () => null
    case 'boolean':
      return (cursor) => skip(cursor, 1)
    case 'float':
      return (cursor) => skip(cursor, 4)
    case 'double':
      return (cursor) => skip(cursor, 8)
    case 'bytes':
    case 'string':
      return (cursor) => skip(cursor, Number(readLong(cursor)))
    case 'fixed':
      return (cursor) => skip(cursor, writer.size)
    case 'int':
    case 'long':
    case 'enum':
      return readLong
    case 'union': {
      const branches = writer.branches.map((branch) => lazily(branch, undefined))
      return (cursor) => branches[Number(readLong(cursor))]!(cursor)
    }
    case 'array': {
      const item = lazily(writer.items, undefined)
      return (cursor) => readItems(cursor, item)
    }
    case 'map': {
      const value = lazily(writer.values, undefined)
      return (cursor) => readItems(cursor, (inner) => [readText(inner), value(inner)])
    }
    case 'record': {
      const fields = writer.fields.map(({ type }) => lazily(type, undefined))
      return (cursor) => {
        for (const field of fields) field(cursor)
        return null
      }
    }
  }
}

function scalarReader(
  writer: AvroSchema,
  step: Exclude<ReturnType<typeof scalarStep>, undefined>,
): ReadValue {
  switch (step.kind) {
    case 'boolean':
      return (cursor) => cursor.bytes[cursor.at++] === 1
    case 'integer': {
      const { least, greatest, factor = 1n } = step
      return (cursor) => {
        const value = readLong(cursor)
        if ((least !== undefined && value < least) || (greatest !== undefined && value > greatest))
          throw new ValueRefused(`${value} is out of range`)
        return value * factor
      }
    }
    case 'integer as double':
      return (cursor) => Number(readLong(cursor))
    case 'float':
      return (cursor) => viewOf(cursor, 4).getFloat32(0, true)
    case 'double':
      return (cursor) => viewOf(cursor, 8).getFloat64(0, true)
    case 'enum':
      return (cursor) => step.symbols![Number(readLong(cursor))]!
    case 'fixed':
      return (cursor) => take(cursor, step.size!)
    case 'bytes':
      return step.isText === true ? readText : (cursor) => take(cursor, Number(readLong(cursor)))
    default: {
      const isFixed = writer.kind === 'fixed'
      return (cursor) => {
        const value = signed(take(cursor, isFixed ? writer.size : Number(readLong(cursor))))
        if (step.greatest !== undefined && (value > step.greatest || value < -step.greatest))
          throw new ValueRefused(`${value} is out of range`)
        return value
      }
    }
  }
}

function readItems(cursor: Cursor, item: ReadValue): CellValue[] {
  const items: CellValue[] = []
  for (;;) {
    let count = Number(readLong(cursor))
    if (count === 0) return items
    if (count < 0) {
      count = -count
      readLong(cursor)
    }
    for (let index = 0; index < count; index++) items.push(item(cursor))
  }
}

function readLong(cursor: Cursor): bigint {
  let zigzag = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = cursor.bytes[cursor.at++]
    if (byte === undefined) throw new ValueRefused('the record ends too early')
    zigzag |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return (zigzag >> 1n) ^ -(zigzag & 1n)
  }
}

function readText(cursor: Cursor): string {
  try {
    return utf8.decode(take(cursor, Number(readLong(cursor))))
  } catch {
    throw new ValueRefused('a text is not valid UTF-8')
  }
}

function take(cursor: Cursor, bytes: number): Uint8Array {
  const from = cursor.at
  cursor.at += bytes
  return cursor.bytes.subarray(from, cursor.at)
}

function viewOf(cursor: Cursor, bytes: number): DataView {
  const { buffer, byteOffset } = take(cursor, bytes)
  return new DataView(buffer, byteOffset, bytes)
}

function signed(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(8 * bytes.length, value)
}
