/** Which tables and pipelines of the project a new schema of a subject would break: the registry's subjects, held against what the project reads and writes. */
import type { DataType, Field } from '../data/types.ts'
import { avroSchemaOf } from '../formats/avro/from-columns.ts'
import { planAvro } from '../formats/avro/plan.ts'
import { parseAvro } from '../formats/avro/schema.ts'
import { messageReader } from '../formats/protobuf/decode.ts'
import { protoSchemaOf } from '../formats/protobuf/from-columns.ts'
import { messageAt } from '../formats/protobuf/message-path.ts'
import { readProto } from '../formats/protobuf/names.ts'
import type { ResolvedSchema } from '../formats/schema-source.ts'
import { inputsOf, type PlanNode, type SinkNode } from '../plan/nodes.ts'
import type { TableDefinition } from '../plan/tables.ts'
import { incompatibilities, incompatibilityText } from '../registry/compatibility/check.ts'
import type { CompatibilityLevel } from '../registry/compatibility/level.ts'
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
  pipelines: readonly CompiledPipeline[],
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
        const reads = subjectsOf(table).includes(subject)
          ? readProblem(next, columnsRead(table, schema))
          : undefined
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

/** Those that the records of a table are under. */
function subjectsOf({ options }: TableDefinition): readonly string[] {
  const topic = options.topic ?? ''
  const ofRole = (role: 'key' | 'value') => {
    const format =
      role === 'key' ? options['key.format'] : (options['value.format'] ?? options.format)
    if (format === undefined || !format.endsWith('-confluent')) return []
    const prefix = role === 'key' ? 'key.' : options['value.format'] === undefined ? '' : 'value.'
    return [options[`${prefix}${format}.subject`] ?? `${topic}-${role}`]
  }
  return [...ofRole('value'), ...ofRole('key')]
}

/** Only columns that stand in the record, and that the plan needs. */
function columnsRead(table: TableDefinition, schema: readonly Field[]): readonly Field[] {
  const physical = new Set(
    table.columns.filter(({ kind }) => kind === 'physical').map(({ name }) => name),
  )
  return schema.filter(({ name }) => physical.has(name))
}

/** Why records of the new schema would be dead. */
function readProblem(next: ResolvedSchema, columns: readonly Field[]): string | undefined {
  if (next.type === 'AVRO') {
    const plan = planAvro(parseAvro(next), columns)
    return 'mismatch' in plan ? plan.mismatch : missingColumn(next, columns)
  }
  if (next.type === 'PROTOBUF') {
    const names = readProto(next)
    const message = messageAt(names, [0])
    const read =
      message === undefined ? 'it has no message' : messageReader(names, message, columns)
    return typeof read === 'string' ? read : undefined
  }
  return undefined
}

/** A column that would only be NULL from then on. */
function missingColumn(next: ResolvedSchema, columns: readonly Field[]): string | undefined {
  const schema = parseAvro(next)
  if (schema.kind !== 'record') return undefined
  const gone = columns.find(({ name }) => !schema.fields.some((field) => field.name === name))
  return gone === undefined
    ? undefined
    : `column ${gone.name} would be NULL: the schema has no such field`
}

/** Why the sink could no longer register what it writes. */
function writeProblem(
  next: ResolvedSchema,
  subject: string,
  level: CompatibilityLevel,
  { table }: SinkNode,
): string | undefined {
  if (!subjectsOf(table).includes(subject)) return undefined
  const columns = table.columns.flatMap((column): Field[] =>
    column.kind === 'physical' ? [{ name: column.name, type: column.type as DataType }] : [],
  )
  const text = next.type === 'AVRO' ? avroSchemaOf(columns, true) : protoSchemaOf(columns)
  const written: ResolvedSchema = { type: next.type, text: ownText(table) ?? text, references: [] }
  const [first] = incompatibilities(level, written, [next])
  return first && `what it writes would no longer fit: ${incompatibilityText(first)}`
}

function ownText({ options }: TableDefinition): string | undefined {
  return (
    options['avro-confluent.schema'] ??
    options['value.avro-confluent.schema'] ??
    options['protobuf-confluent.schema']
  )
}
