/** Pairs where two rules meet, or where one ends: each answer is the specification's or the vendor's, written down before it was tried. */
import { type Pair, pair } from './pair.ts'

const record = (fields: readonly unknown[], more: object = {}) => ({
  type: 'record',
  name: 'R',
  fields,
  ...more,
})
const of = (type: unknown, more: object = {}) => record([{ name: 'f', type, ...more }])
const added = (type: unknown, fallback: unknown) => of(type, { default: fallback })
const enumOf = (symbols: readonly string[], more: object = {}) => ({
  type: 'enum',
  name: 'E',
  symbols,
  ...more,
})
const fixed = (size: number, more: object = {}) => ({ type: 'fixed', name: 'X', size, ...more })
const inner = (fields: readonly unknown[]) => record(fields, { name: 'Q' })
const int = { name: 'a', type: 'int' }
const decimal = { logicalType: 'decimal', precision: 5, scale: 2 }
const nothing = record([])

/** A field of this type and default is added: it fits, or the new schema is invalid. */
const defaults: Pair[] = (
  [
    ['a record whose fields are all given', inner([int]), { a: 1 }, true],
    ['a record that lacks a field', inner([int]), {}, false],
    ['a record that lacks a field with a default', inner([{ ...int, default: 3 }]), {}, true],
    ['an array', { type: 'array', items: 'int' }, [1, 2], true],
    ['an array of something else', { type: 'array', items: 'int' }, ['x'], false],
    ['a map', { type: 'map', values: 'long' }, { x: 1 }, true],
    ["a union's second branch", ['null', 'string'], 'x', true],
    ['no branch of a union', ['null', 'string'], 1, false],
    ['a text for an int', 'int', '1', false],
    ['a whole number for a float', 'float', 1, true],
    ['a fraction for an int', 'int', 1.5, false],
    ['what no int holds', 'int', 2147483648, false],
    ['the least int', 'int', -2147483648, true],
    ['bytes up to 255', 'bytes', '\u00ff', true],
    ['bytes beyond 255', 'bytes', '\u0100', false],
    ['a fixed of its size', fixed(2), 'ab', true],
    ['a fixed of another size', fixed(2), 'abc', false],
    ['a symbol of an enum', enumOf(['A']), 'A', true],
    ['no symbol of an enum', enumOf(['A']), 'Z', false],
  ] as const
).map(([name, type, fallback, fits]) =>
  pair(
    `default: ${name}`,
    nothing,
    added(type, fallback),
    fits ? 'both' : 'none',
    fits ? 'a default of its type' : 'the new schema is invalid',
  ),
)

