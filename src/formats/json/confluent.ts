/**
 * `json-confluent`: JSON behind the id of its writer's JSON Schema, as Confluent's serializers for JSON Schema write it. Records are read by the
 * table's columns, as `json` reads them; the schema is what registration and evolution are held to.
 */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { headedRecords } from '../byte-sink.ts'
import type { DeadRecord, DecodedRecords, EncoderRequest, Format } from '../format.ts'
import { framedDecoder, type Run } from '../framed-decoder.ts'
import { frameHead } from '../framing.ts'
import { registryOptions, requireSchemas } from '../registry-options.ts'
import { selectGood } from '../selection.ts'
import { createJsonDecoder } from './decode.ts'
import { createJsonEncoder } from './encode.ts'
import { timesOf } from './format.ts'
import { jsonSchemaOf } from './from-columns.ts'

const NAME = 'json-confluent'

export const jsonConfluent: Format = {
  name: NAME,
  summary: "JSON behind the id of its JSON Schema in a Confluent registry, or in the project's own",
  isText: false,
  options: [
    ...registryOptions(NAME),
    {
      name: `${NAME}.timestamp-format.standard`,
      kind: 'enum',
      values: ['SQL', 'ISO-8601'],
      required: false,
      fallback: 'SQL',
      summary: "How times are written: '2026-01-31 23:59:59.5' or '2026-01-31T23:59:59.5'",
    },
  ],
  async openDecoder(request) {
    const { memory, schema, options } = request
    const decoder = createJsonDecoder({ memory, schema, timestampFormat: timesOf(options, NAME) })
    return framedDecoder({
      memory,
      schemas: requireSchemas(request, NAME),
      type: 'JSON',
      reading: () => true,
      decode(values, count, runs, dead): DecodedRecords {
        const decoded = decoder.decode(unframed(memory, values, count, runs), count)
        return merged(memory, decoded, count, dead)
      },
      dispose: () => decoder.dispose(),
    })
  },
  async openEncoder(request) {
    const { memory, schema, options } = request
    const schemas = requireSchemas(request, NAME)
    const id = await schemas.register(subjectOf(request), schemaOf(request))
    const encoder = createJsonEncoder({ memory, schema, timestampFormat: timesOf(options, NAME) })
    const head = frameHead(schemas.framing, id)
    return {
      encode: (batch) => headedRecords(memory, head, encoder.encode(batch), batch.count),
      dispose: () => encoder.dispose(),
    }
  },
  async prepareSink(request) {
    await requireSchemas(request, NAME).register(subjectOf(request), schemaOf(request))
  },
}

/** Cells of what stands behind the heads; 0 where there was no sound one. */
function unframed(
  memory: LinearMemory,
  values: Pointer,
  count: number,
  runs: readonly Run<unknown>[],
): Pointer {
  const cells = memory.arena.allocateCleared(8 * count)
  for (const { from, to, skip } of runs)
    for (let row = from; row < to; row++) {
      const words = (values >>> 2) + 2 * row
      memory.u32[(cells >>> 2) + 2 * row] = memory.u32[words]! + skip
      memory.u32[(cells >>> 2) + 2 * row + 1] = memory.u32[words + 1]! - skip
    }
  return cells
}

/** Rows that were dead before keep their reason. */
function merged(
  memory: LinearMemory,
  decoded: Pick<DecodedRecords, 'columns' | 'dead'>,
  count: number,
  before: readonly DeadRecord[],
): DecodedRecords {
  const known = new Set(before.map(({ row }) => row))
  const dead = [...before, ...decoded.dead.filter(({ row }) => !known.has(row))]
  dead.sort((left, right) => left.row - right.row)
  return {
    columns: decoded.columns,
    rowCount: count,
    selection: dead.length === 0 ? 0 : selectGood(memory, count, dead),
    count: count - dead.length,
    kinds: 0,
    records: 0,
    dead,
  }
}

function schemaOf({ schema, options }: Pick<EncoderRequest, 'schema' | 'options'>) {
  const text = options[`${NAME}.schema`] ?? jsonSchemaOf(schema)
  return { type: 'JSON', text, references: [] } as const
}

function subjectOf({ options, subject }: Pick<EncoderRequest, 'options' | 'subject'>): string {
  return options[`${NAME}.subject`] ?? subject
}
