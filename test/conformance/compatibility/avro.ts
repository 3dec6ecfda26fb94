/** Avro: the rules of "Schema Resolution", "Aliases" and "Parsing Canonical Form" in the specification, one or more pairs each. */
import { type Pair, pair } from './pair.ts'

const record = (fields: unknown[], more: object = {}) => ({
  type: 'record',
  name: 'R',
  fields,
  ...more,
})
const a = { name: 'a', type: 'string' }
const field = (type: unknown, more: object = {}) => record([{ name: 'f', type, ...more }])
const enumOf = (symbols: string[], more: object = {}) => ({
  type: 'enum',
  name: 'E',
  symbols,
  ...more,
})
const fixed = (size: number, more: object = {}) => ({ type: 'fixed', name: 'F', size, ...more })
const array = (items: unknown) => ({ type: 'array', items })
const map = (values: unknown) => ({ type: 'map', values })

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
/** Writer to reader. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

const promoted = (writer: string, reader: string): boolean =>
  writer === reader || PROMOTIONS[writer]?.includes(reader) === true

/** Every pair of primitive types, inside a record. */
const primitives: Pair[] = PRIMITIVES.flatMap((old, index) =>
  PRIMITIVES.slice(index).map((next) => {
    const [backward, forward] = [promoted(old, next), promoted(next, old)]
    const reads = backward ? (forward ? 'both' : 'backward') : forward ? 'forward' : 'none'
    return pair(
      `${old} and ${next}`,
      field(old),
      field(next),
      reads,
      'promotion of primitive types',
    )
  }),
)

const fields: Pair[] = [
  pair(
    'a field with a default is added',
    record([a]),
    record([a, { name: 'b', type: 'int', default: 0 }]),
    'both',
    "the reader's default is used",
  ),
  pair(
    'a field without a default is added',
    record([a]),
    record([a, { name: 'b', type: 'int' }]),
    'forward',
    'a field without default must be written',
  ),
  pair(
    'a field without a default is removed',
    record([a, { name: 'b', type: 'int' }]),
    record([a]),
    'backward',
    "the writer's field is ignored, the other way it has no default",
  ),
  pair(
    'a nullable field without a default is added',
    record([a]),
    record([a, { name: 'b', type: ['null', 'int'] }]),
    'forward',
    'nullable is no default',
  ),
  pair(
    'a nullable field with a default is added',
    record([a]),
    record([a, { name: 'b', type: ['null', 'int'], default: null }]),
    'both',
    'null is the default',
  ),
  pair(
    'fields change places',
    record([a, { name: 'b', type: 'int' }]),
    record([{ name: 'b', type: 'int' }, a]),
    'both',
    'fields are matched by name',
  ),
  pair(
    'a field is renamed',
    record([a]),
    record([{ name: 'z', type: 'string' }]),
    'none',
    'fields are matched by name',
  ),
  pair(
    'a field is renamed with an alias',
    record([a]),
    record([{ name: 'z', type: 'string', aliases: ['a'] }]),
    'backward',
    "the reader's aliases name the writer's fields",
  ),
  pair(
    'a field is renamed with a default and no alias',
    record([{ ...a, default: '' }]),
    record([{ name: 'z', type: 'string', default: '' }]),
    'both',
    'either side uses its default',
  ),
  pair(
    'an alias is dropped',
    record([{ name: 'z', type: 'string', aliases: ['a'] }]),
    record([{ name: 'z', type: 'string' }]),
    'both',
    'aliases do not change the written data',
  ),
  pair(
    'a default is added',
    record([a]),
    record([{ ...a, default: 'x' }]),
    'both',
    'both have the field',
  ),
  pair(
    'a default is changed',
    record([{ ...a, default: 'x' }]),
    record([{ ...a, default: 'y' }]),
    'both',
    'both have the field',
  ),
  pair(
    'a doc is changed',
    record([a], { doc: 'one' }),
    record([a], { doc: 'two' }),
    'both',
    'doc says nothing of data',
  ),
  pair(
    'the order of sorting is changed',
    record([a]),
    record([{ ...a, order: 'descending' }]),
    'both',
    'order says nothing of data',
  ),
  pair(
    'all fields are removed',
    record([a]),
    record([]),
    'backward',
    "the writer's fields are ignored",
  ),
  pair(
    'a field is replaced by one with a default',
    record([a]),
    record([{ name: 'b', type: 'int', default: 1 }]),
    'backward',
    'a has no default on the way back',
  ),
  pair(
    'an array with a default is added',
    record([a]),
    record([a, { name: 'b', type: array('int'), default: [] }]),
    'both',
    'the default is empty',
  ),
  pair(
    'a map with a default is added',
    record([a]),
    record([a, { name: 'b', type: map('int'), default: {} }]),
    'both',
    'the default is empty',
  ),
  pair(
    'a record with a default is added',
    record([a]),
    record([
      a,
      { name: 'b', type: { type: 'record', name: 'B', fields: [a] }, default: { a: 'x' } },
    ]),
    'both',
    'the default is a record',
  ),
  pair(
    'an enum with a default of its own but none of the field is added',
    record([a]),
    record([a, { name: 'b', type: enumOf(['X'], { default: 'X' }) }]),
    'forward',
    "an enum's default is for symbols, not for fields",
  ),
]

