/**
 * Millrace from TypeScript: open a data directory, define tables in SQL, query them, follow changes, run pipelines.
 *
 *   await using db = await open({ tables: 'CREATE TABLE orders (...) WITH (...)' })
 *   for await (const row of db.query('SELECT shop, COUNT(*) AS orders FROM orders GROUP BY shop')) console.log(row)
 */
import { type Columns, checkColumns, checkKinds, type RowOf } from './api/columns.ts'
import { type PipelineDefinition, pipelineSql } from './api/pipeline.ts'
import type { RowOfShape, Shape } from './api/shape.ts'
import type { Stream } from './api/stream.ts'
import { nestedValue } from './data/nested-values.ts'
import type { Schema } from './data/types.ts'
import type { Row, ValueOptions } from './data/values.ts'
import { MillraceError } from './errors.ts'
import type { UserFunctionType } from './plan/functions/user.ts'
import { type PlanNode, schemaOf } from './plan/nodes.ts'
import type { Pipeline } from './plan/pipeline.ts'
import { type Asking, openAsking } from './run/asking.ts'
import { CONNECTORS } from './run/connectors.ts'
import type { Change as AnyChange, PipelineStart, ReadPositions, RunHandle } from './run/handle.ts'
import { localPorts, type OwnedDirectory, ownDirectory } from './run/local.ts'
import { runChanges, runQuery } from './run/query.ts'
import { startPipeline } from './run/start.ts'
import { loadUserFunctions } from './run/user-functions.ts'
import { openView, type View } from './run/view.ts'
import { type BoundScript, bindText } from './sql/bind-text.ts'
import { functionsIn } from './sql/functions-in.ts'
import { SqlError } from './sql/sql-error.ts'

export { asyncFunction, asyncTableFunction } from './api/async-functions.ts'
export { type Column, type Columns, type RowOf, t } from './api/columns.ts'
export {
  blackhole,
  type Connector,
  connector,
  delta,
  env,
  file,
  filesystem,
  kafka,
  log,
  print,
} from './api/connectors.ts'
export { declared } from './api/declared.ts'
export type { Duration } from './api/duration.ts'
export type { Expression } from './api/expression.ts'
export type { FunctionOptions, StateOf, VersionOptions } from './api/function-options.ts'
export {
  avg,
  call,
  coalesce,
  constant,
  count,
  countDistinct,
  filtered,
  max,
  min,
  sum,
  when,
} from './api/functions.ts'
export { type PipelineDefinition, pipeline } from './api/pipeline.ts'
export { processFunction } from './api/process-functions.ts'
export type { RowOfShape } from './api/shape.ts'
export type { Insert, Stream } from './api/stream.ts'
export { type Table, table } from './api/table.ts'
export {
  type AggregateDefinition,
  aggregateFunction,
  scalarFunction,
  tableFunction,
  type UserFunction,
} from './api/user-functions.ts'
export { cumulate, emit, hop, session, tumble, type Window } from './api/window.ts'
export type { DataType, Field, Schema } from './data/types.ts'
export type { Row, Value } from './data/values.ts'
export { ERRORS, type ErrorCode, MillraceError } from './errors.ts'
export type { ProcessContext } from './plan/process-context.ts'
export type { Asking, AskOptions } from './run/asking.ts'
export type { Outcome, ReadPositions, RunEvent, RunHandle, RunStatus } from './run/handle.ts'
export type { View } from './run/view.ts'

export interface OpenOptions {
  /** Where checkpoints and the event log are; '.millrace' unless told. */
  readonly data?: string
  /** Where relative paths in options start; the working directory unless told. */
  readonly directory?: string
  /** CREATE TABLE and CREATE VIEW statements that every query sees. */
  readonly tables?: string
  /** How BIGINT is told: 'number' throws VALUE_UNSAFE beyond 2^53. */
  readonly bigint?: 'bigint' | 'number'
  /** Values of `${env:NAME}` in options; the process's unless told. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

export interface QueryOptions<Declared extends Columns = Columns> {
  /** Types the rows; held against the query's own columns before anything runs. */
  readonly columns?: Declared
  readonly signal?: AbortSignal
}

/** Rows of a bounded query. Iterating slowly reads slowly; leaving the loop stops it. */
export interface Query<Told> extends AsyncIterable<Told> {
  readonly schema: Schema
  /** All of them. */
  rows(): Promise<Told[]>
}

/** What happens to a result: rows of queries that only grow are all '+I'. */
export type Change<Told> =
  | (Reached & { readonly kind: '+I'; readonly row: Told })
  | (Reached & { readonly kind: '-U'; readonly row: Told })
  | (Reached & { readonly kind: '+U'; readonly row: Told })
  | (Reached & { readonly kind: '-D'; readonly row: Told })

/** How far the sources had been read when a change was told: nothing behind it is in it, and what is before it has been told. */
export interface Reached {
  readonly positions: ReadPositions
}

export interface ViewOptions {
  /** Columns of the result that name a row. */
  readonly key: readonly string[]
  readonly signal?: AbortSignal
}

