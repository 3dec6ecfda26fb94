/** Tables that are asked for rows by key: JOIN t FOR SYSTEM_TIME AS OF o.proc_time. */
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import type { Row, Value } from '../../data/values.ts'
import type { Ports } from '../../ports/ports.ts'

export interface LookupCapability {
  /** The columns that a request must have values of, by the table's options; undefined: whichever are compared, one at least. */
  keyOf?(options: Readonly<Record<string, string>>): readonly string[] | undefined
  open(request: LookupRequest): Promise<Lookup>
}

export interface LookupRequest {
  readonly table: string
  /** Secrets resolved, values checked against the connector's declared options. */
  readonly options: Readonly<Record<string, string>>
  /** The columns to deliver; the key's are among them. */
  readonly schema: Schema
  /** Columns of `schema` that keys have values of, in the order of their values. */
  readonly key: readonly string[]
  readonly ports: Ports
  readonly dataDirectory: string
  /** Where answers are decoded. */
  readonly memory: LinearMemory
}

/** Values of the key's columns, none of them NULL, as `data/values.ts` tells them. */
export type LookupKey = readonly Value[]

export interface Lookup {
  /** Keys of one request. */
  readonly keysMax: number
  /** Requests at one time. */
  readonly inFlightMax: number
  /** Undefined: every row asks anew. */
  readonly cache: LookupCacheSettings | undefined
  /**
   * The rows of each key, by its place; none is an answer too. It tries again by itself what may pass; `closing` ends that.
   * @throws LOOKUP_FAILED if there is no answer, LOOKUP_REFUSED if it can't be used: neither is ever taken for one
   */
  find(keys: readonly LookupKey[], closing: AbortSignal): Promise<readonly (readonly Row[])[]>
  close(): Promise<void>
}

/** By Flink's names: 'lookup.partial-cache.max-rows' and so on. */
export interface LookupCacheSettings {
  /** Rows, and keys without one, that are kept; the least lately used go. */
  readonly rowsMax: number
  readonly expireAfterWriteMs: number | undefined
  readonly expireAfterAccessMs: number | undefined
  /** Whether it is kept that a key has no row. */
  readonly keepsMissing: boolean
}
