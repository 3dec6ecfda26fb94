/** The one committer of a sink: gathers what writers prepared into one Delta commit, exactly once. */
import { unreachable } from '../../errors.ts'
import type { AddFile } from '../../lakehouse/delta/actions.ts'
import { type CommitResult, commit } from '../../lakehouse/delta/commit.ts'
import type { CommitAttempt } from '../../lakehouse/delta/decide.ts'
import { advance, loadSnapshot } from '../../lakehouse/delta/log.ts'
import { keyOfPath } from '../../lakehouse/delta/partition-values.ts'
import { supportsDomains } from '../../lakehouse/delta/protocol.ts'
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
  positionsKey,
  positionsText,
  transactionVersion,
} from './positions.ts'
import { type OpenTable, openTable, type SinkTable } from './table.ts'
import { type Merged, mergeChanges, removeStaged } from './upsert-merge.ts'

/** Times a rewrite is prepared anew because other writers changed its files, within one call. */
const REWRITES_MAX = 5

/** What the committer last knew the table to be; whatever differs from it was done by others. */
interface Known {
  /** As it was when this run opened it: the writers write for it. */
  readonly opened: OpenTable
  readonly snapshot: Snapshot
  /** What the pipeline's domain said after this committer's last commit. */
  readonly domainConfiguration: string | undefined
}

export async function deltaCommitter(table: SinkTable): Promise<SinkCommitter> {
  const opened = await openTable(table)
  let known = knownFrom(table, opened, opened.snapshot)
  return {
    async commit(request) {
      const { told, snapshot } = await commitRequest(table, known, request)
      if (told.kind === 'committed') known = knownFrom(table, opened, snapshot ?? known.snapshot)
      return told
    },
    async lastCommitted(pipeline) {
      const latest = await loadSnapshot(table.ports.store)
      const found = latest?.transactions.get(applicationId(pipeline, table.request.table))
      return found === undefined ? undefined : checkpointOf(found.version)
    },
    async close() {},
  }
}

function knownFrom(table: SinkTable, opened: OpenTable, snapshot: Snapshot): Known {
  const domain = snapshot.domains.get(domainName(table.request.pipeline))
  return { opened, snapshot, domainConfiguration: domain?.configuration }
}

interface Told {
  readonly told: CommitOutcome
  readonly snapshot?: Snapshot
}

async function commitRequest(
  table: SinkTable,
  known: Known,
  request: CommitRequest,
): Promise<Told> {
  const { ports } = table
  const prepared = request.committables.map(readCommittable)
  // A quiet pipeline takes checkpoints too: they make no versions.
  if (prepared.length === 0)
    return { told: { kind: 'committed', already: false, detail: 'no rows' } }
  let snapshot = (await advance(ports.store, known.snapshot))?.snapshot
  if (snapshot === undefined) return { told: dropped(table) }
  const done = alreadyCommitted(table, request, snapshot, prepared)
  if (done !== undefined) return { told: done, snapshot }
  const refusal = await unfit(table, prepared, snapshot)
  if (refusal !== undefined) return { told: refusal }
  for (let rewrite = 0; rewrite < REWRITES_MAX; rewrite++) {
    const open = { ...known.opened, snapshot }
    const merged = await mergeChanges(table, open, prepared)
    const attempt = attemptOf(table, known, request, newAdds(snapshot, prepared), merged)
    const sidecar = await writeSidecar(table, snapshot, attempt)
    const result = await commit(ports, snapshot, attempt)
    if (result.kind === 'stale') {
      await discard(table, merged.adds)
      snapshot = result.snapshot
      continue
    }
    if (result.kind === 'committed' && sidecar !== undefined) await ports.store.remove(sidecar)
    return afterCommit(table, open, { request, prepared, merged }, result)
  }
  const reason = `other writers changed the same files of ${ports.store.url} ${REWRITES_MAX} times`
  return { told: { kind: 'retry', reason } }
}

