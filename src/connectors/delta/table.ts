/** A declared table and the Delta table behind it: opened, made, checked, evolved. */
import { isAbsolute, join } from 'node:path'
import { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { CommitPorts } from '../../lakehouse/delta/commit.ts'
import { createTable, uuid } from '../../lakehouse/delta/create.ts'
import { addColumns } from '../../lakehouse/delta/evolve.ts'
import { loadSnapshot } from '../../lakehouse/delta/log.ts'
import { checkWritable } from '../../lakehouse/delta/protocol.ts'
import type { Snapshot } from '../../lakehouse/delta/snapshot.ts'
import { parseSchemaText } from '../../lakehouse/delta/table-schema.ts'
import type { ObjectStore } from '../../ports/objects.ts'
import type { Ports } from '../../ports/ports.ts'
import type { SinkRequest } from '../contract/sink.ts'
import { fitSchema, schemaMismatch } from './fit.ts'
import { type DeltaOptions, readOptions } from './options.ts'

export const UPSERT_KEY = 'millrace.upsert.key'
export const UPSERT_BUCKETS = 'millrace.upsert.buckets'

export interface SinkTable {
  readonly request: SinkRequest
  readonly options: DeltaOptions
  readonly ports: CommitPorts
  readonly newFileId: () => string
  /** For rewriting files: one for all commits, since each memory reserves gigabytes of addresses. */
  readonly rewriteMemory: () => LinearMemory
}

/** What a writer or committer works by. */
export interface OpenTable {
  readonly snapshot: Snapshot
  /** Declared columns, with the table's nullability. */
  readonly schema: Schema
}

export function sinkTable(request: SinkRequest): SinkTable {
  const options = readOptions(request.options)
  const store = openStore(request.ports, options.tablePath, request.baseDirectory)
  const { random, clock } = request.ports
  const ports: CommitPorts = {
    store,
    random,
    nowMs: () => clock.nowMs(),
    faultPoint: (name) => request.ports.faultPoint(name),
  }
  let memory: LinearMemory | undefined
  return {
    request,
    options,
    ports,
    newFileId: () => uuid(random.bytes(16)),
    rewriteMemory() {
      memory ??= new LinearMemory()
      return memory
    },
  }
}

export function openStore(ports: Ports, tablePath: string, baseDirectory: string): ObjectStore {
  const isUrl = /^[a-z][a-z0-9+.-]*:/i.test(tablePath)
  return ports.objects(isUrl || isAbsolute(tablePath) ? tablePath : join(baseDirectory, tablePath))
}

/**
 * Makes the table if it is absent and may be made, evolves it if asked, and checks that the declared columns fit.
 *
 * @throws COMMIT_REFUSED if it is gone and may not be made
 * @throws DELTA_SCHEMA_MISMATCH naming each column that does not fit, with both types
 * @throws DELTA_FEATURE_UNSUPPORTED if the table needs what Millrace does not write
 */
export async function prepareTable(table: SinkTable, mayMake = true): Promise<OpenTable> {
  const { ports, options, request } = table
  let snapshot = await loadSnapshot(ports.store)
  if (snapshot === undefined && !mayMake) throw tableGone(request.table, ports.store.url)
  snapshot ??= await createTable(ports, {
    schema: request.schema,
    partitionColumns: request.partitionedBy,
    configuration: { ...options.properties, ...upsertLayout(request, options) },
  })
  checkWritable(ports.store.url, snapshot.protocol, snapshot.metadata)
  const { missing } = fitSchema(request.schema, parseSchemaText(snapshot.metadata.schemaString))
  if (missing.length > 0 && options.evolves) {
    snapshot = await addColumns(ports, snapshot, missing)
  }
  return checkedTable(table, snapshot)
}

/**
 * The table as it is, checked; for writers and committers, which may live in other threads or runs than who made it.
 *
 * @throws DELTA_TABLE_MISSING if it is gone, else as `prepareTable`
 */
export async function openTable(table: SinkTable): Promise<OpenTable> {
  const snapshot = await loadSnapshot(table.ports.store)
  if (snapshot === undefined) throw tableMissing(table.request.table, table.ports.store.url)
  return checkedTable(table, snapshot)
}

function tableGone(table: string, url: string): MillraceError {
  return new MillraceError('COMMIT_REFUSED', {
    message: `the Delta table ${url} of ${table} is gone, and the pipeline's checkpoint goes on from rows that it held`,
    hint: 'restore the table (what waits for its commit is kept in the checkpoint), or begin anew with --fresh to fill a new one',
    facts: { table, url },
  })
}

function checkedTable(table: SinkTable, snapshot: Snapshot): OpenTable {
  const { request, ports } = table
  const { url } = ports.store
  checkWritable(url, snapshot.protocol, snapshot.metadata)
  const fit = fitSchema(request.schema, parseSchemaText(snapshot.metadata.schemaString))
  const lacks = fit.missing.map(({ name }) => `column '${name}' is not in the table`)
  const problems = [...fit.problems, ...lacks, ...partitionProblem(request, snapshot)]
  if (problems.length > 0) throw schemaMismatch(request.table, url, problems.join('; '))
  if (request.mode === 'upsert') checkUpsert(table, snapshot)
  return { snapshot, schema: fit.schema }
}

function partitionProblem(request: SinkRequest, snapshot: Snapshot): readonly string[] {
  const [ours, theirs] = [request.partitionedBy, snapshot.metadata.partitionColumns]
  const same = ours.length === theirs.length && ours.every((name, index) => name === theirs[index])
  if (same) return []
  return [`it is PARTITIONED BY (${ours.join(', ')}) here and (${theirs.join(', ')}) in the table`]
}

function upsertLayout(request: SinkRequest, options: DeltaOptions): Record<string, string> {
  if (request.mode !== 'upsert') return {}
  return {
    [UPSERT_KEY]: JSON.stringify(request.primaryKey),
    [UPSERT_BUCKETS]: String(options.buckets),
  }
}

/** Buckets of an upsert table, as its own properties say; the option counts for new tables only. */
export function bucketCount(snapshot: Snapshot): number {
  return Number(snapshot.metadata.configuration[UPSERT_BUCKETS])
}

function checkUpsert(table: SinkTable, snapshot: Snapshot): void {
  const { request, ports } = table
  const refuse = (problem: string, hint: string) =>
    new MillraceError('DELTA_SCHEMA_MISMATCH', {
      message: `table '${request.table}' can't be written by primary key into ${ports.store.url}: ${problem}`,
      hint,
      facts: { table: request.table, url: ports.store.url, problem },
    })
  if (request.partitionedBy.length > 0) {
    throw refuse(
      'it is PARTITIONED BY columns, and buckets of keys are not kept by partition',
      'leave PARTITIONED BY out: files of an upsert table are laid out by key',
    )
  }
  const { configuration } = snapshot.metadata
  const key = configuration[UPSERT_KEY]
  if (key !== JSON.stringify(request.primaryKey) || !(bucketCount(snapshot) > 0)) {
    throw refuse(
      key === undefined
        ? 'it was made without key buckets'
        : `its key is ${key}, not ${JSON.stringify(request.primaryKey)}`,
      'write to a new table-path, or declare the PRIMARY KEY that the table was made with',
    )
  }
  if (configuration['delta.appendOnly'] === 'true') {
    throw refuse('it is append-only', "set 'delta.appendOnly' = 'false' on the table")
  }
  const other = otherUpserter(request.pipeline, snapshot)
  if (other !== undefined) {
    throw refuse(
      `the pipeline '${other}' upserts into it: two would overwrite each other's keys`,
      'write both results into one statement with UNION ALL, or to two tables; appends of several pipelines are fine',
    )
  }
}

function otherUpserter(pipeline: string, snapshot: Snapshot): string | undefined {
  for (const { domain, configuration } of snapshot.domains.values()) {
    const other = domain.startsWith('millrace.') ? domain.slice('millrace.'.length) : pipeline
    if (other === pipeline) continue
    if (/"mode":"upsert"/.test(configuration)) return other
  }
  return undefined
}

export function tableMissing(table: string, url: string): MillraceError {
  return new MillraceError('DELTA_TABLE_MISSING', {
    message: `there is no Delta table at ${url} for '${table}'`,
    hint: "check 'table-path'; a table that a pipeline writes is made when the pipeline starts",
    facts: { table, url },
  })
}
