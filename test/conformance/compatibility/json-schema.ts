/** JSON Schema: the rules and names that Confluent documents for its registry (strict policy). */
import { type Pair, pair, type Reads } from './pair.ts'

const property = (schema: unknown) => ({
  type: 'object',
  properties: { a: schema },
  additionalProperties: false,
})
const closed = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
})
const open = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const string = { type: 'string' }
const integer = { type: 'integer' }

/** Of one keyword: without it, with a tighter and a looser value. */
function limits(type: string, keyword: string, tight: number, loose: number): Pair[] {
  const name = `${type} ${keyword}`
  const of = (value?: number) =>
    property({ type, ...(value === undefined ? {} : { [keyword]: value }) })
  const both: [string, unknown, unknown, Reads][] = [
    ['added', of(), of(loose), 'forward'],
    ['removed', of(loose), of(), 'backward'],
    ['loosened', of(tight), of(loose), 'backward'],
    ['tightened', of(loose), of(tight), 'forward'],
    ['same', of(loose), of(loose), 'both'],
  ]
  return both.map(([what, old, next, reads]) =>
    pair(`${name} ${what}`, old, next, reads, 'a limit may only be loosened'),
  )
}

const keywords: Pair[] = [
  ...limits('string', 'maxLength', 5, 10),
  ...limits('string', 'minLength', 5, 2),
  ...limits('number', 'maximum', 5, 10),
  ...limits('number', 'minimum', 5, 2),
  ...limits('number', 'exclusiveMaximum', 5, 10),
  ...limits('integer', 'exclusiveMinimum', 5, 2),
  ...limits('number', 'multipleOf', 10, 5),
  ...limits('array', 'maxItems', 5, 10),
  ...limits('array', 'minItems', 5, 2),
  ...limits('object', 'maxProperties', 5, 10),
  ...limits('object', 'minProperties', 5, 2),
  pair(
    'multipleOf changed',
    property({ type: 'number', multipleOf: 3 }),
    property({ type: 'number', multipleOf: 5 }),
    'none',
    'MULTIPLE_OF_CHANGED',
  ),
  pair(
    'multipleOf of fractions',
    property({ type: 'number', multipleOf: 0.3 }),
    property({ type: 'number', multipleOf: 0.1 }),
    'backward',
    'MULTIPLE_OF_REDUCED',
  ),
  pair(
    'a pattern is added',
    property(string),
    property({ type: 'string', pattern: '^a' }),
    'forward',
    'PATTERN_ADDED',
  ),
  pair(
    'a pattern is changed',
    property({ type: 'string', pattern: '^a' }),
    property({ type: 'string', pattern: '^b' }),
    'none',
    'PATTERN_CHANGED',
  ),
  pair(
    'a format is added',
    property(string),
    property({ type: 'string', format: 'email' }),
    'both',
    'formats are not compared',
  ),
  pair(
    'items become unique',
    property({ type: 'array' }),
    property({ type: 'array', uniqueItems: true }),
    'forward',
    'UNIQUE_ITEMS_ADDED',
  ),
  pair(
    'words are changed',
    property({ ...string, title: 'x', description: 'y' }),
    property({ ...string, title: 'z', default: 'd' }),
    'both',
    'words constrain nothing',
  ),
]

