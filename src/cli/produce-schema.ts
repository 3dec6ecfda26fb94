/**
 * JSON lines held against a subject's schema before they are appended: those that fit are written as the subject's records are, those that don't are told.
 *
 *   AVRO, PROTOBUF   each line becomes a record behind the schema's id, as 'avro-confluent' and 'protobuf-confluent' read it
 *   JSON             each line is validated and stays as it is
 */
import { readFileSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { LinearMemory, type Pointer } from '../data/memory.ts'
import type { Schema } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import { createAvroEncoder } from '../formats/avro/encode.ts'
import { parseAvro } from '../formats/avro/schema.ts'
import { columnsOfAvro } from '../formats/avro/to-columns.ts'
import type { RecordEncoder } from '../formats/format.ts'
import { frameHead } from '../formats/framing.ts'
import { createJsonDecoder } from '../formats/json/decode.ts'
import { encoderOf } from '../formats/protobuf/format.ts'
import { messageAt, writeMessagePath } from '../formats/protobuf/message-path.ts'
import { readProto } from '../formats/protobuf/names.ts'
import { columnsOfProto } from '../formats/protobuf/to-columns.ts'
import type { RegisteredSchema, ResolvedSchema } from '../formats/schema-source.ts'
import type { ProducedRecord } from '../serve/protocol.ts'

/** What became of one line. */
export type Converted = { readonly record: ProducedRecord } | { readonly reason: string }

export interface LineSchema {
  /** One for each record, in order. */
  convert(records: readonly ProducedRecord[]): readonly Converted[]
}

const TYPES: Readonly<Record<string, ResolvedSchema['type']>> = {
  '.avsc': 'AVRO',
  '.proto': 'PROTOBUF',
  '.json': 'JSON',
}

/** Reads a schema's file; its ending says what it is. @throws USAGE_INVALID, FILE_UNREADABLE */
export function readSchemaFile(directory: string, path: string): ResolvedSchema {
  const type = TYPES[extname(path).toLowerCase()]
  if (type === undefined)
    throw new MillraceError('USAGE_INVALID', {
      message: `${path} ends in neither .avsc, .proto nor .json`,
      hint: 'the ending says what the schema is: Avro, Protobuf or JSON Schema',
      facts: { path },
    })
  try {
    return { type, text: readFileSync(resolve(directory, path), 'utf8'), references: [] }
  } catch (error) {
    throw new MillraceError('FILE_UNREADABLE', {
      message: `can't read ${path}: ${error instanceof Error ? error.message : error}`,
      hint: 'name the file of a schema',
      facts: { path },
      cause: error,
    })
  }
}

/** @throws FORMAT_TYPE_UNSUPPORTED if lines of JSON can't be told as the schema wants */
export async function openLineSchema(schema: RegisteredSchema): Promise<LineSchema> {
  switch (schema.type) {
    case 'AVRO': {
      const parsed = parseAvro(schema)
      const columns = columnsOfAvro(parsed)
      const head = frameHead('confluent', schema.id)
      return encoding(columns, (memory) =>
        createAvroEncoder(memory, 'the lines', columns, parsed, head),
      )
    }
    case 'PROTOBUF': {
      const names = readProto(schema)
      const message = messageAt(names, [0])
      const columns = message === undefined ? [] : columnsOfProto(names, message)
      const head = Buffer.concat([frameHead('confluent', schema.id), writeMessagePath([0])])
      const own = { names, places: [0], schema }
      return encoding(columns, (memory) => encoderOf(memory, 'the lines', columns, own, head))
    }
    case 'JSON': {
      const { jsonValidator } = await import('../registry/json-schema/validate.ts')
      const validate = jsonValidator(schema)
      return {
        convert: (records) =>
          records.map((record) => {
            const reason = validate(JSON.parse(record.value))
            return reason === undefined ? { record } : { reason }
          }),
      }
    }
  }
}

function encoding(columns: Schema, open: (memory: LinearMemory) => RecordEncoder): LineSchema {
  const memory = new LinearMemory()
  const decoder = createJsonDecoder({ memory, schema: columns, timestampFormat: 'ISO-8601' })
  const encoder = open(memory)
  return {
    convert(records) {
      const mark = memory.arena.mark()
      const decoded = decoder.decode(placed(memory, records), records.length)
      const { rowCount, selection, count, dead } = decoded
      const cells = encoder.encode({
        rowCount,
        columns: decoded.columns,
        kinds: 0,
        selection,
        count,
      })
      const reasons = new Map(dead.map(({ row, reason }) => [row, reason]))
      let at = cells >>> 2
      const converted = records.map((record, row): Converted => {
        const reason = reasons.get(row)
        if (reason !== undefined) return { reason }
        const address = memory.u32[at]!
        const bytes = memory.u8.slice(address, address + memory.u32[at + 1]!)
        at += 2
        const value = Buffer.from(bytes).toString('base64')
        return { record: { ...record, value, encoding: 'base64' } }
      })
      memory.arena.release(mark)
      return converted
    },
  }
}

function placed(memory: LinearMemory, records: readonly ProducedRecord[]): Pointer {
  const cells = memory.arena.allocate(8 * records.length)
  records.forEach(({ value }, row) => {
    const bytes = Buffer.from(value)
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[(cells >>> 2) + 2 * row] = address
    memory.u32[(cells >>> 2) + 2 * row + 1] = bytes.length
  })
  return cells
}
