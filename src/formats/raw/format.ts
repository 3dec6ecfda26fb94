/** A record's bytes as they are, in the one column that the table has; names of options are Flink's. */
import type { CellValue } from '../../data/nested-cells.ts'
import type { DataType, Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { Format, FormatOptions } from '../format.ts'
import { decodeRowByRow, encodeRowByRow } from '../row-values.ts'
import { bytesOf, decodeInPlace, encodeInPlace } from './in-place.ts'

interface Codec {
  /** A text: why it is dead. */
  read(bytes: Uint8Array): CellValue | { readonly reason: string }
  write(value: CellValue): Uint8Array
}

export const raw: Format = {
  name: 'raw',
  summary: 'The bytes of the record in one column: STRING, BYTES, BOOLEAN or a number',
  isText: true,
  fileEnding: 'txt',
  options: [
    {
      name: 'raw.charset',
      kind: 'enum',
      values: ['UTF-8', 'ISO-8859-1', 'US-ASCII'],
      required: false,
      fallback: 'UTF-8',
      summary: 'How a STRING is written',
    },
    {
      name: 'raw.endianness',
      kind: 'enum',
      values: ['big-endian', 'little-endian'],
      required: false,
      fallback: 'big-endian',
      summary: 'In which order the bytes of a number stand',
    },
  ],
  async openDecoder({ memory, schema, physical, options, table }) {
    const codec = codecOf(table, physical, options)
    const bytes = bytesOf(physical, options)
    if (bytes !== undefined)
      return {
        prepare: () => undefined,
        decode: (values, count) => decodeInPlace(memory, schema, values, count, bytes),
        dispose: () => undefined,
      }
    const rowOf = (record: Uint8Array): readonly CellValue[] | string => {
      const value = codec.read(record)
      if (typeof value === 'object' && value !== null && 'reason' in value) return value.reason
      return schema.length === 0 ? [] : [value]
    }
    return {
      prepare: () => undefined,
      decode: (values, count) => decodeRowByRow(memory, schema, values, count, rowOf),
      dispose: () => undefined,
    }
  },
  async openEncoder({ memory, schema, options, table }) {
    const codec = codecOf(table, schema, options)
    if (bytesOf(schema, options) !== undefined)
      return { encode: (batch) => encodeInPlace(memory, batch), dispose: () => undefined }
    return encodeRowByRow(memory, (out, [value]) => {
      if (value !== null) out.raw(codec.write(value!))
    })
  },
}

/** @throws FORMAT_TYPE_UNSUPPORTED */
function codecOf(table: string, columns: Schema, options: FormatOptions): Codec {
  const [column] = columns
  if (columns.length === 1 && column !== undefined) {
    const codec = codecFor(column.type, options)
    if (codec !== undefined) return codec
  }
  throw new MillraceError('FORMAT_TYPE_UNSUPPORTED', {
    message: `table ${table}: the format 'raw' has one column of type STRING, BYTES, BOOLEAN, TINYINT to BIGINT, FLOAT or DOUBLE`,
    hint: 'declare that one column; metadata columns may stand beside it',
    facts: { table },
  })
}

const INTEGERS: Readonly<Partial<Record<DataType['kind'], number>>> = {
  tinyint: 1,
  smallint: 2,
  int: 4,
  bigint: 8,
}

function codecFor(type: DataType, options: FormatOptions): Codec | undefined {
  const isLittle = options['raw.endianness'] === 'little-endian'
  switch (type.kind) {
    case 'char':
    case 'varchar':
      return textCodec(options['raw.charset'] ?? 'UTF-8')
    case 'binary':
    case 'varbinary':
      return { read: (bytes) => bytes, write: (value) => value as Uint8Array }
    case 'boolean':
      return sized(
        1,
        (view) => view.getUint8(0) !== 0,
        (view, value) => view.setUint8(0, value === true ? 1 : 0),
      )
    case 'float':
      return sized(
        4,
        (view) => view.getFloat32(0, isLittle),
        (view, value) => view.setFloat32(0, value as number, isLittle),
      )
    case 'double':
      return sized(
        8,
        (view) => view.getFloat64(0, isLittle),
        (view, value) => view.setFloat64(0, value as number, isLittle),
      )
    default: {
      const bytes = INTEGERS[type.kind]
      return bytes === undefined ? undefined : integerCodec(bytes, isLittle)
    }
  }
}

function textCodec(charset: string): Codec {
  if (charset !== 'UTF-8')
    return {
      read: (bytes) => Buffer.from(bytes).toString('latin1'),
      write: (value) => Buffer.from(String(value), 'latin1'),
    }
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return {
    read(bytes) {
      try {
        return utf8.decode(bytes)
      } catch {
        return { reason: 'not valid UTF-8' }
      }
    },
    write: (value) => Buffer.from(String(value)),
  }
}

function sized(
  bytes: number,
  read: (view: DataView) => CellValue,
  write: (view: DataView, value: CellValue) => void,
): Codec {
  return {
    read: (record) =>
      record.length === bytes
        ? read(new DataView(record.buffer, record.byteOffset, bytes))
        : { reason: `${record.length} bytes, not ${bytes}` },
    write(value) {
      const out = new Uint8Array(bytes)
      write(new DataView(out.buffer), value)
      return out
    },
  }
}

function integerCodec(bytes: number, isLittle: boolean): Codec {
  return sized(
    bytes,
    (view) => {
      let value = 0n
      for (let at = 0; at < bytes; at++)
        value = (value << 8n) | BigInt(view.getUint8(isLittle ? bytes - 1 - at : at))
      return BigInt.asIntN(8 * bytes, value)
    },
    (view, value) => {
      let rest = BigInt.asUintN(8 * bytes, value as bigint)
      for (let at = 0; at < bytes; at++) {
        view.setUint8(isLittle ? at : bytes - 1 - at, Number(rest & 0xffn))
        rest >>= 8n
      }
    },
  )
}