const types: Pair[] = [
  pair(
    'integer becomes number',
    property(integer),
    property({ type: 'number' }),
    'backward',
    'TYPE_EXTENDED',
  ),
  pair(
    'string becomes number',
    property(string),
    property({ type: 'number' }),
    'none',
    'TYPE_CHANGED',
  ),
  pair(
    'a type becomes anything',
    property(string),
    property({}),
    'backward',
    'anything can become the empty schema',
  ),
  pair(
    'a type becomes true',
    property(string),
    property(true),
    'backward',
    'anything can become the empty schema',
  ),
  pair('a type becomes false', property(string), property(false), 'forward', 'nothing fits false'),
  pair(
    'a type becomes nullable',
    property(string),
    property({ type: ['string', 'null'] }),
    'backward',
    'SUM_TYPE_EXTENDED',
  ),
  pair(
    'a list of types grows',
    property({ type: ['string', 'null'] }),
    property({ type: ['string', 'null', 'integer'] }),
    'backward',
    'SUM_TYPE_EXTENDED',
  ),
  pair(
    'a list of types is changed',
    property({ type: ['string', 'null'] }),
    property({ type: ['boolean', 'null'] }),
    'none',
    'COMBINED_TYPE_SUBSCHEMAS_CHANGED',
  ),
  pair(
    'an enum grows',
    property({ enum: ['a', 'b'] }),
    property({ enum: ['a', 'b', 'c'] }),
    'backward',
    'ENUM_ARRAY_EXTENDED',
  ),
  pair(
    'an enum is changed',
    property({ enum: ['a', 'b'] }),
    property({ enum: ['a', 'c'] }),
    'none',
    'ENUM_ARRAY_CHANGED',
  ),
  pair(
    'an enum changes places',
    property({ enum: ['a', 'b'] }),
    property({ enum: ['b', 'a'] }),
    'both',
    'the same values',
  ),
  pair(
    'an enum of a type grows',
    property({ type: 'string', enum: ['a'] }),
    property({ type: 'string', enum: ['a', 'b'] }),
    'backward',
    'ENUM_ARRAY_EXTENDED',
  ),
  pair(
    'an enum is dropped from a type',
    property({ type: 'string', enum: ['a'] }),
    property(string),
    'backward',
    'PRODUCT_TYPE_NARROWED',
  ),
  pair(
    'a const is changed',
    property({ const: 1 }),
    property({ const: 2 }),
    'none',
    'ENUM_ARRAY_CHANGED',
  ),
  pair(
    'a not is widened',
    property({ not: { type: 'string' } }),
    property({ not: { type: 'string', maxLength: 3 } }),
    'backward',
    'NOT_TYPE_NARROWED',
  ),
  pair(
    'null and boolean',
    property({ type: 'null' }),
    property({ type: 'boolean' }),
    'none',
    'TYPE_CHANGED',
  ),
]

const properties: Pair[] = [
  pair(
    'an optional property is added to a closed object',
    closed({ a: string }),
    closed({ a: string, b: integer }),
    'backward',
    'OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL',
  ),
  pair(
    'a required property is added to a closed object',
    closed({ a: string }),
    closed({ a: string, b: integer }, { required: ['b'] }),
    'none',
    'REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL',
  ),
  pair(
    'a required property with a default is added to a closed object',
    closed({ a: string }),
    closed({ a: string, b: { ...integer, default: 1 } }, { required: ['b'] }),
    'backward',
    'REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL',
  ),
  pair(
    'an optional property is added to an open object',
    open({ a: string }),
    open({ a: string, b: integer }),
    'forward',
    'OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL',
  ),
  pair(
    'a required property with a default is added to an open object',
    open({ a: string }),
    open({ a: string, b: { ...integer, default: 1 } }, { required: ['b'] }),
    'forward',
    'REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL',
  ),
  pair(
    'a property of anything is added to an open object',
    open({ a: string }),
    open({ a: string, b: {} }),
    'both',
    'PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL',
  ),
  pair(
    'a property of nothing is removed from a closed object',
    closed({ a: string, b: false }),
    closed({ a: string }),
    'both',
    'PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL',
  ),
  pair(
    'a property becomes required',
    closed({ a: string }),
    closed({ a: string }, { required: ['a'] }),
    'forward',
    'REQUIRED_ATTRIBUTE_ADDED',
  ),
  pair(
    'a property with a default becomes required',
    closed({ a: { ...string, default: '' } }),
    closed({ a: { ...string, default: '' } }, { required: ['a'] }),
    'both',
    'REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED',
  ),
  pair(
    'an object is opened',
    closed({ a: string }),
    open({ a: string }),
    'backward',
    'ADDITIONAL_PROPERTIES_ADDED',
  ),
  pair(
    'an object is opened to numbers',
    closed({ a: string }),
    closed({ a: string }, { additionalProperties: { type: 'number' } }),
    'backward',
    'ADDITIONAL_PROPERTIES_ADDED',
  ),
  pair(
    'an object open to numbers takes integers only',
    closed({}, { additionalProperties: { type: 'number' } }),
    closed({}, { additionalProperties: integer }),
    'forward',
    'TYPE_NARROWED',
  ),
  pair(
    'an open object takes numbers only',
    open({}),
    closed({}, { additionalProperties: { type: 'number' } }),
    'forward',
    'ADDITIONAL_PROPERTIES_NARROWED',
  ),
  pair(
    'a covered property is added',
    closed({}, { additionalProperties: integer }),
    closed({ b: { type: 'number' } }, { additionalProperties: integer }),
    'backward',
    'PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL',
  ),
  pair(
    'a property that is not covered is added',
    closed({}, { additionalProperties: integer }),
    closed({ b: string }, { additionalProperties: integer }),
    'none',
    'PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL',
  ),
  pair(
    'a property covered by a pattern is added',
    closed({}, { patternProperties: { '^b': integer } }),
    closed({ b1: integer }, { patternProperties: { '^b': integer } }),
    'both',
    'PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL',
  ),
  pair(
    'a nested property is changed',
    property(closed({ x: integer })),
    property(closed({ x: string })),
    'none',
    'TYPE_CHANGED',
  ),
  pair(
    'a nested property is added',
    property(closed({ x: integer })),
    property(closed({ x: integer, y: string })),
    'backward',
    'OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL',
  ),
  pair(
    'properties without a type',
    { properties: { a: integer }, additionalProperties: false },
    { properties: { a: { type: 'number' } }, additionalProperties: false },
    'backward',
    'keywords show the type',
  ),
  pair(
    'a property called __proto__ is changed',
    JSON.parse(
      '{"type":"object","additionalProperties":false,"properties":{"__proto__":{"type":"integer"}}}',
    ),
    JSON.parse(
      '{"type":"object","additionalProperties":false,"properties":{"__proto__":{"type":"string"}}}',
    ),
    'none',
    'TYPE_CHANGED',
  ),
  pair(
    'a dependency is added',
    open({ a: string }),
    open({ a: string }, { dependencies: { a: ['b'] } }),
    'forward',
    'DEPENDENCY_ARRAY_ADDED',
  ),
  pair(
    'a dependency is narrowed',
    open({}, { dependencies: { a: ['b', 'c'] } }),
    open({}, { dependencies: { a: ['b'] } }),
    'backward',
    'DEPENDENCY_ARRAY_NARROWED',
  ),
  pair(
    'a dependency is changed',
    open({}, { dependencies: { a: ['b'] } }),
    open({}, { dependencies: { a: ['c'] } }),
    'none',
    'DEPENDENCY_ARRAY_CHANGED',
  ),
  pair(
    'a dependent schema is added',
    open({}),
    open({}, { dependencies: { a: open({ b: string }) } }),
    'forward',
    'DEPENDENCY_SCHEMA_ADDED',
  ),
  pair(
    'dependentRequired of 2020-12',
    open(
      {},
      {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        dependentRequired: { a: ['b', 'c'] },
      },
    ),
    open(
      {},
      { $schema: 'https://json-schema.org/draft/2020-12/schema', dependentRequired: { a: ['b'] } },
    ),
    'backward',
    'DEPENDENCY_ARRAY_NARROWED',
  ),
]

