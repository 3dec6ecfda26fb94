/** A Protobuf file as data: what both its text and its serialized descriptor say, as far as reading, writing and comparing need it. */

export interface ProtoFile {
  readonly syntax: 'proto2' | 'proto3' | 'editions'
  /** '' if there is none. */
  readonly package: string
  readonly imports: readonly string[]
  readonly types: readonly ProtoType[]
}

export type ProtoType = ProtoMessage | ProtoEnum

export interface ProtoMessage {
  readonly kind: 'message'
  readonly name: string
  readonly fields: readonly ProtoField[]
  /** Names of oneofs, in order; the one that `optional` makes in proto3 is none. */
  readonly oneofs: readonly string[]
  readonly types: readonly ProtoType[]
  /** Numbers and names that must not be used again. */
  readonly reserved: readonly (readonly [number, number])[]
  readonly reservedNames: readonly string[]
}

export interface ProtoField {
  readonly name: string
  readonly number: number
  /** A scalar's name, or a type's as it is written: 'Order', 'com.shop.Order', '.com.shop.Order'. */
  readonly type: string
  /** Of `map<key, type>`. */
  readonly key?: string
  /** Absent where none is written. */
  readonly label?: 'optional' | 'required' | 'repeated'
  readonly oneof?: string
  /** 'json_name', if it is written. */
  readonly jsonName?: string
  readonly isPacked?: boolean
}

export interface ProtoEnum {
  readonly kind: 'enum'
  readonly name: string
  readonly values: readonly { readonly name: string; readonly number: number }[]
  /** 'allow_alias': two names may have one number. */
  readonly allowsAlias?: boolean
}

export const SCALARS: ReadonlySet<string> = new Set([
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
])
