/** The one committer of a sink: gathers what writers prepared into one Delta commit, exactly once. */
import { unreachable } from '../../errors.ts'
import type { AddFile } from '../../lakehouse/delta/actions.ts'
import { type CommitResult, commit } from '../../lakehouse/delta/commit.ts'
import type { CommitAttempt } from '../../lakehouse/delta/decide.ts'
import { advance, loadSnapshot } from '../../lakehouse/delta/log.ts'
import { keyOfPath } from '../../lakehouse/delta/partition-values.ts'
import type { Snapshot } from '../../lakehouse/delta/snapshot.ts'
import { parseSchemaText } from '../../lakehouse/delta/table-schema.ts'
import type { CommitOutcome, CommitRequest, SinkCommitter } from '../contract/sink.ts'
import { type Prepared, readCommittable } from './committable.ts'
import { fitProblem } from './fit.ts'
import { maintain } from './maintain.ts'
import {
  applicationId,
  checkpointOf,
  domainName,
  positionsText,
  transactionVersion,
} from './positions.ts'
import { type OpenTable, openTable, type SinkTable } from './table.ts'
import { type Merged, mergeChanges, removeStaged } from './upsert-merge.ts'

/** Times a rewrite is prepared anew because other writers changed its files, within one call. */
const REWRITES_MAX = 5

export async function deltaCommitter(table: SinkTable): Promise<SinkCommitter> {
  let open = await openTable(table)
  return {
    async commit(request) {
      const outcome = await commitRequest(table, open, request)
      if (outcome.snapshot !== undefined) open = { ...open, snapshot: outcome.snapshot }
      return outcome.told
    },
    async lastCommitted(pipeline) {
      const latest = await loadSnapshot(table.ports.store)
      const found = latest?.transactions.get(applicationId(pipeline, table.request.table))
      return found === undefined ? undefined : checkpointOf(found.version)
    },
    async close() {},
  }
}

interface Told {
  readonly told: CommitOutcome
  readonly snapshot?: Snapshot
}

async function commitRequest(
  table: SinkTable,
  open: OpenTable,
  request: CommitRequest,
): Promise<Told> {
  const { ports } = table
  const prepared = request.committables.map(readCommittable)
  let snapshot = (await advance(ports.store, open.snapshot))?.snapshot
  if (snapshot === undefined) return { told: dropped(table) }
  const done = alreadyCommitted(table, request, snapshot)
  if (done !== undefined) return { told: done, snapshot }
  const refusal = await unfit(table, prepared, snapshot)
  if (refusal !== undefined) return { told: refusal }
  for (let rewrite = 0; rewrite < REWRITES_MAX; rewrite++) {
    const merged = await mergeChanges(table, { ...open, snapshot }, prepared)
    const attempt = attemptOf(table, request, snapshot, prepared, merged)
    const result = await commit(ports, snapshot, attempt)
    if (result.kind !== 'stale') return afterCommit(table, open, prepared, merged, result)
    await discard(table, merged.adds)
    snapshot = result.snapshot
  }
  const reason = `other writers changed the same files of ${ports.store.url} ${REWRITES_MAX} times`
  return { told: { kind: 'retry', reason }, snapshot }
}

function attemptOf(
  table: SinkTable,
  request: CommitRequest,
  snapshot: Snapshot,
  prepared: readonly Prepared[],
  merged: Merged,
): CommitAttempt {
  const { mode, table: name, schema } = table.request
  const domain = domainName(request.pipeline)
  return {
    transaction: {
      appId: applicationId(request.pipeline, name),
      version: transactionVersion(request.checkpoint),
    },
    domain: { name: domain, configuration: positionsText(request, mode) },
    operation: mode === 'upsert' ? 'MERGE' : 'STREAMING UPDATE',
    parameters: {
      outputMode: mode === 'upsert' ? 'Update' : 'Append',
      queryId: request.pipeline,
      epochId: `${request.checkpoint.incarnation}.${request.checkpoint.counter}`,
    },
    adds: [...prepared.flatMap(({ adds }) => adds), ...merged.adds],
    removes: merged.removes,
    rearranges: false,
    ...(merged.rewrites === undefined ? {} : { rewrites: merged.rewrites }),
    base: {
      version: snapshot.version,
      protocol: snapshot.protocol,
      metadata: snapshot.metadata,
      schemaProblem: (metadata) => fitProblem(schema, parseSchemaText(metadata.schemaString)),
      domainConfiguration: snapshot.domains.get(domain)?.configuration,
    },
  }
}

