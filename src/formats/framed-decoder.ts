/** Decoding of records that name their writer's schema: fetches schemas that are met for the first time, and keeps how each is read. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { MillraceError } from '../errors.ts'
import type { DeadRecord, DecodedRecords, RecordDecoder } from './format.ts'
import { framedRuns } from './framing.ts'
import type { RegisteredSchema, SchemaId, SchemaSource, SchemaType } from './schema-source.ts'

export interface Run<Reading> {
  readonly from: number
  readonly to: number
  readonly skip: number
  readonly reading: Reading
}

export interface FramedDecoderOptions<Reading> {
  readonly memory: LinearMemory
  readonly schemas: SchemaSource
  readonly type: SchemaType
  /** How what a schema wrote is read. Called once a schema. @throws SCHEMA_INVALID */
  reading(schema: RegisteredSchema): Reading
  decode(
    values: Pointer,
    count: number,
    runs: readonly Run<Reading>[],
    dead: DeadRecord[],
  ): DecodedRecords
  dispose(): void
}

/** Schemas of one table: more are no evolution but a mistake. */
const SCHEMAS_MAX = 10_000

export function framedDecoder<Reading>(options: FramedDecoderOptions<Reading>): RecordDecoder {
  const { memory, schemas, type } = options
  /** A text: why its records are dead. */
  const known = new Map<SchemaId, Reading | string>()
  const fetchOne = async (id: SchemaId): Promise<void> => {
    if (known.size >= SCHEMAS_MAX) known.clear()
    known.set(id, readingOf(options, await schemas.byId(id)))
  }
  return {
    prepare(values, count) {
      const missing = new Set<SchemaId>()
      for (const { id } of framedRuns(memory, values, count, schemas.framing, []))
        if (!known.has(id)) missing.add(id)
      if (missing.size === 0) return undefined
      return Promise.all([...missing].map(fetchOne)).then(() => undefined)
    },
    decode(values, count) {
      const dead: DeadRecord[] = []
      const runs: Run<Reading>[] = []
      for (const { from, to, skip, id } of framedRuns(
        memory,
        values,
        count,
        schemas.framing,
        dead,
      )) {
        const reading = known.get(id) ?? `schema ${id} has not been fetched`
        if (typeof reading !== 'string') runs.push({ from, to, skip, reading })
        else for (let row = from; row < to; row++) dead.push({ row, reason: reading })
      }
      return options.decode(values, count, runs, dead)
    },
    dispose: () => options.dispose(),
  }

  function readingOf(
    { reading }: FramedDecoderOptions<Reading>,
    schema: RegisteredSchema,
  ): Reading | string {
    if (schema.type !== type) return `schema ${schema.id} is ${schema.type}, not ${type}`
    try {
      return reading(schema)
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'SCHEMA_INVALID')
        return `schema ${schema.id} can't be read: ${error.message}`
      throw error
    }
  }
}
