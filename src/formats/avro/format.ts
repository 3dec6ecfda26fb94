/**
 * Avro as formats: `avro`, records of the table's own schema, and `avro-confluent`, records that name their writer's schema in a
 * registry. Names of options are Flink's; with AWS Glue's framing it is `avro-glue`.
 */
import type { Schema } from '../../data/types.ts'
import type {
  DecoderRequest,
  EncoderRequest,
  Format,
  FormatOptions,
  RecordDecoder,
} from '../format.ts'
import { framedDecoder } from '../framed-decoder.ts'
import { frameHead } from '../framing.ts'
import { registryOptions, requireSchemas } from '../registry-options.ts'
import type { ResolvedSchema } from '../schema-source.ts'
import { createAvroDecoder } from './decode.ts'
import { checkedWriter, createAvroEncoder } from './encode.ts'
import { avroSchemaOf } from './from-columns.ts'
import { readerFields } from './reader-schema.ts'
import { parseAvro } from './schema.ts'

const LEGACY = 'timestamp_mapping.legacy'

function timestampOption(name: string) {
  return {
    name: `${name}.${LEGACY}`,
    kind: 'boolean',
    required: false,
    fallback: 'true',
    summary:
      "'false' writes TIMESTAMP as local-timestamp-millis and -micros, and TIMESTAMP_LTZ as timestamp-*",
  } as const
}

export const avro: Format = {
  name: 'avro',
  summary: "Avro records of the schema that the table's columns make",
  isText: false,
  options: [timestampOption('avro')],
  async openDecoder({ memory, schema, physical, options }): Promise<RecordDecoder> {
    const decoder = createAvroDecoder(memory, schema)
    // Without names in its bytes a record is read by all columns that were written.
    const reading = decoder.reading(parseAvro(ownSchema('avro', physical, options)))
    return {
      prepare: () => undefined,
      decode: (values, count) =>
        decoder.decode(values, count, [{ from: 0, to: count, skip: 0, reading }], []),
      dispose: () => decoder.dispose(),
    }
  },
  async openEncoder({ memory, table, schema, options }) {
    const own = parseAvro(ownSchema('avro', schema, options))
    return createAvroEncoder(memory, table, schema, own, new Uint8Array())
  },
}

export const avroConfluent: Format = registryFormat(
  'avro-confluent',
  "Avro records behind the id of their writer's schema in a Confluent registry, or in the project's own",
)

export const avroGlue: Format = registryFormat(
  'avro-glue',
  "Avro records behind the version id of their writer's schema in AWS Glue",
)

function registryFormat(name: string, summary: string): Format {
  return {
    name,
    summary,
    isText: false,
    options: [...registryOptions(name), timestampOption(name)],
    async openDecoder(request: DecoderRequest) {
      const given = request.options[`${name}.schema`]
      const readers = given === undefined ? undefined : readerFields(given, request.schema)
      const decoder = createAvroDecoder(request.memory, request.schema, readers)
      return framedDecoder({
        memory: request.memory,
        schemas: requireSchemas(request, name),
        type: 'AVRO',
        reading: (registered) => decoder.reading(parseAvro(registered)),
        decode: (values, count, runs, dead) => decoder.decode(values, count, runs, dead),
        dispose: () => decoder.dispose(),
      })
    },
    async openEncoder(request: EncoderRequest) {
      const schemas = requireSchemas(request, name)
      const own = ownSchema(name, request.schema, request.options)
      const id = await schemas.register(subjectOf(request, name), own)
      const { memory, table, schema } = request
      return createAvroEncoder(
        memory,
        table,
        schema,
        parseAvro(own),
        frameHead(schemas.framing, id),
      )
    },
    async prepareSink(request) {
      const schemas = requireSchemas(request, name)
      const own = ownSchema(name, request.schema, request.options)
      checkedWriter(request.table, request.schema, parseAvro(own))
      await schemas.register(subjectOf(request, name), own)
    },
  }
}

/** The schema that an option gives, or the one that the columns make. */
function ownSchema(name: string, schema: Schema, options: FormatOptions): ResolvedSchema {
  const given = options[`${name}.schema`]
  const text = given ?? avroSchemaOf(schema, options[`${name}.${LEGACY}`] !== 'false')
  return { type: 'AVRO', text, references: [] }
}

function subjectOf(
  { options, subject }: Pick<EncoderRequest, 'options' | 'subject'>,
  name: string,
): string {
  return options[`${name}.subject`] ?? subject
}