export interface AskingOptions {
  /** A topic of the embedded log, which a table of the query reads; made, of one partition, if it is not there. */
  readonly topic: string
  /** The column, of events and of the query's rows, that holds an event's id. */
  readonly id: string
}

export interface RunOptions extends QueryOptions {
  /** Of the pipeline, unless the script sets 'pipeline.name'. */
  readonly name?: string
  readonly until?: PipelineStart['until']
  readonly workers?: number
  readonly fresh?: boolean
  readonly onEvent?: PipelineStart['onEvent']
}

/** A running pipeline. Disposing it takes a checkpoint and stops it. */
export interface Run extends RunHandle, AsyncDisposable {}

export interface Millrace extends AsyncDisposable {
  /** More tables and views. @throws the errors of the text, the first of them */
  define(sql: string): void
  /** A SELECT over what is there now: topics are read to their present ends, all windows fire. */
  query<Declared extends Columns>(
    sql: string,
    options: QueryOptions<Declared> & { readonly columns: Declared },
  ): Query<RowOf<Declared>>
  /** A stream of the typed API: its rows have its types, held against the plan's own before anything runs. */
  query<Declared extends Shape>(
    stream: Stream<Declared>,
    options?: { readonly signal?: AbortSignal },
  ): Query<RowOfShape<Declared>>
  query(sql: string, options?: QueryOptions): Query<Row>
  /** A SELECT that goes on: its changes as they come. */
  changes<Declared extends Columns>(
    sql: string,
    options: QueryOptions<Declared> & { readonly columns: Declared },
  ): AsyncIterable<Change<RowOf<Declared>>>
  changes<Declared extends Shape>(
    stream: Stream<Declared>,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<Change<RowOfShape<Declared>>>
  changes(sql: string, options?: QueryOptions): AsyncIterable<Change<Row>>
  /** A continuous query that answers: its rows by key, and its changes. Kept in memory. */
  view(asked: string | Stream<Shape>, options: ViewOptions): View<Row>
  /** Events that are answered: each is appended to a topic, and the query's row of its id awaited. Takes ownership of the data directory. */
  asking(sql: string, options: AskingOptions): Promise<Asking<Row>>
  /** Starts the INSERTs of a script, or a pipeline of the typed API. Takes ownership of the data directory. */
  run(pipeline: string | PipelineDefinition, options?: RunOptions): Promise<Run>
  /** A pipeline of the typed API as the script that it is. */
  sqlOf(pipeline: PipelineDefinition): string
  /** Stops every run with a checkpoint and gives up the directory. */
  close(): Promise<void>
}

/** @throws the errors of `tables`, the first of them */
export async function open(options: OpenOptions = {}): Promise<Millrace> {
  const { tables = '', directory = '.' } = options
  return new Opened(options, await loadUserFunctions(functionsIn(tables), directory))
}

class Opened implements Millrace {
  readonly #options: OpenOptions
  readonly #runs = new Set<RunHandle>()
  readonly #views = new Set<{ close(): Promise<void> }>()
  #script: string
  #owned: Promise<OwnedDirectory> | undefined
  #functions: ReadonlyMap<string, UserFunctionType>

  constructor(options: OpenOptions, functions: ReadonlyMap<string, UserFunctionType>) {
    this.#options = options
    this.#functions = functions
    this.#script = options.tables ?? ''
    this.#bind('')
  }

  define(sql: string): void {
    this.#bind(sql)
    this.#script += `\n;\n${sql}`
  }

