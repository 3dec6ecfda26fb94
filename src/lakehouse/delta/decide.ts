/**
 * What a commit attempt may do, given the table as it now is: pure.
 *
 * An attempt was prepared against a base version. Whoever committed since is judged by what the table looks like now, not by how it
 * came there, so that cleaned-up logs and lost answers need no case of their own.
 */
import type { Action, AddFile, Metadata, Protocol, RemoveFile } from './actions.ts'
import { isAppendOnly, supportsDomains, unsupportedToWrite } from './protocol.ts'
import type { Snapshot } from './snapshot.ts'

export interface CommitAttempt {
  /** Exactly-once: the application and its own counter, which only grows. Absent for what may be done twice (compaction). */
  readonly transaction?: { readonly appId: string; readonly version: number }
  /** Written with the commit where the table supports it: the positions that it reaches. */
  readonly domain?: { readonly name: string; readonly configuration: string }
  readonly operation: string
  readonly parameters: Readonly<Record<string, string>>
  readonly adds: readonly AddFile[]
  readonly removes: readonly RemoveFile[]
  /** True if `adds` and `removes` hold the rows they held before. */
  readonly rearranges: boolean
  /** For attempts that rewrite: the files that must be exactly these, or the rewrite is stale. Undefined: a blind append. */
  readonly rewrites?: {
    readonly isTouched: (file: AddFile) => boolean
    readonly paths: ReadonlySet<string>
  }
  /** What the data files were written for. */
  readonly base: {
    readonly version: number
    readonly protocol: Protocol
    readonly metadata: Metadata
    /** What of a changed table does not fit the files any more; undefined: they fit. */
    readonly schemaProblem: (metadata: Metadata) => string | undefined
    /** The configuration of `domain` at the base; undefined if it was not there. */
    readonly domainConfiguration?: string | undefined
  }
}

export type Decision =
  | { readonly kind: 'write'; readonly version: number }
  /** An earlier attempt, or its answer that was lost, did it. */
  | { readonly kind: 'already' }
  /** Prepare again against the table as it is now. */
  | { readonly kind: 'stale'; readonly reason: string }
  | { readonly kind: 'conflicted'; readonly reason: string; readonly remedy: string }

/** @see Delta protocol, "Transaction Identifiers", "Domain Metadata", "Append-only Tables" */
export function decideCommit(attempt: CommitAttempt, latest: Snapshot): Decision {
  return (
    transactionConflict(attempt, latest) ??
    protocolConflict(attempt, latest) ??
    metadataConflict(attempt, latest) ??
    domainConflict(attempt, latest) ??
    fileConflict(attempt, latest) ?? { kind: 'write', version: latest.version + 1 }
  )
}

/** The actions of an attempt, as they go into its commit file. `txnId` makes the bytes this attempt's own. */
export function commitActions(
  attempt: CommitAttempt,
  latest: Snapshot,
  stamp: { readonly nowMs: number; readonly txnId: string; readonly engine: string },
): readonly Action[] {
  const { transaction, domain } = attempt
  const positions = domain === undefined ? {} : { positions: domain.configuration }
  const commitInfo = {
    timestamp: stamp.nowMs,
    operation: attempt.operation,
    operationParameters: attempt.parameters,
    isBlindAppend: attempt.rewrites === undefined && attempt.removes.length === 0,
    engineInfo: stamp.engine,
    txnId: stamp.txnId,
    ...positions,
  }
  const actions: Action[] = [{ commitInfo }]
  if (transaction !== undefined) actions.push(transactionAction(transaction, stamp.nowMs))
  if (domain !== undefined && supportsDomains(latest.protocol)) {
    const { name, configuration } = domain
    actions.push({ domainMetadata: { domain: name, configuration, removed: false } })
  }
  for (const remove of attempt.removes) actions.push({ remove })
  for (const add of attempt.adds) actions.push({ add })
  return actions
}

