/**
 * Debezium's changes as JSON records: `WITH ('format' = 'debezium-json')`. Names of options, metadata and meaning are Flink's.
 *
 * Stated differences: what does not decode goes to `$dead` either way, so 'ignore-parse-errors' is accepted and changes nothing; values are
 * read as strictly as by 'json'.
 */
import type { Vector } from '../../data/batch.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import type {
  DeadRecord,
  DecodedRecords,
  DecoderRequest,
  Format,
  RecordDecoder,
} from '../format.ts'
import { createJsonDecoder } from '../json/decode.ts'
import { createJsonEncoder } from '../json/encode.ts'
import { nullKeyOf, nullKeyOptions, timesOf } from '../json/format.ts'
import { changesOf } from './changes.ts'
import { ENVELOPE_METADATA, envelopeOf, metadataVector, writtenEnvelope } from './envelope.ts'
import { envelopeBatch } from './rows.ts'

const NAME = 'debezium-json'

const PROPERTIES: DataType = {
  kind: 'map',
  key: withNullability(types.string, false),
  value: types.string,
  nullable: true,
}

export const debeziumJson: Format = {
  name: NAME,
  summary: "Debezium's changes, one JSON object a record: +I, -U, +U and -D",
  isText: true,
  fileEnding: 'json',
  mode: 'retract',
  metadata: { schema: types.string, ...ENVELOPE_METADATA, 'source.properties': PROPERTIES },
  options: [
    {
      name: `${NAME}.schema-include`,
      kind: 'boolean',
      required: false,
      fallback: 'false',
      summary: "Messages have 'schema' and 'payload', as with value.converter.schemas.enable",
    },
    {
      name: `${NAME}.ignore-parse-errors`,
      kind: 'boolean',
      required: false,
      summary: 'Accepted: records that do not parse go to $dead either way',
    },
    {
      name: `${NAME}.timestamp-format.standard`,
      kind: 'enum',
      values: ['SQL', 'ISO-8601'],
      required: false,
      fallback: 'SQL',
      summary: "How times are written: '2026-01-31 23:59:59.5' or '2026-01-31T23:59:59.5'",
    },
    ...nullKeyOptions(NAME),
  ],
  openDecoder: async (request) => debeziumDecoder(request),
  async openEncoder({ memory, schema, options }) {
    const timestampFormat = timesOf(options, NAME)
    const encoder = createJsonEncoder({
      memory,
      schema: writtenEnvelope(schema),
      timestampFormat,
      nullKey: nullKeyOf(options, NAME),
    })
    return {
      encode: (batch) => encoder.encode(envelopeBatch(memory, batch, schema)),
      dispose: () => encoder.dispose(),
    }
  },
}

function debeziumDecoder(request: DecoderRequest): RecordDecoder {
  const { memory, schema, metadataKeys = [], options } = request
  const isEnclosed = options[`${NAME}.schema-include`] === 'true'
  const timestampFormat = timesOf(options, NAME)
  const envelope = envelopeOf(schema, metadataKeys)
  const hasSchema = metadataKeys.includes('schema')
  const decoder = createJsonDecoder({
    memory,
    schema: [
      ...around(envelope.schema, isEnclosed),
      ...(hasSchema ? [{ name: 'schema', type: types.string }] : []),
    ],
    timestampFormat,
  })
  // As a MAP the object can't be read beside its fields, so it is read once more where it is asked for.
  const properties = metadataKeys.includes('source.properties')
    ? createJsonDecoder({ memory, schema: around(SOURCE, isEnclosed) })
    : undefined
  const inside = (columns: readonly Vector[]): readonly Vector[] =>
    isEnclosed ? columns[0]!.children! : columns
  return {
    prepare: () => undefined,
    decode(values, count): DecodedRecords {
      const { columns, dead } = decoder.decode(values, count)
      const again = properties?.decode(values, count)
      return changesOf(memory, {
        envelope,
        values,
        count,
        vectors: inside(columns),
        dead: again === undefined ? dead : firstReasons(dead, again.dead),
        types: schema.map(({ type }) => type),
        beside(key) {
          if (key === 'schema') return { vector: columns.at(-1)! }
          if (key === 'source.properties') return { vector: inside(again!.columns)[0]! }
          return metadataVector(envelope, inside(columns), key)
        },
      })
    },
    dispose() {
      decoder.dispose()
      properties?.dispose()
    },
  }
}

const SOURCE: Schema = [{ name: 'source', type: PROPERTIES }]

/** A message has its fields at its top, or in `payload`. */
function around(fields: Schema, isEnclosed: boolean): Schema {
  if (!isEnclosed) return fields
  return [{ name: 'payload', type: { kind: 'row', fields, nullable: false } }]
}

/** Of two readings of the same records: one reason a record, ascending. */
function firstReasons(left: readonly DeadRecord[], right: readonly DeadRecord[]): DeadRecord[] {
  const rows = new Set(left.map(({ row }) => row))
  const both = [...left, ...right.filter(({ row }) => !rows.has(row))]
  return both.sort((one, other) => one.row - other.row)
}
