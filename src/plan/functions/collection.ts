/** Functions of arrays, maps and rows. */
import { type DataType, types, withNullability } from '../../data/types.ts'
import type { LiteralValue } from '../expressions.ts'
import { commonType, commonTypeOf, isExact, isText } from './coercion.ts'
import {
  any,
  array,
  boolean,
  define,
  firstType,
  int,
  map,
  optional,
  repeated,
  string,
  text,
} from './parameters.ts'
import type { FunctionSignature, Resolved } from './signature.ts'
import { typeText } from './type-text.ts'

type ArrayOf = Extract<DataType, { kind: 'array' }>

export const collectionFunctions: readonly FunctionSignature[] = [
  { name: 'ROW', summary: 'A row of values.', resolve: row },
  define('TYPEOF', 'The type of a value, as text.', [any, optional(boolean)], string, {
    nullable: 'never',
  }),
  { name: 'ARRAY', summary: 'An array of values.', resolve: arrayOf },
  { name: 'MAP', summary: 'A map of keys and values, by turns.', resolve: mapOf },
  {
    name: 'ITEM',
    summary:
      'Element n (from 1) of an array, or the value of a key of a map; NULL if there is none.',
    resolve: item,
  },
  define(
    'CARDINALITY',
    'The number of elements or entries.',
    [{ ...any, expected: 'an ARRAY or MAP' }],
    (args) =>
      args[0]!.kind === 'array' || args[0]!.kind === 'map'
        ? types.int
        : `CARDINALITY takes an ARRAY or MAP, not ${typeText(args[0]!)}`,
  ),
  define('ELEMENT', 'The only element of an array.', [array], (args) => elementOf(args[0]!), {
    nullable: 'always',
  }),
  ofElement('ARRAY_CONTAINS', 'Whether an array has an element.', () => types.boolean),
  ofElement(
    'ARRAY_POSITION',
    'Where (from 1) an element first stands; 0 if nowhere.',
    () => types.int,
  ),
  ofElement('ARRAY_APPEND', 'With an element at the end.', (type) => type),
  ofElement('ARRAY_PREPEND', 'With an element at the start.', (type) => type),
  ofElement('ARRAY_REMOVE', 'Without an element, wherever it stands.', (type) => type),
  define('ARRAY_DISTINCT', 'Each element once.', [array], firstType),
  define('ARRAY_REVERSE', 'From last to first.', [array], firstType),
  define(
    'ARRAY_SLICE',
    'From one place to another; negative from the end.',
    [array, int, optional(int)],
    firstType,
  ),
  define(
    'ARRAY_SORT',
    'In order: ascending unless told, NULLs first if ascending unless told.',
    [array, optional(boolean), optional(boolean)],
    firstType,
  ),
  define('ARRAY_MAX', 'The greatest element.', [array], (args) => elementOf(args[0]!), {
    nullable: 'always',
  }),
  define('ARRAY_MIN', 'The least element.', [array], (args) => elementOf(args[0]!), {
    nullable: 'always',
  }),
  define(
    'ARRAY_JOIN',
    'Elements as one text; NULLs are left out, or replaced by the third argument.',
    [textArray(), text, optional(text)],
    string,
  ),
  ofArrays('ARRAY_UNION', 'Elements of either, each once.', 2),
  ofArrays('ARRAY_EXCEPT', 'Elements of the first that are not in the second, each once.', 2),
  ofArrays('ARRAY_INTERSECT', 'Elements of both, each once.', 2),
  ofArrays('ARRAY_CONCAT', 'Arrays one after another.', Number.POSITIVE_INFINITY),
  define('SPLIT', 'The parts of a text between separators.', [text, text], {
    kind: 'array',
    element: string,
    nullable: true,
  }),
  define('MAP_KEYS', 'The keys of a map.', [map], (args) => mapParts(args[0]!, ({ key }) => key)),
  define('MAP_VALUES', 'The values of a map.', [map], (args) =>
    mapParts(args[0]!, ({ value }) => value),
  ),
  define('MAP_ENTRIES', 'The entries of a map, as rows of key and value.', [map], (args) =>
    mapParts(args[0]!, ({ key, value }) => ({
      kind: 'row',
      fields: [
        { name: 'key', type: key },
        { name: 'value', type: value },
      ],
      nullable: true,
    })),
  ),
  define(
    'MAP_FROM_ARRAYS',
    'A map of keys and values in two arrays of one length.',
    [array, array],
    (args) => ({
      kind: 'map',
      key: elementOf(args[0]!),
      value: elementOf(args[1]!),
      nullable: true,
    }),
  ),
  define(
    'MAP_UNION',
    'The entries of all maps; the last value of a key counts.',
    [map, repeated(map)],
    (args) =>
      commonTypeOf(args) ??
      `MAP_UNION takes maps of one type, not ${args.map(typeText).join(' and ')}`,
  ),
]

