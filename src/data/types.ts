/**
 * The SQL types, as data, and how each is held in a column.
 *
 * Every value of a column is one 8-byte *cell* (DECIMAL above 18 digits: two, low half first), so that
 * a kernel that moves, hashes or compares cells serves all types. See docs/decisions/0001-eight-byte-cells.md.
 */
export type DataType = ScalarType | RowType | ArrayType | MapType

export type ScalarType =
  | { readonly kind: 'boolean'; readonly nullable: boolean }
  | { readonly kind: 'tinyint' | 'smallint' | 'int' | 'bigint'; readonly nullable: boolean }
  | { readonly kind: 'float' | 'double'; readonly nullable: boolean }
  /** 1 <= precision <= 38, 0 <= scale <= precision. */
  | {
      readonly kind: 'decimal'
      readonly precision: number
      readonly scale: number
      readonly nullable: boolean
    }
  /** `length` in code points; STRING is varchar(2147483647). */
  | { readonly kind: 'char' | 'varchar'; readonly length: number; readonly nullable: boolean }
  /** `length` in bytes; BYTES is varbinary(2147483647). */
  | { readonly kind: 'binary' | 'varbinary'; readonly length: number; readonly nullable: boolean }
  | { readonly kind: 'date'; readonly nullable: boolean }
  /** `precision` is 0..9 fractional digits; held in µs, so 7..9 are cut to 6 (a stated difference). */
  | {
      readonly kind: 'time' | 'timestamp' | 'timestamp_ltz'
      readonly precision: number
      readonly nullable: boolean
    }
  | { readonly kind: 'interval_day_second' | 'interval_year_month'; readonly nullable: boolean }
  /** The type of a bare NULL. */
  | { readonly kind: 'null'; readonly nullable: true }

export interface RowType {
  readonly kind: 'row'
  readonly fields: readonly Field[]
  readonly nullable: boolean
}
export interface ArrayType {
  readonly kind: 'array'
  readonly element: DataType
  readonly nullable: boolean
}
export interface MapType {
  readonly kind: 'map'
  readonly key: DataType
  readonly value: DataType
  readonly nullable: boolean
}

export interface Field {
  readonly name: string
  readonly type: DataType
}

/** Columns in order; names are unique and case-sensitive, as in Flink. */
export type Schema = readonly Field[]

/**
 * How a cell is to be read:
 *   i64    boolean (0 or 1), tinyint..bigint, decimal(<=18) unscaled, date (days), time (µs of day),
 *          timestamp and timestamp_ltz (µs since the epoch), interval_day_second (µs), interval_year_month (months)
 *   f64    float (rounded to single) and double
 *   bytes  char, varchar (UTF-8), binary, varbinary; array and map (encoded, see data/nested.ts):
 *          low 32 bits address in linear memory, high 32 bits length in bytes
 *   i128   decimal(19..38) unscaled, two's complement, low i64 first
 *   row    no cells: one child vector a field, and a validity bitmap of its own
 */
export type Layout = 'i64' | 'f64' | 'bytes' | 'i128' | 'row'

export function layoutOf(type: DataType): Layout {
  switch (type.kind) {
    case 'float':
    case 'double':
      return 'f64'
    case 'decimal':
      return type.precision > 18 ? 'i128' : 'i64'
    case 'char':
    case 'varchar':
    case 'binary':
    case 'varbinary':
    case 'array':
    case 'map':
      return 'bytes'
    case 'row':
      return 'row'
    default:
      return 'i64'
  }
}

/** Bytes of one row in the column's cells; 0 for rows, which have children instead. */
export function cellBytes(type: DataType): number {
  const layout = layoutOf(type)
  return layout === 'i128' ? 16 : layout === 'row' ? 0 : 8
}

export const STRING_LENGTH_MAX = 2147483647

/** Constructors, nullable unless told; `notNull` narrows. */
export const types = {
  boolean: scalar('boolean'),
  tinyint: scalar('tinyint'),
  smallint: scalar('smallint'),
  int: scalar('int'),
  bigint: scalar('bigint'),
  float: scalar('float'),
  double: scalar('double'),
  date: scalar('date'),
  string: { kind: 'varchar', length: STRING_LENGTH_MAX, nullable: true },
  bytes: { kind: 'varbinary', length: STRING_LENGTH_MAX, nullable: true },
  null: { kind: 'null', nullable: true },
  decimal: (precision: number, scale: number): DataType => ({
    kind: 'decimal',
    precision,
    scale,
    nullable: true,
  }),
  time: (precision = 0): DataType => ({ kind: 'time', precision, nullable: true }),
  timestamp: (precision = 6): DataType => ({ kind: 'timestamp', precision, nullable: true }),
  timestampLtz: (precision = 6): DataType => ({ kind: 'timestamp_ltz', precision, nullable: true }),
} as const

function scalar<Kind extends ScalarType['kind']>(
  kind: Kind,
): { readonly kind: Kind; readonly nullable: true } {
  return { kind, nullable: true }
}

export function withNullability(type: DataType, nullable: boolean): DataType {
  return type.nullable === nullable ? type : ({ ...type, nullable } as DataType)
}

/** Of types that differ in their ranges and lengths alone: their cells mean the same. Undefined of all others. */
export function cellFamily({ kind }: DataType): 'integer' | 'text' | 'bytes' | undefined {
  switch (kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return 'integer'
    case 'char':
    case 'varchar':
      return 'text'
    case 'binary':
    case 'varbinary':
      return 'bytes'
    default:
      return undefined
  }
}
