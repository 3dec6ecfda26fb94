/** Functions of arrays, maps and rows. */
import type { DataType } from '../../data/types.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { failRow } from '../row-failure.ts'
import { type RowFunction, seesNulls, shaped, strict } from '../row-function.ts'
import type { Value } from '../value.ts'
import { compareValues, equalValues } from '../value-order.ts'

type List = readonly Value[]
type Entries = readonly (readonly [Value, Value])[]

function elementOf(type: DataType | undefined): DataType {
  return type?.kind === 'array' ? type.element : { kind: 'null', nullable: true }
}

export const collectionFunctions: Readonly<Record<string, RowFunction>> = {
  TYPEOF: seesNulls(
    ({ args }) =>
      () =>
        typeText(args[0]!),
  ),
  ARRAY: seesNulls(() => (args) => [...args]),
  MAP: seesNulls(({ args: [key] }) => (args) => {
    const entries: (readonly [Value, Value])[] = []
    for (let at = 0; at < args.length; at += 2) entries.push([args[at]!, args[at + 1]!])
    return lastOfEach(entries, key ?? { kind: 'null', nullable: true })
  }),
  ITEM: shaped(({ args: [from] }) => ([value, index]) => {
    if (from!.kind === 'map') return valueOfKey(value as Entries, index!, from!.key)
    return (value as List)[Number(index) - 1] ?? null
  }),
  CARDINALITY: strict(([value]) => BigInt((value as List).length)),
  ELEMENT: strict(([value]) => {
    const list = value as List
    return list.length > 1
      ? failRow(`the array has ${list.length} elements, not 1`)
      : (list[0] ?? null)
  }),
  ARRAY_CONTAINS: arrayAnd((list, value, element) => {
    return list.some((each) => equalValues(each, value, element))
  }),
  ARRAY_POSITION: arrayAnd((list, value, element) => {
    return value === null
      ? null
      : BigInt(list.findIndex((each) => equalValues(each, value, element)) + 1)
  }),
  ARRAY_APPEND: arrayAnd((list, value) => [...list, value]),
  ARRAY_PREPEND: arrayAnd((list, value) => [value, ...list]),
  ARRAY_REMOVE: arrayAnd((list, value, element) =>
    list.filter((each) => !equalValues(each, value, element)),
  ),
  ARRAY_DISTINCT: shaped(
    ({ args }) =>
      ([list]) =>
        distinct(list as List, elementOf(args[0])),
  ),
  ARRAY_REVERSE: strict(([list]) => [...(list as List)].reverse()),
  ARRAY_SLICE: strict(slice),
  ARRAY_SORT: shaped(
    ({ args }) =>
      ([list, ascending, nullsFirst]) =>
        sorted(
          list as List,
          elementOf(args[0]),
          ascending !== false,
          (nullsFirst ?? ascending ?? true) as boolean,
        ),
  ),
  ARRAY_MAX: shaped(
    ({ args }) =>
      ([list]) =>
        extreme(list as List, elementOf(args[0]), 1),
  ),
  ARRAY_MIN: shaped(
    ({ args }) =>
      ([list]) =>
        extreme(list as List, elementOf(args[0]), -1),
  ),
  ARRAY_JOIN: strict(([list, separator, whenNull]) =>
    (list as List)
      .flatMap((each) => (each !== null ? [each] : whenNull === undefined ? [] : [whenNull]))
      .join(separator as string),
  ),
  ARRAY_UNION: shaped(
    ({ args }) =>
      ([a, b]) =>
        distinct([...(a as List), ...(b as List)], elementOf(args[0])),
  ),
  ARRAY_EXCEPT: shaped(
    ({ args }) =>
      ([a, b]) =>
        distinct(a as List, elementOf(args[0])).filter(
          (each) => !has(b as List, each, elementOf(args[0])),
        ),
  ),
  ARRAY_INTERSECT: shaped(
    ({ args }) =>
      ([a, b]) =>
        distinct(a as List, elementOf(args[0])).filter((each) =>
          has(b as List, each, elementOf(args[0])),
        ),
  ),
  ARRAY_CONCAT: strict((lists) => lists.flatMap((list) => list as List)),
  SPLIT: strict(([text, separator]) =>
    separator === '' ? [...(text as string)] : (text as string).split(separator as string),
  ),
  MAP_KEYS: strict(([map]) => (map as Entries).map(([key]) => key)),
  MAP_VALUES: strict(([map]) => (map as Entries).map(([, value]) => value)),
  MAP_ENTRIES: strict(([map]) => (map as Entries).map(([key, value]) => [key, value])),
  MAP_FROM_ARRAYS: shaped(({ args }) => ([keys, values]) => {
    const [left, right] = [keys as List, values as List]
    if (left.length !== right.length)
      return failRow(`${left.length} keys do not go with ${right.length} values`)
    return lastOfEach(
      left.map((key, index) => [key, right[index]!]),
      elementOf(args[0]),
    )
  }),
  MAP_UNION: shaped(
    ({ type }) =>
      (maps) =>
        lastOfEach(
          maps.flatMap((map) => map as Entries),
          type.kind === 'map' ? type.key : type,
        ),
  ),
}

/** NULL if the array is; the element may be NULL. */
function arrayAnd(compute: (list: List, value: Value, element: DataType) => Value): RowFunction {
  return seesNulls(({ args, name }) => ([list, value]) => {
    if (list === null) return null
    const element = elementOf(args[0])
    if (value === null && name === 'ARRAY_CONTAINS' && !element.nullable) return null
    return compute(list as List, value!, element)
  })
}

function has(list: List, value: Value, element: DataType): boolean {
  return list.some((each) => equalValues(each, value, element))
}

function distinct(list: List, element: DataType): Value[] {
  const out: Value[] = []
  for (const each of list) if (!has(out, each, element)) out.push(each)
  return out
}

/** Places count from 1, or from the end; out of range they are cut. */
function slice([list, from, to]: readonly Value[]): Value {
  const all = list as List
  if (all.length === 0) return []
  const place = (told: number) => (told < 0 ? all.length + told : told === 0 ? 0 : told - 1)
  const start = place(Number(from))
  const end = to === undefined ? all.length - 1 : place(Number(to))
  if (start > end || end < 0) return []
  return all.slice(Math.max(0, start), end + 1)
}

function sorted(list: List, element: DataType, ascending: boolean, nullsFirst: boolean): Value[] {
  const nulls = list.filter((each) => each === null)
  const others = list
    .filter((each) => each !== null)
    .sort((a, b) => compareValues(a, b, element) * (ascending ? 1 : -1))
  return nullsFirst ? [...nulls, ...others] : [...others, ...nulls]
}

function extreme(list: List, element: DataType, sign: number): Value {
  let best: Value = null
  for (const each of list) {
    if (each === null) continue
    if (best === null || compareValues(each, best, element) * sign > 0) best = each
  }
  return best
}

function valueOfKey(entries: Entries, key: Value, type: DataType): Value {
  return entries.findLast(([each]) => equalValues(each, key, type))?.[1] ?? null
}

/** One entry a key, where the key first stood, with its last value. */
function lastOfEach(entries: Entries, key: DataType): Value {
  const out: [Value, Value][] = []
  for (const [name, value] of entries) {
    const known = out.find(([each]) => equalValues(each, name, key))
    if (known === undefined) out.push([name, value])
    else known[1] = value
  }
  return out
}
