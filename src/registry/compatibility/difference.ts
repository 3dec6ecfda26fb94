/** Why data written with one schema can't be read with another: the rule that is broken, and where. */
export interface Difference {
  /** By the name that Confluent's registry gives it: 'READER_FIELD_MISSING_DEFAULT_VALUE', 'TYPE_NARROWED', 'FIELD_KIND_CHANGED'. */
  readonly rule: string
  /** In the reader's schema: '/fields/2/type', '#/properties/price', '#/Order/3'. */
  readonly path: string
  readonly message: string
}