function elementOf(type: DataType): DataType {
  return type.kind === 'array' ? type.element : types.null
}

function mapParts(
  type: DataType,
  part: (map: Extract<DataType, { kind: 'map' }>) => DataType,
): DataType {
  return { kind: 'array', element: type.kind === 'map' ? part(type) : types.null, nullable: true }
}

function row(args: readonly DataType[]): Resolved {
  const fields = args.map((type, index) => ({ name: `EXPR$${index}`, type }))
  return { args, type: { kind: 'row', fields, nullable: false } }
}

function arrayOf(args: readonly DataType[]): Resolved | string {
  const element = args.length === 0 ? types.null : commonTypeOf(args)
  if (element === undefined) return `${args.map(typeText).join(', ')} have no type in common`
  const cast = args.map((type) => withNullability(element, type.nullable))
  return { args: cast, type: { kind: 'array', element, nullable: false } }
}

function mapOf(args: readonly DataType[]): Resolved | string {
  if (args.length % 2 === 1) return 'MAP takes a value for each key'
  const keys = args.filter((_, index) => index % 2 === 0)
  const values = args.filter((_, index) => index % 2 === 1)
  const [key, value] = [keys, values].map((list) =>
    list.length === 0 ? types.null : commonTypeOf(list),
  )
  if (key === undefined) return `${keys.map(typeText).join(', ')} have no type in common`
  if (value === undefined) return `${values.map(typeText).join(', ')} have no type in common`
  const cast = args.map((type, index) =>
    withNullability(index % 2 === 0 ? key : value, type.nullable),
  )
  return { args: cast, type: { kind: 'map', key, value, nullable: false } }
}

function item(
  args: readonly DataType[],
  literals: readonly (LiteralValue | undefined)[],
): Resolved | string {
  const [from, index] = args
  if (from === undefined || index === undefined || args.length !== 2)
    return 'ITEM takes 2 arguments'
  if (from.kind === 'array') {
    if (!isExact(index)) return `an array is indexed by an INT, not ${typeText(index)}`
    if (literals[1] !== undefined && Number(literals[1]) < 1) return 'array indexes begin at 1'
    return {
      args: [from, withNullability(types.int, index.nullable)],
      type: withNullability(from.element, true),
    }
  }
  if (from.kind === 'map') {
    const key = commonType(from.key, index)
    if (key === undefined) return `the keys are ${typeText(from.key)}, not ${typeText(index)}`
    return {
      args: [from, withNullability(from.key, index.nullable)],
      type: withNullability(from.value, true),
    }
  }
  return `${typeText(from)} has no elements`
}

/** (array, element): the element fits the array's, or widens it. */
function ofElement(
  name: string,
  summary: string,
  result: (array: DataType) => DataType,
): FunctionSignature {
  return {
    name,
    summary,
    resolve: (args) => {
      const [from, element] = args
      if (from === undefined || element === undefined || args.length !== 2)
        return `${name} takes 2 arguments`
      if (from.kind !== 'array') return `${name} takes an ARRAY, not ${typeText(from)}`
      const common = commonType(from.element, element)
      if (common === undefined)
        return `the elements are ${typeText(from.element)}, not ${typeText(element)}`
      const grows = name === 'ARRAY_APPEND' || name === 'ARRAY_PREPEND'
      const inner = grows ? common : withNullability(common, from.element.nullable)
      const cast: ArrayOf = { kind: 'array', element: inner, nullable: from.nullable }
      const needle = withNullability(common, element.nullable)
      const nullable =
        from.nullable || (name === 'ARRAY_CONTAINS' && element.nullable && !from.element.nullable)
      return { args: [cast, needle], type: withNullability(result(cast), nullable) }
    },
  }
}

function ofArrays(name: string, summary: string, most: number): FunctionSignature {
  return {
    name,
    summary,
    resolve: (args) => {
      if (args.length < Math.min(most, 1) || args.length > most || (most === 2 && args.length < 2))
        return `${name} takes ${most === 2 ? '2 arrays' : 'arrays'}, not ${args.length}`
      const type = commonTypeOf(args)
      if (type?.kind !== 'array')
        return `${name} takes arrays of one type, not ${args.map(typeText).join(' and ')}`
      return { args: args.map((from) => withNullability(type, from.nullable)), type }
    },
  }
}

function textArray() {
  return {
    expected: 'an ARRAY of texts',
    accept: (type: DataType) =>
      type.kind === 'null' ||
      (type.kind === 'array' && (isText(type.element) || type.element.kind === 'null'))
        ? type
        : undefined,
  }
}