const names: Pair[] = [
  pair(
    'a record is renamed',
    record([a]),
    record([a], { name: 'S' }),
    'none',
    'names of records must match',
  ),
  pair(
    'a record is renamed with an alias',
    record([a]),
    record([a], { name: 'S', aliases: ['R'] }),
    'backward',
    "the reader's alias is the writer's name",
  ),
  pair(
    'a record moves to another namespace',
    record([a]),
    record([a], { namespace: 'x' }),
    'both',
    'unqualified names match',
  ),
  pair(
    'an alias names the other namespace',
    record([a], { namespace: 'x' }),
    record([a], { name: 'S', namespace: 'y', aliases: ['x.R'] }),
    'backward',
    'a qualified alias',
  ),
  pair(
    'an alias is short for its own namespace',
    record([a], { namespace: 'x' }),
    record([a], { name: 'S', namespace: 'y', aliases: ['R'] }),
    'none',
    'the alias is y.R',
  ),
  pair(
    'an enum is renamed',
    field(enumOf(['A'])),
    field(enumOf(['A'], { name: 'G' })),
    'none',
    'names of enums must match',
  ),
  pair(
    'an enum is renamed with an alias',
    field(enumOf(['A'])),
    field(enumOf(['A'], { name: 'G', aliases: ['E'] })),
    'backward',
    "the reader's alias",
  ),
  pair(
    'a fixed is renamed',
    field(fixed(4)),
    field(fixed(4, { name: 'G' })),
    'none',
    'names of fixed must match',
  ),
  pair(
    'a fixed is renamed with an alias',
    field(fixed(4)),
    field(fixed(4, { name: 'G', aliases: ['F'] })),
    'backward',
    "the reader's alias",
  ),
  pair(
    'a nested record is renamed',
    field({ type: 'record', name: 'N', fields: [a] }),
    field({ type: 'record', name: 'M', fields: [a] }),
    'none',
    'names of records must match',
  ),
  pair(
    'a name stands in full',
    record([a], { name: 'R', namespace: 'x.y' }),
    record([a], { name: 'x.y.R' }),
    'both',
    'the same full name',
  ),
]