const list = (items: unknown, more: object = {}) => property({ type: 'array', items, ...more })
const arrays: Pair[] = [
  pair(
    'items are given a schema',
    property({ type: 'array' }),
    list(integer),
    'forward',
    'SCHEMA_ADDED',
  ),
  pair('items are widened', list(integer), list({ type: 'number' }), 'backward', 'TYPE_EXTENDED'),
  pair('items are changed', list(integer), list(string), 'none', 'TYPE_CHANGED'),
  pair(
    'a place is added to an open tuple',
    list([integer]),
    list([integer, string]),
    'forward',
    'ITEM_ADDED_TO_OPEN_CONTENT_MODEL',
  ),
  pair(
    'a place is added to a closed tuple',
    list([integer], { additionalItems: false }),
    list([integer, string], { additionalItems: false }),
    'backward',
    'ITEM_ADDED_TO_CLOSED_CONTENT_MODEL',
  ),
  pair(
    'a place of anything is added to an open tuple',
    list([integer]),
    list([integer, {}]),
    'both',
    'ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL',
  ),
  pair('places change', list([integer, string]), list([string, integer]), 'none', 'TYPE_CHANGED'),
  pair(
    'a tuple is opened',
    list([integer], { additionalItems: false }),
    list([integer]),
    'backward',
    'ADDITIONAL_ITEMS_ADDED',
  ),
  pair(
    'a tuple takes numbers behind',
    list([integer]),
    list([integer], { additionalItems: integer }),
    'forward',
    'ADDITIONAL_ITEMS_NARROWED',
  ),
  pair(
    'prefixItems of 2020-12',
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'array',
      prefixItems: [integer],
      items: false,
    },
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'array',
      prefixItems: [integer, string],
      items: false,
    },
    'backward',
    'ITEM_ADDED_TO_CLOSED_CONTENT_MODEL',
  ),
]

