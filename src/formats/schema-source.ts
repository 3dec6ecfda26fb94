/** A schema registry as formats see it: writers' schemas by id, and a place to register one's own. */

export type SchemaType = 'AVRO' | 'JSON' | 'PROTOBUF'

/** Confluent's numbers are i32 from 1 on; Glue's are UUIDs. */
export type SchemaId = number | string

export interface SchemaReference {
  /** As the schema writes it: a type's full name, a URI, an import's path. */
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema with all that it refers to, directly or not, in an order in which each stands behind what it needs. */
export interface ResolvedSchema {
  readonly type: SchemaType
  readonly text: string
  readonly references: readonly { readonly name: string; readonly text: string }[]
}

export interface RegisteredSchema extends ResolvedSchema {
  readonly id: SchemaId
}

export interface SchemaSource {
  /** How ids stand in front of a record's bytes. */
  readonly framing: 'confluent' | 'glue'
  /** Waits while the registry can't be reached. @throws SCHEMA_ID_UNKNOWN, REGISTRY_DENIED */
  byId(id: SchemaId): Promise<RegisteredSchema>
  /** Undefined if the subject does not exist. @throws REGISTRY_DENIED */
  latest(subject: string): Promise<RegisteredSchema | undefined>
  /** The id of the schema under the subject; undefined if it is not there. @throws REGISTRY_DENIED */
  find(subject: string, schema: ResolvedSchema): Promise<SchemaId | undefined>
  /** The id of the schema under the subject, new or known. @throws SCHEMA_INCOMPATIBLE, SCHEMA_INVALID, REGISTRY_DENIED */
  register(subject: string, schema: ResolvedSchema): Promise<SchemaId>
}
