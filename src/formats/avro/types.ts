/** Avro schemas as data. A named type is one object wherever it is referred to, so a recursive schema is a cyclic graph. */

export type AvroSchema =
  | AvroPrimitive
  | AvroFixed
  | AvroEnum
  | AvroRecord
  | { readonly kind: 'array'; readonly items: AvroSchema }
  | { readonly kind: 'map'; readonly values: AvroSchema }
  | { readonly kind: 'union'; readonly branches: readonly AvroSchema[] }

export type PrimitiveKind =
  | 'null'
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'bytes'
  | 'string'

export interface AvroPrimitive {
  readonly kind: PrimitiveKind
  readonly logical?: LogicalType
}

export interface LogicalType {
  readonly name: string
  readonly precision?: number
  readonly scale?: number
}

export interface Named {
  /** With its namespace: 'com.shop.Order'. */
  readonly name: string
  /** Full names. */
  readonly aliases: readonly string[]
}

export interface AvroFixed extends Named {
  readonly kind: 'fixed'
  readonly size: number
  readonly logical?: LogicalType
}

export interface AvroEnum extends Named {
  readonly kind: 'enum'
  readonly symbols: readonly string[]
  readonly fallback?: string
}

export interface AvroRecord extends Named {
  readonly kind: 'record'
  /** Filled while the record is read: it may refer to itself. */
  readonly fields: AvroField[]
}

export interface AvroField {
  readonly name: string
  readonly aliases: readonly string[]
  readonly type: AvroSchema
  /** As JSON; undefined: none. NULL is null. */
  readonly fallback?: unknown
}
