/** What a connector declares, so that plans can be checked offline, options explained, and forms made. */
import type { DataType } from '../../data/types.ts'
import type { LookupCapability } from './lookup.ts'
import type { ChangelogMode, Sink, SinkRequest } from './sink.ts'
import type { Source, SourceRequest } from './source.ts'

export interface Connector {
  /** As in WITH ('connector' = '...'). */
  readonly name: string
  readonly summary: string
  readonly options: readonly ConnectorOption[]
  /** Metadata columns it offers, by key. */
  readonly metadata: Readonly<
    Record<string, { readonly type: DataType; readonly writable: boolean }>
  >
  /** Metadata that depends on the table's options, such as its format's. */
  metadataOf?(options: Readonly<Record<string, string>>): Connector['metadata']
  readonly source?: SourceCapability
  readonly sink?: SinkCapability
  /** Without `source`: its tables are only ever asked by key. */
  readonly lookup?: LookupCapability
}

export interface SourceCapability {
  readonly replay: Source['replay']
  /** The row kinds that it gives, by its options; +I only unless told. */
  mode?(options: Readonly<Record<string, string>>): ChangelogMode
  bounded(options: Readonly<Record<string, string>>): boolean
  open(request: SourceRequest): Promise<Source>
}

export interface SinkCapability {
  readonly guarantee: Sink['guarantee']
  /** Where it depends on the table's options. */
  guaranteeOf?(options: Readonly<Record<string, string>>): Sink['guarantee']
  /** The modes it takes, best first, given its options and whether the table has a primary key. */
  modes(options: Readonly<Record<string, string>>, hasPrimaryKey: boolean): readonly ChangelogMode[]
  open(request: SinkRequest): Promise<Sink>
}

export interface ConnectorOption {
  readonly name: string
  readonly kind: 'string' | 'int' | 'boolean' | 'duration' | 'bytes' | 'enum'
  readonly values?: readonly string[]
  readonly required: boolean
  readonly fallback?: string
  readonly summary: string
  /** True for options whose value may hold a secret: never printed. */
  readonly secret?: boolean
  /** A prefix such as 'properties.': any option that starts with it. */
  readonly isPrefix?: boolean
}