function transactionAction(
  { appId, version }: NonNullable<CommitAttempt['transaction']>,
  lastUpdated: number,
): Action {
  return { txn: { appId, version, lastUpdated } }
}

function transactionConflict(
  { transaction }: CommitAttempt,
  latest: Snapshot,
): Decision | undefined {
  if (transaction === undefined) return undefined
  const found = latest.transactions.get(transaction.appId)?.version
  if (found === transaction.version) return { kind: 'already' }
  if (found === undefined || found < transaction.version) return undefined
  return {
    kind: 'conflicted',
    reason: `another run of '${transaction.appId}' has committed ${found}, past this run's ${transaction.version}`,
    remedy:
      'this run is a leftover: stop it. If it is the one to keep, start it again from its newest checkpoint, or under another pipeline.name',
  }
}

function protocolConflict(attempt: CommitAttempt, latest: Snapshot): Decision | undefined {
  if (latest.protocol === attempt.base.protocol) return undefined
  const missing = unsupportedToWrite(latest.protocol, latest.metadata)
  if (missing.length === 0) return undefined
  return {
    kind: 'conflicted',
    reason: `the table was upgraded to ${missing.join(', ')}, which Millrace does not write`,
    remedy:
      'drop the feature with the tool that added it, then start the pipeline again: what is prepared is kept',
  }
}

function metadataConflict(attempt: CommitAttempt, latest: Snapshot): Decision | undefined {
  const before = attempt.base.metadata
  const now = latest.metadata
  if (now === before) return undefined
  if (now.id !== before.id) {
    return {
      kind: 'conflicted',
      reason: 'the table was dropped and made again by another writer',
      remedy: "write to another path, or restore the table; the pipeline's data is kept until then",
    }
  }
  if (now.partitionColumns.join('\0') !== before.partitionColumns.join('\0')) {
    return {
      kind: 'conflicted',
      reason: `its partition columns are now (${now.partitionColumns.join(', ')}), not (${before.partitionColumns.join(', ')})`,
      remedy: 'declare the table as it now is, and start the pipeline again',
    }
  }
  const problem =
    now.schemaString === before.schemaString ? undefined : attempt.base.schemaProblem(now)
  if (problem !== undefined) {
    return {
      kind: 'conflicted',
      reason: `its schema was changed by another writer: ${problem}`,
      remedy:
        'declare the table as it now is, and start the pipeline again: what is prepared is kept',
    }
  }
  const rewritesRows = attempt.removes.length > 0 && !attempt.rearranges
  if (rewritesRows && isAppendOnly(now)) {
    return {
      kind: 'conflicted',
      reason: "it was made append-only ('delta.appendOnly' = 'true')",
      remedy: "set 'delta.appendOnly' = 'false', or append to it without a PRIMARY KEY",
    }
  }
  return undefined
}

function domainConflict(attempt: CommitAttempt, latest: Snapshot): Decision | undefined {
  if (attempt.domain === undefined) return undefined
  const now = latest.domains.get(attempt.domain.name)?.configuration
  if (now === attempt.base.domainConfiguration) return undefined
  return {
    kind: 'conflicted',
    reason: `another writer has changed the domain '${attempt.domain.name}', where this pipeline keeps its positions`,
    remedy: 'give each pipeline a pipeline.name of its own, and start this one again',
  }
}

function fileConflict(attempt: CommitAttempt, latest: Snapshot): Decision | undefined {
  const gone = attempt.removes.find(({ path }) => !latest.files.has(path))
  if (gone !== undefined) {
    return { kind: 'stale', reason: `'${gone.path}' was removed by another writer` }
  }
  const { rewrites } = attempt
  if (rewrites === undefined) return undefined
  for (const file of latest.files.values()) {
    if (rewrites.isTouched(file) && !rewrites.paths.has(file.path)) {
      return { kind: 'stale', reason: `'${file.path}' was added by another writer` }
    }
  }
  return undefined
}