const one = (...oneOf: unknown[]) => property({ oneOf })
const any = (...anyOf: unknown[]) => property({ anyOf })
const all = (...allOf: unknown[]) => property({ allOf })
const short = { type: 'string', maxLength: 3 }
const boolean = { type: 'boolean' }
const combined: Pair[] = [
  pair(
    'oneOf grows',
    one(string, integer),
    one(string, integer, boolean),
    'backward',
    'SUM_TYPE_EXTENDED',
  ),
  pair(
    'oneOf changes places',
    one(string, integer),
    one(integer, string),
    'both',
    'branches find their partners',
  ),
  pair(
    'oneOf changes a branch',
    one(string, integer),
    one(string, boolean),
    'none',
    'COMBINED_TYPE_SUBSCHEMAS_CHANGED',
  ),
  pair(
    'a branch of oneOf is widened',
    one(short, integer),
    one(string, integer),
    'backward',
    'MAX_LENGTH_REMOVED',
  ),
  pair(
    'oneOf becomes anyOf',
    one(string, integer),
    any(string, integer),
    'backward',
    'COMBINED_TYPE_EXTENDED',
  ),
  pair(
    'allOf becomes anyOf',
    all({ minimum: 1 }, { maximum: 9 }),
    any({ minimum: 1 }, { maximum: 9 }),
    'backward',
    'COMBINED_TYPE_EXTENDED',
  ),
  pair(
    'allOf loses a branch',
    all({ minimum: 1 }, { maxLength: 9 }),
    all({ minimum: 1 }),
    'backward',
    'PRODUCT_TYPE_NARROWED',
  ),
  pair(
    'a type becomes one of several',
    property(string),
    one(string, integer),
    'backward',
    'SUM_TYPE_EXTENDED',
  ),
  pair(
    'a type becomes any of several',
    property(short),
    any(integer, string),
    'backward',
    'SUM_TYPE_EXTENDED',
  ),
  pair(
    'a type becomes all of several',
    property(string),
    all(string, short),
    'forward',
    'TYPE_CHANGED; PRODUCT_TYPE_NARROWED the other way',
  ),
  pair(
    'a type becomes a combination of one',
    property(string),
    one(string),
    'both',
    'a combination of one',
  ),
  pair(
    'duplicates in oneOf',
    one(string, integer),
    one(string, integer, string),
    'both',
    'equal branches are one',
  ),
  pair('one becomes all of one', one(string), all(string), 'both', 'combinations of one'),
  pair(
    'anyOf becomes oneOf',
    any(string, integer),
    one(string, integer),
    'forward',
    'COMBINED_TYPE_CHANGED',
  ),
  pair(
    'an if is changed',
    property({ if: string, else: short }),
    property({ if: integer, else: string }),
    'both',
    'if is not compared',
  ),
]

const refer = (definition: unknown) => ({
  ...closed({ a: { $ref: '#/definitions/d' } }),
  definitions: { d: definition },
})
const tree = (value: unknown) =>
  closed({ value, children: { type: 'array', items: { $ref: '#' } } })
const money = {
  name: 'money.json',
  schema: JSON.stringify({
    $id: 'money.json',
    type: 'integer',
    definitions: { big: { type: 'number' } },
  }),
}
const references: Pair[] = [
  pair(
    'a definition stands in its place',
    refer(integer),
    closed({ a: integer }),
    'both',
    'a reference is what it refers to',
  ),
  pair(
    'a definition is widened',
    refer(integer),
    refer({ type: 'number' }),
    'backward',
    'TYPE_EXTENDED',
  ),
  pair('a definition is changed', refer(integer), refer(string), 'none', 'TYPE_CHANGED'),
  pair('a tree stays', tree(integer), tree(integer), 'both', 'a recursive schema'),
  pair('a tree is widened', tree(integer), tree({ type: 'number' }), 'backward', 'TYPE_EXTENDED'),
  pair(
    'a reference to another schema',
    property({ $ref: 'money.json' }),
    property(integer),
    'both',
    'a reference is what it refers to',
    [money],
  ),
  pair(
    'a reference into another schema',
    property({ $ref: 'money.json' }),
    property({ $ref: 'money.json#/definitions/big' }),
    'backward',
    'TYPE_EXTENDED',
    [money],
  ),
  pair(
    'a reference to nothing',
    property(integer),
    property({ $ref: 'https://example.com/nothing.json' }),
    'none',
    'the new schema is invalid: nothing is fetched',
  ),
]

export const JSON_SCHEMA: readonly Pair[] = [
  ...keywords,
  ...types,
  ...properties,
  ...arrays,
  ...combined,
  ...references,
]
