/** Equality and order of values, for what has no kernel. */
import type { DataType } from '../data/types.ts'
import { powerOfTen } from './decimals.ts'
import type { Value } from './value.ts'

/** -1, 0, 1, of values of one type that are not NULL; NaN after all other numbers. */
export function compareValues(a: Value, b: Value, type: DataType): number {
  if (typeof a === 'bigint' || typeof a === 'boolean') return a < b! ? -1 : a > b! ? 1 : 0
  if (typeof a === 'number') return compareNumbers(a, b as number)
  if (typeof a === 'string') return compareTexts(a, b as string)
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  return equalValues(a, b, type) ? 0 : 1
}

/** By UTF-8 bytes, which is by code points: surrogates come after all other units. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (x === y) continue
    return pointOrder(x) < pointOrder(y) ? -1 : 1
  }
  return Math.sign(a.length - b.length)
}

function pointOrder(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}

function compareNumbers(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b) return 0
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

/** NULL equals NULL here. */
export function equalValues(a: Value, b: Value, type: DataType): boolean {
  if (a === null || b === null) return a === b
  if (type.kind === 'map') return equalMaps(a as Entries, b as Entries, type)
  if (Array.isArray(a) && Array.isArray(b)) {
    return (
      a.length === b.length &&
      a.every((each, index) => equalValues(each, b[index], partType(type, index)))
    )
  }
  return compareValues(a, b, type) === 0
}

type Entries = readonly (readonly [Value, Value])[]

function equalMaps(a: Entries, b: Entries, type: Extract<DataType, { kind: 'map' }>): boolean {
  return (
    a.length === b.length &&
    a.every(([key, value]) =>
      b.some(
        ([other, item]) =>
          equalValues(key, other, type.key) && equalValues(value, item, type.value),
      ),
    )
  )
}

function partType(type: DataType, index: number): DataType {
  if (type.kind === 'array') return type.element
  return type.kind === 'row' ? type.fields[index]!.type : type
}

/** Exact numbers of any scales: -1, 0 or 1. */
export function compareExact(a: bigint, aScale: number, b: bigint, bScale: number): number {
  const x = aScale < bScale ? a * powerOfTen(bScale - aScale) : a
  const y = bScale < aScale ? b * powerOfTen(aScale - bScale) : b
  return x < y ? -1 : x > y ? 1 : 0
}
