/**
 * The state of a table at a version: what replaying its log gives. Replay is a fold over actions; it knows no files.
 *
 * @see Delta protocol, "Action Reconciliation"
 */
import { invariant } from '../../errors.ts'
import type {
  Action,
  AddFile,
  CommitInfo,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
} from './actions.ts'
import { logCorrupt } from './actions.ts'

export interface Snapshot {
  readonly version: number
  readonly protocol: Protocol
  readonly metadata: Metadata
  /** By path. */
  readonly files: ReadonlyMap<string, AddFile>
  /** Removed files that vacuum may not have deleted yet, by path. */
  readonly tombstones: ReadonlyMap<string, RemoveFile>
  /** Version by application. */
  readonly transactions: ReadonlyMap<string, TransactionState>
  readonly domains: ReadonlyMap<string, DomainMetadata>
  /** Of the commit of `version`; undefined if that was reached by a checkpoint, which has none. */
  readonly commitInfo?: CommitInfo | undefined
}

export interface TransactionState {
  readonly version: number
  readonly lastUpdated?: number | undefined
}

/** Actions folded in order of version; within a version, removes before adds, as they may name one path. */
export class Replay {
  readonly #files = new Map<string, AddFile>()
  readonly #tombstones = new Map<string, RemoveFile>()
  readonly #transactions = new Map<string, TransactionState>()
  readonly #domains = new Map<string, DomainMetadata>()
  #protocol: Protocol | undefined
  #metadata: Metadata | undefined
  #version = -1
  #commitInfo: CommitInfo | undefined

  /** A replay that goes on from `snapshot`, which stays as it is. */
  static from(snapshot: Snapshot): Replay {
    const replay = new Replay()
    for (const [path, file] of snapshot.files) replay.#files.set(path, file)
    for (const [path, file] of snapshot.tombstones) replay.#tombstones.set(path, file)
    for (const [appId, state] of snapshot.transactions) replay.#transactions.set(appId, state)
    for (const [domain, state] of snapshot.domains) replay.#domains.set(domain, state)
    replay.#protocol = snapshot.protocol
    replay.#metadata = snapshot.metadata
    replay.#version = snapshot.version
    replay.#commitInfo = snapshot.commitInfo
    return replay
  }

  get version(): number {
    return this.#version
  }

  /** All actions of one version, which must be the next. */
  commit(version: number, actions: Iterable<Action>): void {
    invariant(version === this.#version + 1, `version ${version} follows ${version - 1}`)
    const rest: Action[] = []
    this.#commitInfo = undefined
    for (const action of actions) {
      if (action.remove === undefined) rest.push(action)
      else this.apply(action)
    }
    for (const action of rest) this.apply(action)
    this.#version = version
  }

  /** The rows of a checkpoint of `version`, given one by one to `apply` before. */
  checkpointed(version: number): void {
    this.#version = version
  }

  apply(action: Action): void {
    const { add, remove, txn, domainMetadata } = action
    if (add !== undefined) {
      this.#files.set(add.path, add)
      this.#tombstones.delete(add.path)
    } else if (remove !== undefined) {
      this.#files.delete(remove.path)
      this.#tombstones.set(remove.path, remove)
    } else if (txn !== undefined) {
      const { version, lastUpdated } = txn
      this.#transactions.set(txn.appId, { version, lastUpdated })
    } else if (domainMetadata !== undefined) {
      if (domainMetadata.removed) this.#domains.delete(domainMetadata.domain)
      else this.#domains.set(domainMetadata.domain, domainMetadata)
    } else {
      this.#protocol = action.protocol ?? this.#protocol
      this.#metadata = action.metaData ?? this.#metadata
      this.#commitInfo = action.commitInfo ?? this.#commitInfo
    }
  }

  /** @throws DELTA_LOG_CORRUPT if no protocol or no metaData came */
  snapshot(): Snapshot {
    const where = `versions to ${this.#version}`
    if (this.#protocol === undefined) throw logCorrupt('_delta_log', `${where} have no protocol`)
    if (this.#metadata === undefined) throw logCorrupt('_delta_log', `${where} have no metaData`)
    return {
      version: this.#version,
      protocol: this.#protocol,
      metadata: this.#metadata,
      files: this.#files,
      tombstones: this.#tombstones,
      transactions: this.#transactions,
      domains: this.#domains,
      commitInfo: this.#commitInfo,
    }
  }
}