/** For a table without domains: the positions in a file of their own. The key of the file that is of no use after the commit. */
async function writeSidecar(
  table: SinkTable,
  snapshot: Snapshot,
  { transaction, domain }: CommitAttempt,
): Promise<string | undefined> {
  if (supportsDomains(snapshot.protocol)) return undefined
  if (transaction === undefined || domain === undefined) return undefined
  const { appId, version } = transaction
  const bytes = new TextEncoder().encode(domain.configuration)
  await table.ports.store.put(positionsKey(appId, version), bytes)
  const earlier = snapshot.transactions.get(appId)
  return earlier === undefined ? undefined : positionsKey(appId, earlier.version)
}

/** Files that an earlier commit whose answer was lost has brought in are not brought in twice, even under a later checkpoint. */
function newAdds(snapshot: Snapshot, prepared: readonly Prepared[]): readonly AddFile[] {
  return prepared
    .flatMap(({ adds }) => adds)
    .filter(({ path }) => !snapshot.files.has(path) && !snapshot.tombstones.has(path))
}

function attemptOf(
  table: SinkTable,
  known: Known,
  request: CommitRequest,
  adds: readonly AddFile[],
  merged: Merged,
): CommitAttempt {
  const { mode, table: name, schema } = table.request
  const { version, protocol, metadata } = known.opened.snapshot
  return {
    transaction: {
      appId: applicationId(request.pipeline, name),
      version: transactionVersion(request.checkpoint),
    },
    domain: {
      name: domainName(request.pipeline),
      configuration: positionsText(request, mode),
    },
    operation: mode === 'upsert' ? 'MERGE' : 'STREAMING UPDATE',
    parameters: {
      outputMode: mode === 'upsert' ? 'Update' : 'Append',
      queryId: request.pipeline,
      epochId: `${request.checkpoint.incarnation}.${request.checkpoint.counter}`,
    },
    adds: [...adds, ...merged.adds],
    removes: merged.removes,
    rearranges: false,
    ...(merged.rewrites === undefined ? {} : { rewrites: merged.rewrites }),
    base: {
      version,
      protocol,
      metadata,
      schemaProblem: (now) => fitProblem(schema, parseSchemaText(now.schemaString)),
      domainConfiguration: known.domainConfiguration,
    },
  }
}

interface Committing {
  readonly request: CommitRequest
  readonly prepared: readonly Prepared[]
  readonly merged: Merged
}

async function afterCommit(
  table: SinkTable,
  open: OpenTable,
  { request, prepared, merged }: Committing,
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
      if (result.already) {
        await discard(table, merged.adds)
        const found = alreadyCommitted(table, request, result.snapshot, prepared)
        if (found?.kind === 'refused') return { told: found }
      }
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
  prepared: readonly Prepared[],
): CommitOutcome | undefined {
  const found = snapshot.transactions.get(applicationId(request.pipeline, table.request.table))
  if (found === undefined) return undefined
  const wanted = transactionVersion(request.checkpoint)
  const same = checkpointOf(found.version).incarnation === request.checkpoint.incarnation
  if (found.version !== wanted && !(same && found.version > wanted)) return undefined
  const stranger = newAdds(snapshot, prepared)[0]
  if (stranger !== undefined) return strangeCommit(table, request, stranger)
  return { kind: 'committed', already: true, detail: `version ${snapshot.version} or before` }
}

/** Rows must not be lost because someone else has committed under this sink's name: two sinks of one table in a pipeline, or two runs. */
function strangeCommit(
  table: SinkTable,
  { pipeline, checkpoint }: CommitRequest,
  stranger: AddFile,
): CommitOutcome {
  const id = `${checkpoint.incarnation}.${checkpoint.counter}`
  return {
    kind: 'refused',
    reason: `checkpoint ${id} of '${pipeline}' is committed in ${table.ports.store.url}, but without the file '${stranger.path}'`,
    remedy:
      'another sink or run has committed under the same pipeline and table name: write one INSERT with UNION ALL, or give each pipeline a pipeline.name of its own',
  }
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
