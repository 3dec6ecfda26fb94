/** What an audit knows of one pipeline: what its text says, with places, and what the connectors that are known say of themselves. */

/** In the pipeline's joined text; `length` in UTF-16 units. */
export interface Span {
  readonly offset: number
  readonly length: number
}

export interface OptionFacts {
  readonly value: string
  readonly keyAt: Span
  readonly valueAt: Span
}

export interface TableFacts {
  readonly name: string
  readonly at: Span
  /** Behind the last column or constraint; where another would be put. */
  readonly columnsEnd?: number
  /** Behind the last option. */
  readonly optionsEnd?: number
  /** Columns that are times as events bear them; not PROCTIME(). */
  readonly timeColumns: readonly string[]
  /** Columns computed as PROCTIME(). */
  readonly clockColumns: readonly string[]
  /** Columns that can have two values at most. */
  readonly booleanColumns: readonly string[]
  readonly watermark?: {
    readonly column: string
    readonly at: Span
    /** Absent where it is no plain interval. */
    readonly delayUs?: number
  }
  readonly hasPrimaryKey: boolean
  readonly options: ReadonlyMap<string, OptionFacts>
  /** 'connector' of WITH ('connector.type', as it was once written); '' if there is none. */
  readonly connector: string
  /** Whether it is one of Millrace's. */
  readonly isKnown: boolean
  readonly isBounded: boolean
  /** Of a known connector's sink. */
  readonly guarantee?: 'exactly-once' | 'at-least-once'
  /** How long its topic keeps events, where that is known: µs. */
  readonly retentionUs?: number
}

export interface WindowFacts {
  readonly at: Span
  /** The column that it is over, and the table that has it, where it is read as it is. */
  readonly column: string
  readonly table?: string
  readonly sizeUs?: number
}

export interface GroupFacts {
  readonly at: Span
  readonly isWindowed: boolean
  /** Columns of the key besides the window's; undefined where one is more than a column. */
  readonly keys?: readonly string[]
}

export interface InsertFacts {
  readonly at: Span
  readonly sink: string
  readonly reads: readonly string[]
  /** Where each table is named. */
  readonly named: ReadonlyMap<string, Span>
  readonly windows: readonly WindowFacts[]
  readonly groups: readonly GroupFacts[]
  /** Joins of all rows with all rows: neither bounded in time nor against a version. */
  readonly joins: readonly Span[]
  readonly hasTtl: boolean
}

export interface PipelineFacts {
  /** The file that was named, as it is shown. */
  readonly file: string
  readonly tables: ReadonlyMap<string, TableFacts>
  /** Tables that are read or written, and stand in no CREATE TABLE that could be read: where they are first named. */
  readonly undeclared: ReadonlyMap<string, Span>
  readonly inserts: readonly InsertFacts[]
  readonly settings: ReadonlyMap<string, OptionFacts>
  /** Where the named file's own text begins in the joined one. */
  readonly start: number
  /** Whether another engine than Millrace runs it: what that engine does by itself is not taken for granted. */
  readonly isForeign: boolean
  /** A comment says that it is run with `--until now`: it ends, whatever it reads. */
  readonly isOnTimer: boolean
  /** `-- need: ...` somewhere in the file. */
  readonly need?: string
  /** `-- replay: 7 d`: how far back it must be able to begin anew. µs */
  readonly replayUs?: number
  /** Statements that could not be read. */
  readonly unread: readonly { readonly at: Span; readonly message: string }[]
  /** By table, the delay that a measurement found to be needed. */
  readonly measured: ReadonlyMap<string, MeasuredDelay>
}

export interface MeasuredDelay {
  readonly line: string
  readonly delayUs: number
  readonly completeness: number
  /** Share of events that `delayUs` keeps. */
  completenessAt(delayUs: number): number
}

/** A change of the joined text that mends a finding: `text` instead of what the span has. */
export interface Edit extends Span {
  readonly text: string
}

export interface Found {
  readonly at: Span
  /** What it is here, in its figures. */
  readonly says: string
  readonly edit?: Edit
}
