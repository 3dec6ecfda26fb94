/**
 * Protobuf as formats: `protobuf`, messages of a schema that an option gives or the columns make, and `protobuf-confluent`, messages behind the id of
 * their writer's schema in a registry. Flink's 'protobuf.message-class-name' names a Java class, which is not there: 'protobuf.schema' and
 * 'protobuf.message-name' stand in its place.
 */
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type {
  DecoderRequest,
  EncoderRequest,
  Format,
  FormatOptions,
  RecordEncoder,
} from '../format.ts'
import { framedDecoder } from '../framed-decoder.ts'
import { frameHead } from '../framing.ts'
import { registryOptions, requireSchemas } from '../registry-options.ts'
import { decodeRowByRow, encodeRowByRow } from '../row-values.ts'
import type { ResolvedSchema } from '../schema-source.ts'
import { WireRefused } from './cursor.ts'
import { messageReader, type ReadMessage } from './decode.ts'
import { messageWriter } from './encode.ts'
import { DERIVED_MESSAGE, protoSchemaOf } from './from-columns.ts'
import { messageAt, placesOf, readMessagePath, writeMessagePath } from './message-path.ts'
import { type ProtoNames, readProto } from './names.ts'

const messageOption = (format: string) =>
  ({
    name: `${format}.message-name`,
    kind: 'string',
    required: false,
    summary: 'The message of the schema; its first one unless told',
  }) as const

export const protobuf: Format = {
  name: 'protobuf',
  summary: 'Protobuf messages of a schema that an option gives, or that the columns make',
  isText: false,
  options: [
    {
      name: 'protobuf.schema',
      kind: 'string',
      required: false,
      summary:
        'The text of a .proto file; without it the columns make the schema, numbered in their order',
    },
    messageOption('protobuf'),
  ],
  async openDecoder({ memory, table, schema, physical, options }) {
    const own = ownMessage('protobuf', table, physical, options)
    const read = messageReader(own.names, messageAt(own.names, own.places)!, schema)
    const rowOf = (bytes: Uint8Array) => (typeof read === 'string' ? read : guarded(read, bytes))
    return {
      prepare: () => undefined,
      decode: (values, count) => decodeRowByRow(memory, schema, values, count, rowOf),
      dispose: () => undefined,
    }
  },
  async openEncoder({ memory, table, schema, options }) {
    const own = ownMessage('protobuf', table, schema, options)
    return encoderOf(memory, table, schema, own, new Uint8Array())
  },
}

export const protobufConfluent: Format = {
  name: 'protobuf-confluent',
  summary:
    "Protobuf messages behind the id of their writer's schema in a Confluent registry, or in the project's own",
  isText: false,
  options: [...registryOptions('protobuf-confluent'), messageOption('protobuf-confluent')],
  openDecoder: async (request) => confluentDecoder(request),
  async openEncoder(request) {
    const schemas = requireSchemas(request, 'protobuf-confluent')
    const { memory, table, schema, options } = request
    const own = ownMessage('protobuf-confluent', table, schema, options)
    const id = await schemas.register(subjectOf(request), own.schema)
    const head = Buffer.concat([frameHead(schemas.framing, id), writeMessagePath(own.places)])
    return encoderOf(memory, table, schema, own, head)
  },
  async prepareSink(request) {
    const { table, schema, options } = request
    const own = ownMessage('protobuf-confluent', table, schema, options)
    requireWriter(table, schema, own)
    await requireSchemas(request, 'protobuf-confluent').register(subjectOf(request), own.schema)
  },
}

/** A writer's schema as the table reads it: each of its messages, once it is met. */
interface Reading {
  readonly names: ProtoNames
  readonly messages: Map<string, ReadMessage | string>
}

function confluentDecoder(request: DecoderRequest) {
  const { memory, schema } = request
  return framedDecoder<Reading>({
    memory,
    schemas: requireSchemas(request, 'protobuf-confluent'),
    type: 'PROTOBUF',
    reading: (registered) => ({ names: readProto(registered), messages: new Map() }),
    decode(values, count, runs, dead) {
      const readings = new Map<number, { readonly reading: Reading; readonly skip: number }>()
      for (const { from, to, skip, reading } of runs)
        for (let row = from; row < to; row++) readings.set(row, { reading, skip })
      const rowOf = (bytes: Uint8Array, row: number) =>
        readMessage(bytes, readings.get(row)!.reading, schema)
      return decodeRowByRow(
        memory,
        schema,
        values,
        count,
        rowOf,
        dead,
        (row) => readings.get(row)?.skip ?? 0,
      )
    },
    dispose: () => undefined,
  })
}

function readMessage(bytes: Uint8Array, { names, messages }: Reading, columns: Schema) {
  const path = readMessagePath(bytes)
  if (path === undefined) return 'the path of the message is none'
  const key = path.places.join('.')
  let read = messages.get(key)
  if (read === undefined) {
    const message = messageAt(names, path.places)
    read =
      message === undefined
        ? `its schema has no message ${key}`
        : messageReader(names, message, columns)
    messages.set(key, read)
  }
  return typeof read === 'string' ? read : guarded(read, bytes.subarray(path.length))
}

function guarded(read: ReadMessage, bytes: Uint8Array) {
  try {
    return read(bytes)
  } catch (error) {
    if (error instanceof WireRefused) return error.message
    throw error
  }
}

/** The message that a table writes. */
export interface OwnMessage {
  readonly names: ProtoNames
  readonly places: readonly number[]
  readonly schema: ResolvedSchema
}

/** @throws SCHEMA_INVALID, OPTION_INVALID if the schema has no message of that name */
function ownMessage(
  format: string,
  table: string,
  columns: Schema,
  options: FormatOptions,
): OwnMessage {
  const given = options[`${format}.schema`]
  const text = given ?? protoSchemaOf(columns)
  const names = readProto({ text, references: [] })
  const wanted =
    options[`${format}.message-name`] ?? (given === undefined ? DERIVED_MESSAGE : undefined)
  const places = wanted === undefined ? [0] : placesOf(names, wanted)
  if (places !== undefined && messageAt(names, places) !== undefined)
    return { names, places, schema: { type: 'PROTOBUF', text, references: [] } }
  throw new MillraceError('OPTION_INVALID', {
    message: `table ${table}: its schema has no message ${wanted ?? ''}`,
    hint: `'${format}.message-name' names a message of '${format}.schema'`,
    facts: { table },
  })
}

function requireWriter(table: string, columns: Schema, { names, places }: OwnMessage) {
  const write = messageWriter(names, messageAt(names, places)!, columns)
  if (write !== undefined) return write
  throw new MillraceError('SCHEMA_INVALID', {
    message: `table ${table}: its Protobuf message can't hold its columns`,
    hint: 'it has a field for each column, of a type that holds it; leave out the schema to have one made',
    facts: { table },
  })
}

/** @throws SCHEMA_INVALID if the message can't hold the columns */
export function encoderOf(
  memory: LinearMemory,
  table: string,
  columns: Schema,
  own: OwnMessage,
  head: Uint8Array,
): RecordEncoder {
  const write = requireWriter(table, columns, own)
  return encodeRowByRow(memory, (out, values) => {
    out.raw(head)
    write(out, values)
  })
}

function subjectOf({ options, subject }: Pick<EncoderRequest, 'options' | 'subject'>): string {
  return options['protobuf-confluent.subject'] ?? subject
}