export const AVRO_EDGES: readonly Pair[] = [
  ...defaults,
  pair(
    'a promotion into a union',
    of('int'),
    of(['null', 'long']),
    'backward',
    'a branch reads it by promotion',
  ),
  pair(
    'each branch is promoted',
    of(['int', 'string']),
    of(['long', 'bytes']),
    'backward',
    'int to long, string to bytes; long is no int',
  ),
  pair('a union of one', of(['int']), of('long'), 'backward', 'each branch written is read'),
  pair(
    'a promotion in a union in an array',
    of({ type: 'array', items: ['null', 'int'] }),
    of({ type: 'array', items: ['null', 'double'] }),
    'backward',
    'int to double',
  ),
  pair(
    "a record in a map's values gains a field",
    of({ type: 'map', values: inner([int]) }),
    of({ type: 'map', values: inner([int, { name: 'b', type: 'int', default: 1 }]) }),
    'both',
    "the reader's default",
  ),
  pair(
    'a record in a union changes inside',
    of(['null', inner([int])]),
    of(['null', inner([{ name: 'a', type: 'string' }])]),
    'none',
    'MISSING_UNION_BRANCH',
  ),
  pair(
    'an enum narrows to a default',
    of(enumOf(['A', 'B'])),
    of(enumOf(['A'], { default: 'A' })),
    'both',
    "the reader's default stands for symbols it lacks",
  ),
  pair(
    'an enum narrows from a default',
    of(enumOf(['A', 'B'], { default: 'A' })),
    of(enumOf(['A'])),
    'forward',
    "only the reader's default counts",
  ),
  pair(
    "an enum's default is none of its symbols",
    of(enumOf(['A'])),
    of(enumOf(['A'], { default: 'Z' })),
    'none',
    'the new schema is invalid',
  ),
  pair(
    'a fixed is renamed with an alias',
    of(fixed(4)),
    of({ ...fixed(4), name: 'Y', aliases: ['X'] }),
    'backward',
    "the reader's aliases",
  ),
  pair(
    'a fixed becomes bytes',
    of(fixed(4)),
    of('bytes'),
    'none',
    'fixed and bytes are written otherwise',
  ),
  pair(
    'a fixed decimal gets another size',
    of(fixed(4, decimal)),
    of(fixed(8, decimal)),
    'none',
    'FIXED_SIZE_MISMATCH',
  ),
  pair(
    'a fixed larger than an int',
    of(fixed(4)),
    of(fixed(2 ** 32 + 4)),
    'none',
    'the new schema is invalid',
  ),
  pair(
    'a date becomes a timestamp',
    of({ type: 'int', logicalType: 'date' }),
    of({ type: 'long', logicalType: 'timestamp-millis' }),
    'backward',
    'int to long: logical types are not compared',
  ),
  pair(
    'an alias in the namespace that was',
    of('int', {}),
    { ...of('int'), name: 'S', namespace: 'm', aliases: ['n.R'] },
    'none',
    'the alias n.R is not R',
  ),
  pair(
    'an alias without the namespace that was',
    { ...of('int'), namespace: 'n' },
    { ...of('int'), name: 'S', namespace: 'm', aliases: ['R'] },
    'none',
    'the alias R is m.R, not n.R',
  ),
  pair(
    'an alias with the namespace that was',
    { ...of('int'), namespace: 'n' },
    { ...of('int'), name: 'S', namespace: 'm', aliases: ['n.R'] },
    'backward',
    'the alias n.R',
  ),
]

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const closed = (properties: object, more: object = {}) =>
  object(properties, { additionalProperties: false, ...more })
const [string, integer, number] = [{ type: 'string' }, { type: 'integer' }, { type: 'number' }]
const modern = { $schema: 'https://json-schema.org/draft/2020-12/schema' }

export const JSON_EDGES: readonly Pair[] = [
  pair(
    'a type becomes one of wider ones',
    object({ a: integer }),
    object({ a: { oneOf: [string, number] } }),
    'backward',
    'SUM_TYPE_EXTENDED, TYPE_EXTENDED',
  ),
  pair(
    'a branch of anyOf is widened',
    object({ a: { anyOf: [string, integer] } }),
    object({ a: { anyOf: [string, number] } }),
    'backward',
    'TYPE_EXTENDED',
  ),
  pair(
    'a const becomes an enum that holds it',
    closed({ a: { const: 'x' } }),
    closed({ a: { enum: ['x', 'y'] } }),
    'none',
    'TYPE_CHANGED: they are compared by their kinds',
  ),
  pair(
    'a closed object is opened and gains a property',
    closed({ a: string }),
    object({ a: string, b: string }),
    'backward',
    'OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL',
  ),
  pair(
    'what an object is open to covers what it loses',
    closed({ a: string }),
    object({}, { additionalProperties: string }),
    'backward',
    'PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL',
  ),
  pair(
    'a definition that is referred to requires a property',
    { ...closed({ a: { $ref: '#/definitions/d' } }), definitions: { d: closed({ x: integer }) } },
    {
      ...closed({ a: { $ref: '#/definitions/d' } }),
      definitions: { d: closed({ x: integer }, { required: ['x'] }) },
    },
    'forward',
    'REQUIRED_ATTRIBUTE_ADDED',
  ),
  pair(
    'a definition is written where it was referred to',
    { ...closed({ a: { $ref: '#/$defs/d' } }), $defs: { d: closed({ x: integer }) } },
    closed({ a: closed({ x: integer }) }),
    'both',
    'the same schema',
  ),
  pair(
    'an absent document is referred to',
    object({ a: string }),
    object({ a: { $ref: 'http://localhost:1/m.json' } }),
    'none',
    'the new schema is invalid: nothing is fetched',
  ),
  pair(
    'a closed tuple of 2020-12 grows',
    { ...modern, ...object({ a: { type: 'array', prefixItems: [string], items: false } }) },
    {
      ...modern,
      ...object({ a: { type: 'array', prefixItems: [string, integer], items: false } }),
    },
    'backward',
    'ITEM_ADDED_TO_CLOSED_CONTENT_MODEL',
  ),
  pair(
    'a property is added where none is left unevaluated',
    { ...modern, ...object({ a: string }, { unevaluatedProperties: false }) },
    { ...modern, ...object({ a: string, b: string }, { unevaluatedProperties: false }) },
    'backward',
    'OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL',
  ),
  pair(
    'a minimum becomes exclusive',
    closed({ a: { ...number, minimum: 0 } }),
    closed({ a: { ...number, exclusiveMinimum: 0 } }),
    'none',
    'EXCLUSIVE_MINIMUM_ADDED, and MINIMUM_ADDED the other way',
  ),
]

