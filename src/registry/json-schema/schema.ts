/**
 * A JSON Schema as the compatibility rules see it: each node is of one kind, and what says several things at once (a type and an
 * enum, keywords beside anyOf) is an allOf of them. `true`, `{}` and what only has a title are 'any'; `false` is 'none'.
 */
import type { BoundedPattern } from '../../data/bounded-pattern.ts'

export type JsonSchema =
  | (Common & { readonly kind: 'any' | 'none' | 'boolean' | 'null' | 'conditional' })
  | StringSchema
  | NumberSchema
  | ObjectSchema
  | ArraySchema
  | (Common & { readonly kind: 'enum'; readonly values: ReadonlySet<string> })
  | (Common & { readonly kind: 'const'; readonly value: string })
  | (Common & { readonly kind: 'not'; readonly schema: JsonSchema })
  | CombinedSchema
  /** `$ref`: what it refers to is looked up when it is asked for, since it may refer to what holds it. */
  | (Common & { readonly kind: 'ref'; readonly resolve: () => JsonSchema })

interface Common {
  /** The text that it was read from, keys sorted: equal texts are equal schemas. */
  readonly text: string
  readonly hasDefault: boolean
  /** 'connect.type' */
  readonly connectType?: string
}

export type Criterion = 'allOf' | 'anyOf' | 'oneOf'

export interface CombinedSchema extends Common {
  readonly kind: 'combined'
  readonly criterion: Criterion
  readonly branches: readonly JsonSchema[]
}

export interface StringSchema extends Common {
  readonly kind: 'string'
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
}

export interface NumberSchema extends Common {
  readonly kind: 'number'
  readonly isInteger: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
}

/** What may stand beside what is listed: anything, nothing, or what fits a schema. */
export type Additional = true | false | JsonSchema

export interface ObjectSchema extends Common {
  readonly kind: 'object'
  readonly properties: ReadonlyMap<string, JsonSchema>
  readonly required: ReadonlySet<string>
  readonly additional: Additional
  /** Absent if it is not said. */
  readonly unevaluated?: JsonSchema
  readonly patterns: readonly (readonly [BoundedPattern, JsonSchema])[]
  readonly dependentNames: ReadonlyMap<string, ReadonlySet<string>>
  readonly dependentSchemas: ReadonlyMap<string, JsonSchema>
  readonly minProperties?: number
  readonly maxProperties?: number
}

export interface ArraySchema extends Common {
  readonly kind: 'array'
  /** Of all items, where no tuple is. */
  readonly items?: JsonSchema
  readonly tuple: readonly JsonSchema[]
  readonly additional: Additional
  readonly unevaluated?: JsonSchema
  readonly uniqueItems: boolean
  readonly minItems?: number
  readonly maxItems?: number
  readonly minContains?: number
  readonly maxContains?: number
}
