/**
 * The rooms that turn SQL into plans and plans into runs, as commands need them: loaded by the command that uses them,
 * and fitted here, in one place, to what the commands expect.
 */
import type { Connector } from '../connectors/contract/connector.ts'
import type { Schema } from '../data/types.ts'
import type { Row, ValueOptions } from '../data/values.ts'
import type { MillraceError } from '../errors.ts'
import type { UserFunctionType } from '../plan/functions/user.ts'
import type { PlanNode } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import type { Ports } from '../ports/ports.ts'
import type { PipelineStart, RunHandle } from '../run/handle.ts'

/** What a script of tables, views and statements means. */
export interface BoundScript {
  readonly tables: readonly {
    readonly name: string
    readonly schema: Schema
    readonly options: Readonly<Record<string, string>>
  }[]
  readonly views: readonly { readonly name: string; readonly schema: Schema }[]
  /** All INSERTs; absent if there are none. */
  readonly pipeline?: Pipeline
  /** SELECTs that stand alone, in order. */
  readonly queries: readonly PlanNode[]
  /** All of them, syntax and meaning. */
  readonly errors: readonly MillraceError[]
}

export interface QueryStart {
  readonly query: PlanNode
  readonly connectors: readonly Connector[]
  readonly ports: Ports
  readonly dataDirectory: string
  readonly baseDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly values: ValueOptions
  readonly onSideRows?: (counts: { readonly dead: number; readonly late: number }) => void
}

export interface Rooms {
  /** @param name of the pipeline, unless the script sets one */
  readonly bind: (
    text: string,
    name: string,
    connectors: readonly Connector[],
    functions?: ReadonlyMap<string, UserFunctionType>,
  ) => BoundScript
  readonly startPipeline: (start: PipelineStart) => Promise<RunHandle>
  /** Rows of a bounded query, as it finds them. */
  readonly runQuery: (start: QueryStart) => AsyncIterable<Row>
}

/** The functions that a text declares, their modules loaded. */
export async function loadFunctions(
  text: string,
  directory: string,
): Promise<ReadonlyMap<string, UserFunctionType>> {
  const { functionsIn } = await import('../sql/functions-in.ts')
  const places = functionsIn(text)
  if (places.length === 0) return new Map()
  const { loadUserFunctions } = await import('../run/user-functions.ts')
  return loadUserFunctions(places, directory)
}

export async function loadBind(): Promise<Rooms['bind']> {
  const { bindText } = await import('../sql/bind-text.ts')
  return bindText
}

export async function loadRun(): Promise<Pick<Rooms, 'startPipeline' | 'runQuery'>> {
  const [{ startPipeline }, { runQuery }] = await Promise.all([
    import('../run/start.ts'),
    import('../run/query.ts'),
  ])
  return { startPipeline, runQuery }
}