const others: Pair[] = [
  pair(
    'a symbol is added',
    field(enumOf(['A', 'B'])),
    field(enumOf(['A', 'B', 'C'])),
    'backward',
    'the old reader has no symbol C',
  ),
  pair(
    'a symbol is added where the old reader has a default',
    field(enumOf(['A', 'B'], { default: 'A' })),
    field(enumOf(['A', 'B', 'C'], { default: 'A' })),
    'both',
    "the reader's default takes unknown symbols",
  ),
  pair(
    'a symbol is removed',
    field(enumOf(['A', 'B'])),
    field(enumOf(['A'])),
    'forward',
    'the new reader has no symbol B',
  ),
  pair(
    'a symbol is removed, with a default',
    field(enumOf(['A', 'B'])),
    field(enumOf(['A'], { default: 'A' })),
    'both',
    "the reader's default takes B",
  ),
  pair(
    'symbols change places',
    field(enumOf(['A', 'B'])),
    field(enumOf(['B', 'A'])),
    'both',
    'symbols are matched by name',
  ),
  pair(
    'a symbol is renamed',
    field(enumOf(['A', 'B'])),
    field(enumOf(['A', 'C'])),
    'none',
    'symbols are matched by name',
  ),
  pair(
    'an enum becomes a string',
    field(enumOf(['A'])),
    field('string'),
    'none',
    'an enum is no string',
  ),
  pair('a fixed grows', field(fixed(4)), field(fixed(8)), 'none', 'sizes of fixed must match'),
  pair('a fixed becomes bytes', field(fixed(4)), field('bytes'), 'none', 'a fixed is no bytes'),
  pair(
    'items are promoted',
    field(array('int')),
    field(array('long')),
    'backward',
    'items resolve as types do',
  ),
  pair(
    'items change',
    field(array('int')),
    field(array('string')),
    'none',
    'items resolve as types do',
  ),
  pair(
    'values are promoted',
    field(map('float')),
    field(map('double')),
    'backward',
    'values resolve as types do',
  ),
  pair(
    'an array becomes a map',
    field(array('int')),
    field(map('int')),
    'none',
    'an array is no map',
  ),
  pair(
    'an array becomes its item',
    field(array('int')),
    field('int'),
    'none',
    'an array is no int',
  ),
  pair(
    'a record becomes a map',
    field({ type: 'record', name: 'N', fields: [a] }),
    field(map('string')),
    'none',
    'a record is no map',
  ),
  pair(
    'items of records gain a field',
    field(array({ type: 'record', name: 'N', fields: [a] })),
    field(array({ type: 'record', name: 'N', fields: [a, { name: 'b', type: 'int' }] })),
    'forward',
    'b has no default',
  ),
  pair(
    'a primitive stands as an object',
    field('int'),
    field({ type: 'int' }),
    'both',
    'the same type',
  ),
]

const unions: Pair[] = [
  pair(
    'a type becomes nullable',
    field('string'),
    field(['null', 'string']),
    'backward',
    'a branch of the reader matches',
  ),
  pair(
    'a type becomes nullable, null last',
    field('string'),
    field(['string', 'null']),
    'backward',
    'order of branches is of no matter',
  ),
  pair(
    'a branch is added',
    field(['null', 'string']),
    field(['null', 'string', 'int']),
    'backward',
    'the old reader has no int',
  ),
  pair(
    'a branch is removed',
    field(['null', 'string', 'int']),
    field(['null', 'string']),
    'forward',
    'the new reader has no int',
  ),
  pair(
    'branches change places',
    field(['null', 'string']),
    field(['string', 'null']),
    'both',
    'order of branches is of no matter',
  ),
  pair(
    'a branch is promoted',
    field(['null', 'int']),
    field(['null', 'long']),
    'backward',
    'int is read by long',
  ),
  pair(
    'an int is read by a union with long',
    field('int'),
    field(['null', 'long']),
    'backward',
    'int is promoted to a branch',
  ),
  pair(
    'a union of numbers becomes double',
    field(['int', 'long', 'float']),
    field('double'),
    'backward',
    'each branch that was written is promoted',
  ),
  pair('a union of one becomes its branch', field(['int']), field('int'), 'both', 'a union of one'),
  pair(
    'a nullable becomes its type',
    field(['null', 'int']),
    field('int'),
    'forward',
    'null is not read by int',
  ),
  pair(
    'bytes are read by a union with string',
    field('bytes'),
    field(['null', 'string']),
    'backward',
    'bytes are promoted to string',
  ),
  pair(
    'a union of two records of which one changes',
    field([
      { type: 'record', name: 'N', fields: [a] },
      { type: 'record', name: 'M', fields: [a] },
    ]),
    field([
      { type: 'record', name: 'N', fields: [a, { name: 'b', type: 'int', default: 1 }] },
      { type: 'record', name: 'M', fields: [a] },
    ]),
    'both',
    'branches are matched by name',
  ),
  pair(
    'a record in a union gains a field without default',
    field(['null', { type: 'record', name: 'N', fields: [a] }]),
    field(['null', { type: 'record', name: 'N', fields: [a, { name: 'b', type: 'int' }] }]),
    'forward',
    'b has no default',
  ),
  pair(
    'a record in a union is renamed',
    field(['null', { type: 'record', name: 'N', fields: [a] }]),
    field(['null', { type: 'record', name: 'M', fields: [a] }]),
    'none',
    'no branch of that name',
  ),
  pair(
    'a union inside an array gains a branch',
    field(array(['null', 'int'])),
    field(array(['null', 'int', 'string'])),
    'backward',
    'the old reader has no string',
  ),
  pair(
    'a union becomes empty of null',
    field(['null', 'int', 'string']),
    field(['int', 'string']),
    'forward',
    'null is not read',
  ),
  pair(
    'an enum in a union loses a symbol',
    field(['null', enumOf(['A', 'B'])]),
    field(['null', enumOf(['A'])]),
    'forward',
    'the new reader has no symbol B',
  ),
  pair(
    'a fixed in a union grows',
    field(['null', fixed(4)]),
    field(['null', fixed(8)]),
    'none',
    'sizes of fixed must match',
  ),
]

