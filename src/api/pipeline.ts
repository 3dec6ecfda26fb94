/** Pipelines of the typed API: inserts that run as one, with one identity and one checkpoint line. */
import type { Schema } from '../data/types.ts'
import { withNullability } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import { typeText } from '../plan/functions/type-text.ts'
import { named, quoted } from './constants.ts'
import { type Insert, merged } from './stream.ts'
import { tableText } from './table.ts'

export interface PipelineDefinition {
  readonly kind: 'pipeline'
  readonly name: string
  readonly inserts: readonly Insert[]
}

/** What a `.ts` file of a project exports. */
export function pipeline(name: string, inserts: readonly Insert[]): PipelineDefinition {
  if (inserts.length > 0) return { kind: 'pipeline', name, inserts }
  throw new MillraceError('PIPELINE_EMPTY', {
    message: `the pipeline ${name} writes nothing`,
    hint: 'give it at least one stream.into(connector)',
    facts: { pipeline: name },
  })
}

export function isPipelineDefinition(value: unknown): value is PipelineDefinition {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'pipeline' &&
    'inserts' in value
  )
}

/** The pipeline as a script. `describe` tells the columns of a SELECT behind the tables that it reads. */
export function pipelineSql(
  { name, inserts }: PipelineDefinition,
  describe: (tables: string, select: string) => Schema,
): string {
  const tables = inserts.reduce(
    (all, insert) => merged(all, insert.tables),
    new Map<string, string>() as ReadonlyMap<string, string>,
  )
  const sources = [...tables.values()]
  const sinks = inserts.map((insert, index) => {
    const sink = insert.options.name ?? (index === 0 ? name : `${name}_${index + 1}`)
    const schema = describe(`${sources.join(';\n')};\n`, insert.sql)
    const fields = schema.map(
      (field) => `${named(field.name)} ${typeText(withNullability(field.type, true))}`,
    )
    const definition = tableText(sink, fields, insert.options, insert.connector)
    return { definition, statement: `INSERT INTO ${named(sink)} ${insert.sql}` }
  })
  const statements = sinks.map(({ statement }) => `${statement};`)
  const body =
    statements.length === 1
      ? statements[0]!
      : `EXECUTE STATEMENT SET BEGIN\n${statements.join('\n')}\nEND;`
  const definitions = [...sources, ...sinks.map(({ definition }) => definition)]
  return `SET 'pipeline.name' = ${quoted(name)};\n${definitions.map((each) => `${each};\n`).join('')}${body}`
}
