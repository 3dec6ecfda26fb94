/**
 * Debezium's changes as Avro records behind their writer's schema id: `WITH ('format' = 'debezium-avro-confluent')`. Names of options and
 * meaning are Flink's.
 *
 * Stated difference: a sink registers a record, where Flink registers a union of null and that record; each reads the other's.
 */
import { createAvroDecoder } from '../avro/decode.ts'
import { checkedWriter, createAvroEncoder } from '../avro/encode.ts'
import { avroSchemaOf } from '../avro/from-columns.ts'
import { readerFields } from '../avro/reader-schema.ts'
import { parseAvro } from '../avro/schema.ts'
import type { EncoderRequest, Format } from '../format.ts'
import { framedDecoder } from '../framed-decoder.ts'
import { frameHead } from '../framing.ts'
import { registryOptions, requireSchemas } from '../registry-options.ts'
import type { ResolvedSchema } from '../schema-source.ts'
import { changesOf } from './changes.ts'
import { ENVELOPE_METADATA, envelopeOf, metadataVector, writtenEnvelope } from './envelope.ts'
import { envelopeBatch } from './rows.ts'

const NAME = 'debezium-avro-confluent'

export const debeziumAvroConfluent: Format = {
  name: NAME,
  summary: "Debezium's changes in Avro, behind the id of their writer's schema in a registry",
  isText: false,
  mode: 'retract',
  metadata: ENVELOPE_METADATA,
  options: registryOptions(NAME),
  async openDecoder(request) {
    const { memory, schema, metadataKeys, options } = request
    const envelope = envelopeOf(schema, metadataKeys)
    const given = options[`${NAME}.schema`]
    const readers = given === undefined ? undefined : readerFields(given, envelope.schema)
    const decoder = createAvroDecoder(memory, envelope.schema, readers)
    return framedDecoder({
      memory,
      schemas: requireSchemas(request, NAME),
      type: 'AVRO',
      reading: (registered) => decoder.reading(parseAvro(registered)),
      decode(values, count, runs, broken) {
        const { columns: vectors, dead } = decoder.decode(values, count, runs, broken)
        return changesOf(memory, {
          ...{ envelope, values, count, vectors, dead },
          types: schema.map(({ type }) => type),
          beside: (key) => metadataVector(envelope, vectors, key),
        })
      },
      dispose: () => decoder.dispose(),
    })
  },
  async openEncoder(request) {
    const { memory, table, schema } = request
    const schemas = requireSchemas(request, NAME)
    const own = ownSchema(request)
    const head = frameHead(schemas.framing, await schemas.register(subjectOf(request), own))
    const written = writtenEnvelope(schema)
    const encoder = createAvroEncoder(memory, table, written, parseAvro(own), head)
    return {
      encode: (batch) => encoder.encode(envelopeBatch(memory, batch, schema)),
      dispose: () => encoder.dispose(),
    }
  },
  async prepareSink(request) {
    const own = ownSchema(request)
    checkedWriter(request.table, writtenEnvelope(request.schema), parseAvro(own))
    await requireSchemas(request, NAME).register(subjectOf(request), own)
  },
}

type Written = Pick<EncoderRequest, 'schema' | 'options' | 'subject'>

/** The schema that an option gives, or the one that the columns make. */
function ownSchema({ schema, options }: Written): ResolvedSchema {
  const text = options[`${NAME}.schema`] ?? avroSchemaOf(writtenEnvelope(schema), true)
  return { type: 'AVRO', text, references: [] }
}

function subjectOf({ options, subject }: Written): string {
  return options[`${NAME}.subject`] ?? subject
}