const list = (next: unknown, more: object[] = []) => ({
  type: 'record',
  name: 'List',
  fields: [{ name: 'value', type: 'int' }, ...more, { name: 'next', type: next }],
})
const logical = (type: string, logicalType: string, more: object = {}) => ({
  type,
  logicalType,
  ...more,
})

const recursive: Pair[] = [
  pair('a list stays', list(['null', 'List']), list(['null', 'List']), 'both', 'a recursive type'),
  pair(
    'a list gains a field with a default',
    list(['null', 'List']),
    list(['null', 'List'], [{ name: 'b', type: 'int', default: 0 }]),
    'both',
    'a recursive type',
  ),
  pair(
    'a list gains a field without a default',
    list(['null', 'List']),
    list(['null', 'List'], [{ name: 'b', type: 'int' }]),
    'forward',
    'b has no default',
  ),
  pair(
    'a list becomes a tree',
    list(['null', 'List']),
    list(['null', array('List')]),
    'none',
    'a record is no array',
  ),
]

const logicals: Pair[] = [
  pair(
    'a logical type is added',
    field('long'),
    field(logical('long', 'timestamp-millis')),
    'both',
    'what is written is the same',
  ),
  pair(
    'millis become micros',
    field(logical('long', 'timestamp-millis')),
    field(logical('long', 'timestamp-micros')),
    'both',
    'logical types are not compared',
  ),
  pair(
    'a date becomes a timestamp',
    field(logical('int', 'date')),
    field(logical('long', 'timestamp-millis')),
    'backward',
    'int is promoted to long',
  ),
  pair(
    'a uuid becomes a string',
    field(logical('string', 'uuid')),
    field('string'),
    'both',
    'what is written is the same',
  ),
  pair(
    'a decimal moves from bytes to fixed',
    field(logical('bytes', 'decimal', { precision: 4, scale: 2 })),
    field(fixed(4, { logicalType: 'decimal', precision: 4, scale: 2 })),
    'none',
    'bytes are no fixed',
  ),
  pair(
    'an unknown logical type',
    field('string'),
    field(logical('string', 'colour')),
    'both',
    'unknown logical types are ignored',
  ),
]

const shared = {
  name: 'com.shop.Money',
  schema: JSON.stringify({
    type: 'record',
    name: 'Money',
    namespace: 'com.shop',
    fields: [{ name: 'amount', type: 'long' }],
  }),
}
const referring: Pair[] = [
  pair(
    'a reference stays',
    field('com.shop.Money'),
    field('com.shop.Money'),
    'both',
    'the same type',
    [shared],
  ),
  pair(
    'a referred type becomes nullable',
    field('com.shop.Money'),
    field(['null', 'com.shop.Money']),
    'backward',
    'a branch of the reader matches',
    [shared],
  ),
  pair(
    'a type is written out',
    field('com.shop.Money'),
    field({ type: 'record', name: 'Money', fields: [{ name: 'amount', type: 'int' }] }),
    'forward',
    'long is not read by int',
    [shared],
  ),
  pair(
    'a reference to nothing',
    field('string'),
    field('com.shop.Nothing'),
    'none',
    'the new schema is invalid',
    [shared],
  ),
]

export const AVRO: readonly Pair[] = [
  ...primitives,
  ...fields,
  ...names,
  ...others,
  ...unions,
  ...recursive,
  ...logicals,
  ...referring,
]