  query(asked: string | Stream<Shape>, options: QueryOptions = {}): Query<never> {
    const node = this.#asked(asked, options)
    const iterate = () => runQuery(this.#queryStart(node, options))
    const query: Query<Row> = {
      schema: schemaOf(node),
      [Symbol.asyncIterator]: iterate,
      async rows() {
        const rows: Row[] = []
        for await (const row of iterate()) rows.push(row)
        return rows
      },
    }
    return query as Query<never>
  }

  changes(asked: string | Stream<Shape>, options: QueryOptions = {}): AsyncIterable<never> {
    const start = this.#queryStart(this.#asked(asked, options), options)
    return runChanges(start) as AsyncIterable<AnyChange> as AsyncIterable<never>
  }

  view(asked: string | Stream<Shape>, { key, signal }: ViewOptions): View<Row> {
    const node = this.#asked(asked, {})
    requireColumns(key, schemaOf(node))
    const view = openView({
      key,
      begin: (stop, onCaughtUp) =>
        runChanges({
          ...this.#queryStart(node, { signal: signal ? AbortSignal.any([stop, signal]) : stop }),
          onCaughtUp,
        }),
    })
    this.#views.add(view)
    return view
  }

  async asking(sql: string, { topic, id }: AskingOptions): Promise<Asking<Row>> {
    const node = this.#asked(sql, {})
    requireColumns([id], schemaOf(node))
    const { ports } = await this.#own()
    const asking = await openAsking({
      ports,
      dataDirectory: this.#places().dataDirectory,
      topic,
      id,
      begin: (signal, onCaughtUp, nudge) =>
        runChanges({ ...this.#queryStart(node, { signal }), onCaughtUp, nudge }),
    })
    this.#views.add(asking)
    return asking
  }

  sqlOf(definition: PipelineDefinition): string {
    return pipelineSql(definition, (tables, select) => schemaOf(this.#select(tables, select, {})))
  }

  async run(asked: string | PipelineDefinition, options: RunOptions = {}): Promise<Run> {
    const sql = typeof asked === 'string' ? asked : this.sqlOf(asked)
    await this.#loadFunctions(sql)
    const pipeline = this.#pipeline(sql, options.name)
    const { ports } = await this.#own()
    const handle = await startPipeline({
      pipeline,
      connectors: CONNECTORS,
      threads: true,
      ports,
      ...this.#places(),
      ...(options.until === undefined ? {} : { until: options.until }),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      ...(options.fresh === undefined ? {} : { fresh: options.fresh }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    })
    this.#runs.add(handle)
    return disposable(handle)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#runs].map((run) => run.stop()))
    await Promise.all([...this.#views].map((view) => view.close()))
    this.#runs.clear()
    this.#views.clear()
    const owned = this.#owned
    this.#owned = undefined
    await (await owned)?.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #own(): Promise<OwnedDirectory> {
    this.#owned ??= ownDirectory(this.#places().dataDirectory).catch((error: unknown) => {
      // Whoever has it now may give it up: asking again must not give the old answer.
      this.#owned = undefined
      throw error
    })
    return this.#owned
  }

  #places() {
    const { data = '.millrace', directory = '.', environment = process.env } = this.#options
    return { dataDirectory: data, baseDirectory: directory, environment }
  }

  async #loadFunctions(sql: string): Promise<void> {
    const loaded = await loadUserFunctions(functionsIn(sql), this.#places().baseDirectory)
    this.#functions = new Map([...this.#functions, ...loaded])
  }

  #bind(sql: string, name = 'pipeline'): BoundScript {
    const before = `${this.#script}\n;\n`
    const bound = bindText(before + sql, name, CONNECTORS, this.#functions)
    const [first] = bound.errors
    if (first !== undefined) throw placed(first.behind(before))
    return bound
  }

  #asked(asked: string | Stream<Shape>, options: QueryOptions): PlanNode {
    if (typeof asked === 'string') return this.#select('', asked, options)
    const tables = [...asked.tables.values()].map((definition) => `${definition};\n`).join('')
    const node = this.#select(tables, asked.sql, options)
    checkKinds(asked.kinds, schemaOf(node))
    return node
  }

  #select(tables: string, sql: string, { columns }: QueryOptions): PlanNode {
    const { queries, pipeline } = this.#bind(tables + sql)
    const [node, ...more] = queries
    if (node === undefined || more.length > 0 || pipeline !== undefined) {
      throw unsupported(
        'a query is one SELECT',
        'use run() for INSERT INTO, define() for CREATE TABLE',
      )
    }
    if (columns !== undefined) checkColumns(columns, schemaOf(node))
    return node
  }

  #pipeline(sql: string, name?: string): Pipeline {
    const { pipeline } = this.#bind(sql, name)
    if (pipeline !== undefined) return pipeline
    throw unsupported('a pipeline writes', 'give run() an INSERT INTO a_table SELECT ...')
  }

  #queryStart(query: PlanNode, { signal }: QueryOptions) {
    const bigint = this.#options.bigint ?? 'bigint'
    const values: ValueOptions = {
      bigint,
      nested: (type, bytes) => nestedValue(type, bytes, { bigint }),
    }
    return {
      query,
      connectors: CONNECTORS,
      ports: localPorts(),
      ...this.#places(),
      values,
      ...(signal === undefined ? {} : { signal }),
    }
  }
}

/** Who has no editor to underline it reads from the facts where it is. */
function placed(error: SqlError): SqlError {
  const { code, place, message, hint, facts } = error
  const { line, column } = place
  return new SqlError(code, place, { message, hint, facts: { ...facts, line, column } })
}

function disposable(handle: RunHandle): Run {
  return {
    pipeline: handle.pipeline,
    finished: handle.finished,
    status: () => handle.status(),
    stop: () => handle.stop(),
    savepoint: (path) => handle.savepoint(path),
    async [Symbol.asyncDispose]() {
      await handle.stop()
    },
  }
}

function requireColumns(names: readonly string[], schema: Schema): void {
  const missing = names.find((name) => !schema.some((field) => field.name === name))
  if (missing === undefined && names.length > 0) return
  throw new MillraceError('COLUMNS_MISMATCH', {
    message: `the query has no column ${missing ?? 'for a key'}`,
    hint: `its columns are ${schema.map(({ name }) => name).join(', ')}`,
    facts: { column: missing ?? '' },
  })
}

function unsupported(message: string, hint: string): MillraceError {
  return new MillraceError('SQL_UNSUPPORTED', { message, hint })
}