const proto3 = (body: string, head = '') => `syntax = "proto3"; ${head} ${body}`
const proto2 = (body: string) => `syntax = "proto2"; ${body}`
const message = (fields: string) => proto3(`message M { ${fields} }`)
const invalid = 'the new schema is invalid'

export const PROTOBUF_EDGES: readonly Pair[] = [
  pair(
    'a list is no longer packed',
    message('repeated int32 a = 1;'),
    message('repeated int32 a = 1 [packed = false];'),
    'both',
    'either way is read',
  ),
  pair(
    'a map becomes a list of its entries',
    message('map<string, int32> a = 1;'),
    message('message AEntry { string key = 1; int32 value = 2; } repeated AEntry a = 1;'),
    'none',
    'FIELD_KIND_CHANGED',
  ),
  pair(
    "an enum of a map's values becomes a number",
    proto3('enum E { Z = 0; } message M { map<string, E> a = 1; }'),
    proto3('enum E { Z = 0; } message M { map<string, int32> a = 1; }'),
    'both',
    'both are varints',
  ),
  pair(
    'a nested message moves to the top',
    message('N a = 1; message N { int32 x = 1; }'),
    proto3('message M { N a = 1; } message N { int32 x = 1; }'),
    'none',
    'MESSAGE_REMOVED, FIELD_NAMED_TYPE_CHANGED',
  ),
  pair(
    'a oneof is renamed and loses a member',
    message('oneof o { string a = 1; int32 b = 2; }'),
    message('oneof p { string a = 1; }'),
    'forward',
    'ONEOF_FIELD_REMOVED',
  ),
  pair(
    'a member leaves its oneof',
    message('oneof o { string a = 1; int32 b = 2; }'),
    message('string a = 1; oneof o { int32 b = 2; }'),
    'backward',
    'ONEOF_FIELD_MOVED_TO_TOP_LEVEL, and FIELD_MOVED_TO_EXISTING_ONEOF the other way',
  ),
  pair(
    'a required number becomes optional',
    proto2('message M { required int32 a = 1; }'),
    proto2('message M { optional int32 a = 1; }'),
    'none',
    'FIELD_NUMERIC_LABEL_CHANGED',
  ),
  pair(
    'a message becomes its bytes',
    proto3('message N { int32 x = 1; } message M { N a = 1; }'),
    proto3('message N { int32 x = 1; } message M { bytes a = 1; }'),
    'none',
    'FIELD_KIND_CHANGED',
  ),
  pair('a type that is not defined', message(''), message('Nope a = 1;'), 'none', invalid),
  pair(
    'an import that is not there',
    message(''),
    proto3('message M { p.N a = 1; }', 'import "n.proto";'),
    'none',
    invalid,
  ),
  pair(
    'an enum of proto3 without 0',
    message(''),
    proto3('enum E { A = 1; } message M {}'),
    'none',
    invalid,
  ),
  pair(
    'two names of a number',
    message(''),
    proto3('enum E { A = 0; B = 0; } message M {}'),
    'none',
    invalid,
  ),
  pair(
    'two names of a number, allowed',
    message(''),
    proto3('enum E { option allow_alias = true; A = 0; B = 0; } message M {}'),
    'both',
    'allow_alias',
  ),
  pair('required in proto3', message(''), message('required int32 a = 1;'), 'none', invalid),
  pair('a map by fractions', message(''), message('map<double, int32> a = 1;'), 'none', invalid),
  pair('field 0', message(''), message('int32 a = 0;'), 'none', invalid),
  pair('field 19000', message(''), message('int32 a = 19000;'), 'none', invalid),
  pair(
    'the last field there can be',
    message(''),
    message('int32 a = 536870911;'),
    'both',
    'a field is added',
  ),
]
