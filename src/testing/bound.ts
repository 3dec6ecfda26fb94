/** What a test runs: a script of SQL, a lone SELECT, or a pipeline of the typed API, bound as the library binds it. */
import type { PipelineDefinition } from '../api/pipeline.ts'
import { MillraceError } from '../errors.ts'
import { open } from '../index.ts'
import { type PlanNode, schemaOf } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { CONNECTORS } from '../run/connectors.ts'
import { loadUserFunctions } from '../run/user-functions.ts'
import { bindText } from '../sql/bind-text.ts'
import { functionsIn } from '../sql/functions-in.ts'

export interface Binding {
  readonly pipeline: string | PipelineDefinition
  /** CREATE TABLE and CREATE VIEW statements before it. */
  readonly tables: string
  /** Where paths of user functions start. */
  readonly directory: string
}

/** What a lone SELECT is written to. */
export const RESULT = 'result'

/** @throws the errors of the text, the first of them; TEST_INVALID if it is neither a pipeline nor one SELECT */
export async function boundPipeline({ pipeline, tables, directory }: Binding): Promise<Pipeline> {
  const text = typeof pipeline === 'string' ? pipeline : await scriptOf(pipeline, tables, directory)
  const script = `${tables}\n;\n${text}`
  const functions = await loadUserFunctions(functionsIn(script), directory)
  const bound = bindText(script, 'test', CONNECTORS, functions)
  const [error] = bound.errors
  if (error !== undefined) throw error
  if (bound.pipeline !== undefined) return bound.pipeline
  const [query, ...more] = bound.queries
  if (query !== undefined && more.length === 0) return pipelineOf(query)
  throw new MillraceError('TEST_INVALID', {
    message: 'there is nothing to run',
    hint: 'give INSERT INTO ... SELECT ..., one SELECT, or a pipeline of the typed API',
  })
}

/** A query as a pipeline: its sink takes whatever changes it gives. */
export function pipelineOf(query: PlanNode): Pipeline {
  const columns = schemaOf(query).map((field) => ({ kind: 'physical' as const, ...field }))
  const table = { name: RESULT, columns, options: { connector: 'kept' } }
  return {
    name: 'test',
    nameIsDerived: true,
    settings: {},
    sinks: [{ kind: 'sink', input: query, table }],
  }
}

async function scriptOf(
  definition: PipelineDefinition,
  tables: string,
  directory: string,
): Promise<string> {
  const db = await open({ tables, directory })
  try {
    return db.sqlOf(definition)
  } finally {
    await db.close()
  }
}
