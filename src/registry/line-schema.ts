/**
 * Texts of JSON objects held against a subject's schema: those that fit become the bytes of the subject's records, those that don't are told.
 *
 *   AVRO, PROTOBUF   each becomes a record behind the schema's id, as 'avro-confluent' and 'protobuf-confluent' read it
 *   JSON             each is validated and stays as it is
 */
import { LinearMemory, type Pointer } from '../data/memory.ts'
import type { Schema } from '../data/types.ts'
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
import type { RegisteredSchema } from '../formats/schema-source.ts'

/** What became of one text. */
export type Converted = { readonly bytes: Uint8Array } | { readonly reason: string }

export interface LineSchema {
  /** One for each text, in order. A text is valid JSON. */
  convert(texts: readonly string[]): readonly Converted[]
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
      const { jsonValidator } = await import('./json-schema/validate.ts')
      const validate = jsonValidator(schema)
      return {
        convert: (texts) =>
          texts.map((text) => {
            const reason = validate(JSON.parse(text))
            return reason === undefined ? { bytes: Buffer.from(text) } : { reason }
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
    convert(texts) {
      const mark = memory.arena.mark()
      const decoded = decoder.decode(placed(memory, texts), texts.length)
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
      const converted = texts.map((_, row): Converted => {
        const reason = reasons.get(row)
        if (reason !== undefined) return { reason }
        const address = memory.u32[at]!
        const bytes = memory.u8.slice(address, address + memory.u32[at + 1]!)
        at += 2
        return { bytes }
      })
      memory.arena.release(mark)
      return converted
    },
  }
}

function placed(memory: LinearMemory, texts: readonly string[]): Pointer {
  const cells = memory.arena.allocate(8 * texts.length)
  texts.forEach((text, row) => {
    const bytes = Buffer.from(text)
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[(cells >>> 2) + 2 * row] = address
    memory.u32[(cells >>> 2) + 2 * row + 1] = bytes.length
  })
  return cells
}
