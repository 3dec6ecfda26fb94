/** Which tables and pipelines of the project a new schema of a subject would break: the registry's subjects, held against what the project reads and writes. */
import type { DataType, Field } from '../data/types.ts'
import { avroSchemaOf } from '../formats/avro/from-columns.ts'
import { planAvro, type ReaderField } from '../formats/avro/plan.ts'
import { readerFields } from '../formats/avro/reader-schema.ts'
import { parseAvro } from '../formats/avro/schema.ts'
import type { AvroRecord, AvroSchema } from '../formats/avro/types.ts'
import { envelopeOf, writtenEnvelope } from '../formats/debezium/envelope.ts'
import { jsonSchemaOf } from '../formats/json/from-columns.ts'
import { messageReader } from '../formats/protobuf/decode.ts'
import { protoSchemaOf } from '../formats/protobuf/from-columns.ts'
import { messageAt } from '../formats/protobuf/message-path.ts'
import { readProto } from '../formats/protobuf/names.ts'
import type { ResolvedSchema } from '../formats/schema-source.ts'
import { inputsOf } from '../plan/inputs.ts'
import type { PlanNode, SinkNode } from '../plan/nodes.ts'
import type { TableDefinition } from '../plan/tables.ts'
import { incompatibilities, incompatibilityText } from '../registry/compatibility/check.ts'
import type { CompatibilityLevel } from '../registry/compatibility/level.ts'
import { readJsonSchema } from '../registry/json-schema/read.ts'
import { jsonProblem } from './json-reads.ts'
import { type SchemaUse, schemaUses } from './schema-uses.ts'
import type { CompiledPipeline } from './scripts.ts'

export interface Impact {
  readonly pipeline: string
  readonly table: string
  readonly how: 'reads' | 'writes'
  readonly reason: string
}

/** Each table of each pipeline that the schema would break, once. */
export function impactOf(
  next: ResolvedSchema,
  subject: string,
  level: CompatibilityLevel,
  pipelines: readonly Pick<CompiledPipeline, 'pipeline'>[],
): readonly Impact[] {
  return pipelines.flatMap(({ pipeline }) => {
    const found = new Map<string, Impact>()
    for (const sink of pipeline.sinks) {
      const writes = writeProblem(next, subject, level, sink)
      if (writes !== undefined)
        found.set(`writes ${sink.table.name}`, {
          pipeline: pipeline.name,
          table: sink.table.name,
          how: 'writes',
          reason: writes,
        })
      for (const { table, schema } of scansOf(sink.input)) {
        const [reads] = usesOf(table, subject, next).flatMap(
          (use) => readProblem(next, use, use.fields(columnsRead(table, schema))) ?? [],
        )
        if (reads !== undefined)
          found.set(`reads ${table.name}`, {
            pipeline: pipeline.name,
            table: table.name,
            how: 'reads',
            reason: reads,
          })
      }
    }
    return [...found.values()]
  })
}

function scansOf(node: PlanNode): Extract<PlanNode, { kind: 'scan' }>[] {
  return node.kind === 'scan' ? [node] : inputsOf(node).flatMap(scansOf)
}

/** Lines of plain JSON are held to a JSON Schema alone. */
function usesOf(table: TableDefinition, subject: string, next: ResolvedSchema): SchemaUse[] {
  return schemaUses(table).filter(
    (use) => use.subject === subject && (use.format !== 'json' || next.type === 'JSON'),
  )
}

/** Only columns that stand in the record, and that the plan needs. */
function columnsRead(table: TableDefinition, schema: readonly Field[]): readonly Field[] {
  const physical = new Set(
    table.columns.filter(({ kind }) => kind === 'physical').map(({ name }) => name),
  )
  return schema.filter(({ name }) => physical.has(name))
}

/** Why records of the new schema would be dead, or lack what is read. */
function readProblem(
  next: ResolvedSchema,
  use: SchemaUse,
  columns: readonly Field[],
): string | undefined {
  if (use.type !== next.type) return `it reads ${use.format}, and the schema is ${next.type}`
  switch (next.type) {
    case 'AVRO':
      return avroProblem(parseAvro(next), use, columns)
    case 'PROTOBUF': {
      const names = readProto(next)
      const message = messageAt(names, [0])
      const read =
        message === undefined ? 'it has no message' : messageReader(names, message, columns)
      if (typeof read === 'string') return read
      const fields = message?.type.kind === 'message' ? message.type.fields : []
      const gone = columns.find(({ name }) => !fields.some((field) => field.name === name))
      return gone && `column ${gone.name} would be NULL: the schema has no such field`
    }
    case 'JSON':
      return jsonProblem(readJsonSchema(next), columns)
  }
}

function avroProblem(
  schema: AvroSchema,
  { format, option }: SchemaUse,
  columns: readonly Field[],
): string | undefined {
  const read = isDebezium(format) ? envelopeOf(columns).schema : columns
  const given = option('schema')
  const readers = given === undefined ? undefined : readerFields(given, read)
  const plan = planAvro(schema, read, readers)
  if ('mismatch' in plan) return plan.mismatch
  if (!isDebezium(format)) return missingColumn(schema, columns, readers)
  const after = recordOf(schema)?.fields.find(({ name }) => name === 'after')
  return after && missingColumn(after.type, columns)
}

/** A column that would only be NULL from then on. */
function missingColumn(
  schema: AvroSchema,
  columns: readonly Field[],
  readers: ReadonlyMap<string, ReaderField> = new Map(),
): string | undefined {
  const written = new Set(recordOf(schema)?.fields.map(({ name }) => name))
  const gone = columns.find(({ name }) => {
    const { names, fallback } = readers.get(name) ?? { names: [name] }
    return fallback === undefined && !names.some((each) => written.has(each))
  })
  return gone && `column ${gone.name} would be NULL: the schema has no such field`
}

/** Itself, or the one of a union's branches. */
function recordOf(schema: AvroSchema): AvroRecord | undefined {
  const branches = schema.kind === 'union' ? schema.branches : [schema]
  return branches.find((branch) => branch.kind === 'record')
}

/** Why the sink could no longer register what it writes. */
function writeProblem(
  next: ResolvedSchema,
  subject: string,
  level: CompatibilityLevel,
  { table }: SinkNode,
): string | undefined {
  const columns = table.columns.flatMap((column): Field[] =>
    column.kind === 'physical' ? [{ name: column.name, type: column.type as DataType }] : [],
  )
  for (const use of usesOf(table, subject, next)) {
    // Lines of plain JSON register nothing.
    if (use.format === 'json') continue
    const text = use.option('schema') ?? ownText(use, use.fields(columns))
    const [first] = incompatibilities(level, { type: use.type, text, references: [] }, [next])
    if (first !== undefined)
      return `what it writes would no longer fit: ${incompatibilityText(first)}`
  }
  return undefined
}

function ownText({ format, type }: SchemaUse, columns: readonly Field[]) {
  if (type === 'PROTOBUF') return protoSchemaOf(columns)
  if (type === 'JSON') return jsonSchemaOf(columns)
  return avroSchemaOf(isDebezium(format) ? writtenEnvelope(columns) : columns, true)
}

function isDebezium(format: string): boolean {
  return format === 'debezium-avro-confluent'
}