async function afterCommit(
  table: SinkTable,
  open: OpenTable,
  prepared: readonly Prepared[],
  merged: Merged,
  result: Exclude<CommitResult, { kind: 'stale' }>,
): Promise<Told> {
  switch (result.kind) {
    case 'conflicted':
      await discard(table, merged.adds)
      return { told: { kind: 'refused', reason: result.reason, remedy: result.remedy } }
    case 'retry':
      await discard(table, merged.adds)
      return { told: result }
    case 'committed': {
      if (result.already) await discard(table, merged.adds)
      const notes = [`version ${result.snapshot.version}`, ...merged.notes]
      await removeStaged(table, prepared)
      const kept = await maintain(table, { ...open, snapshot: result.snapshot }, notes)
      const told = { kind: 'committed', already: result.already, detail: notes.join('; ') } as const
      return { told, snapshot: kept }
    }
    default:
      return unreachable(result)
  }
}

/** Also for a pipeline that is behind itself: a later commit of the same incarnation held these rows too. */
function alreadyCommitted(
  table: SinkTable,
  request: CommitRequest,
  snapshot: Snapshot,
): CommitOutcome | undefined {
  const found = snapshot.transactions.get(applicationId(request.pipeline, table.request.table))
  if (found === undefined) return undefined
  const wanted = transactionVersion(request.checkpoint)
  const same = checkpointOf(found.version).incarnation === request.checkpoint.incarnation
  if (found.version !== wanted && !(same && found.version > wanted)) return undefined
  return { kind: 'committed', already: true, detail: `version ${snapshot.version} or before` }
}

/** Whether prepared files still fit the table, and are there. */
async function unfit(
  table: SinkTable,
  prepared: readonly Prepared[],
  snapshot: Snapshot,
): Promise<CommitOutcome | undefined> {
  const { store } = table.ports
  const stranger = prepared.find((one) => one.table !== snapshot.metadata.id)
  if (stranger !== undefined) {
    return {
      kind: 'refused',
      reason: `the Delta table ${store.url} is not the one that the rows were prepared for: it was dropped and made again`,
      remedy:
        'restore the old table, write to another table-path, or start with --fresh to read everything again',
    }
  }
  const keys = prepared.flatMap((one) => [
    ...one.adds.map(({ path }) => keyOfPath(store.url, path)),
    ...one.changes.map(({ key }) => key),
  ])
  for (const key of keys) {
    if ((await store.head(key)) !== undefined) continue
    return {
      kind: 'refused',
      reason: `the prepared file '${key}' of ${store.url} is gone: it was deleted, perhaps by a vacuum with a short retention`,
      remedy:
        'restore the file, or start from a savepoint before it was written; vacuum with a retention longer than any stop',
    }
  }
  return undefined
}

async function discard(table: SinkTable, adds: readonly AddFile[]): Promise<void> {
  const { store } = table.ports
  for (const { path } of adds) await store.remove(keyOfPath(store.url, path))
}

function dropped(table: SinkTable): CommitOutcome {
  const { url } = table.ports.store
  return {
    kind: 'refused',
    reason: `the Delta table ${url} is gone: it was dropped while the pipeline ran`,
    remedy:
      'restore the table and start the pipeline again (what is prepared is kept), or start it with --fresh to make a new table',
  }
}
