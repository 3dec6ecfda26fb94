/**
 * What a format is to a connector: bytes of records to columns and back, chosen by name in WITH ('format' = '...').
 *
 * A connector knows no format: it asks `src/connectors/formats.ts` for the one its options name, opens a decoder a split and
 * an encoder a writer, and hands over cells of bytes (address | length << 32, 0 = no value).
 */
import type { Batch, Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { DataType, Schema } from '../data/types.ts'
import type { SchemaSource } from './schema-source.ts'

export interface Format {
  /** As in WITH ('format' = '...'). */
  readonly name: string
  readonly summary: string
  /** By their names in WITH, 'json.timestamp-format.standard': a connector adds 'key.' or 'value.' in front where Flink does. */
  readonly options: readonly FormatOption[]
  /** True if records are lines of text: what files of records can be made of. */
  readonly isText: boolean
  /** Of files of such records: 'json', 'csv'. */
  readonly fileEnding?: string
  /** The row kinds that records stand for; +I only unless told. Takes and gives `kinds` where it is not 'append'. */
  readonly mode?: 'append' | 'upsert' | 'retract'
  /** What a record tells besides its columns, by key; connectors offer it with 'value.' in front, as Flink's do. */
  readonly metadata?: Readonly<Record<string, DataType>>
  openDecoder(request: DecoderRequest): Promise<RecordDecoder>
  openEncoder(request: EncoderRequest): Promise<RecordEncoder>
  /**
   * Once per run, before any row is written: whatever shows only outside, such as whether the registry takes the schema.
   * @throws what the registry refuses
   */
  prepareSink?(request: Omit<EncoderRequest, 'memory'>): Promise<void>
}

/** The same shape as a connector's option. */
export interface FormatOption {
  readonly name: string
  readonly kind: 'string' | 'int' | 'boolean' | 'duration' | 'bytes' | 'enum'
  readonly values?: readonly string[]
  readonly required: boolean
  readonly fallback?: string
  readonly summary: string
  /** True for options whose value may hold a secret: never printed. */
  readonly secret?: boolean
  readonly isPrefix?: boolean
}

export type FormatOptions = Readonly<Record<string, string>>

export interface DecoderRequest {
  readonly memory: LinearMemory
  /** For messages. */
  readonly table: string
  /** The columns to deliver, in order. */
  readonly schema: Schema
  /** By column of `schema`: the key of the format's metadata that it delivers; absent, or undefined: it is a column of the record. */
  readonly metadataKeys?: readonly (string | undefined)[]
  /** All columns that are in the record, as declared: what a format without names in its bytes (CSV, Avro) reads by. */
  readonly physical: Schema
  /** The format's own, by their names in `options`, defaults filled in. */
  readonly options: FormatOptions
  /** The subject in the registry, unless an option names another: '<topic>-value', '<topic>-key'. */
  readonly subject: string
  /** The registry that the options name, or the project's own; undefined where there is none. */
  readonly schemas: SchemaSource | undefined
}

export interface RecordDecoder {
  /**
   * What must be fetched before `count` records can be decoded, such as writers' schemas; undefined: nothing. Await it, then
   * `decode` the same cells. It waits while the registry can't be reached.
   * @throws SCHEMA_... if what is asked for does not exist: nothing can be decoded until someone acts
   */
  prepare(values: Pointer, count: number): Promise<void> | undefined
  /**
   * `values` are `count` cells of bytes. The bytes must stay while the columns are used: strings may point into them.
   * Everything it makes is in the arena.
   */
  decode(values: Pointer, count: number): DecodedRecords
  dispose(): void
}

export interface DecodedRecords {
  /** `rowCount` cells each; those of rows that are not selected hold anything. */
  readonly columns: readonly Vector[]
  readonly rowCount: number
  /** The good rows, ascending; 0 = all are good. */
  readonly selection: Pointer
  /** Good rows. */
  readonly count: number
  /** u8 a row; 0 = all +I. */
  readonly kinds: Pointer
  /** u32 a row: the place of its record among the values, ascending; 0 = row n is record n. A change record may be two rows, or none. */
  readonly records: Pointer
  /** Ascending by record. */
  readonly dead: readonly DeadRecord[]
}

export interface DeadRecord {
  /** The place among the values. */
  readonly row: number
  readonly reason: string
}

export interface EncoderRequest {
  readonly memory: LinearMemory
  readonly table: string
  /** Of the batches' columns. */
  readonly schema: Schema
  readonly options: FormatOptions
  readonly subject: string
  readonly schemas: SchemaSource | undefined
}

export interface RecordEncoder {
  /** One record a selected row: cells of bytes by position, `batch.count` of them, in the arena. */
  encode(batch: Batch): Pointer
  dispose(): void
}
