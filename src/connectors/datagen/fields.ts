/**
 * How each column of a generated table gets its values: a pure function of (row number, column), so that reading again from a
 * position gives the same rows.
 */

import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, type Field } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'

/** Writes the cells of rows first, first + 1, ... of one column. */
export type FieldGenerator = (
  memory: LinearMemory,
  cells: Pointer,
  first: number,
  count: number,
) => void

export interface StreamTime {
  /** Of row 0. */
  readonly startMs: number
  readonly rowsPerSecond: number
}

type Options = Readonly<Record<string, string>>

/** @throws OPTION_INVALID if an option does not fit the column's type */
export function fieldGenerator(
  field: Field,
  column: number,
  options: Options,
  time: StreamTime,
): FieldGenerator {
  const option = (name: string): string | undefined => options[`fields.${field.name}.${name}`]
  const kind = option('kind') ?? 'random'
  if (kind === 'sequence') return sequence(field, option)
  if (kind !== 'random') {
    throw invalid(field, 'kind', kind, "use 'random' or 'sequence'")
  }
  return random(field, column + 1, option, time)
}

/** The rows that a sequence column ends the table at; undefined if it has none. */
export function sequenceRows(field: Field, options: Options): number | undefined {
  const option = (name: string): string | undefined => options[`fields.${field.name}.${name}`]
  if (option('kind') !== 'sequence') return undefined
  return integer(field, 'end', option('end')) - integer(field, 'start', option('start')) + 1
}

type Option = (name: string) => string | undefined

function sequence(field: Field, option: Option): FieldGenerator {
  const start = integer(field, 'start', option('start'))
  const { type } = field
  return (memory, cells, first, count) => {
    for (let at = 0; at < count; at++) {
      const value = start + first + at
      writeNumber(memory, type, cells, at, value, `${value}`)
    }
  }
}

function random(field: Field, salt: number, option: Option, time: StreamTime): FieldGenerator {
  const { type } = field
  switch (type.kind) {
    case 'timestamp':
    case 'timestamp_ltz':
      return timestamps(field, salt, option, time)
    case 'char':
    case 'varchar':
      return texts(salt, integer(field, 'length', option('length') ?? defaultLength(type)))
    case 'boolean':
      return numbers(type, salt, 0, 1.999_999)
    case 'row':
    case 'array':
    case 'map':
    case 'binary':
    case 'varbinary':
    case 'null':
      throw invalid(field, 'kind', type.kind, 'datagen makes scalar values only')
    default: {
      const [least, most] = boundsOf(type)
      const min = number(field, 'min', option('min') ?? `${least}`)
      const max = number(field, 'max', option('max') ?? `${most}`)
      if (min > max) throw invalid(field, 'min', `${min}`, `it must not be above max, ${max}`)
      return numbers(type, salt, min, isWhole(type) ? max + 1 : max)
    }
  }
}

function numbers(type: DataType, salt: number, min: number, end: number): FieldGenerator {
  return (memory, cells, first, count) => {
    for (let at = 0; at < count; at++) {
      const value = min + unit(first + at, salt) * (end - min)
      const whole = isWhole(type) || type.kind === 'boolean' ? Math.floor(value) : value
      writeNumber(memory, type, cells, at, whole, '')
    }
  }
}

/** Row times advance with the rate; 'max-past' moves each back by up to that many ms. */
function timestamps(field: Field, salt: number, option: Option, time: StreamTime): FieldGenerator {
  const maxPastMs = integer(field, 'max-past', option('max-past') ?? '0')
  return (memory, cells, first, count) => {
    for (let at = 0; at < count; at++) {
      const row = first + at
      const onTimeMs = time.startMs + Math.floor((row * 1000) / time.rowsPerSecond)
      const pastMs = Math.floor(unit(row, salt) * maxPastMs)
      memory.i64[cells / 8 + at] = BigInt(onTimeMs - pastMs) * 1000n
    }
  }
}

const HEX = '0123456789abcdef'

function texts(salt: number, length: number): FieldGenerator {
  return (memory, cells, first, count) => {
    const bytes = memory.arena.allocate(length * count)
    for (let at = 0; at < count; at++) {
      const start = bytes + at * length
      for (let index = 0; index < length; index++) {
        const draw = mix(first + at, salt + Math.imul(index >>> 3, 0x51ed))
        memory.u8[start + index] = HEX.charCodeAt((draw >>> ((index & 7) * 4)) & 15)
      }
      memory.u32[cells / 4 + at * 2] = start
      memory.u32[cells / 4 + at * 2 + 1] = length
    }
  }
}

function writeNumber(
  memory: LinearMemory,
  type: DataType,
  cells: Pointer,
  at: number,
  value: number,
  text: string,
): void {
  switch (type.kind) {
    case 'float':
      memory.f64[cells / 8 + at] = Math.fround(value)
      return
    case 'double':
      memory.f64[cells / 8 + at] = value
      return
    case 'char':
    case 'varchar': {
      const address = memory.arena.allocate(text.length)
      for (let i = 0; i < text.length; i++) memory.u8[address + i] = text.charCodeAt(i)
      memory.u32[cells / 4 + at * 2] = address
      memory.u32[cells / 4 + at * 2 + 1] = text.length
      return
    }
    case 'decimal': {
      const unscaled = BigInt(Math.round(value * 10 ** Math.min(type.scale, 6)))
      const cell = unscaled * 10n ** BigInt(Math.max(type.scale - 6, 0))
      const width = cellBytes(type) / 8
      memory.i64[cells / 8 + at * width] = BigInt.asIntN(64, cell)
      if (width === 2) memory.i64[cells / 8 + at * 2 + 1] = cell >> 64n
      return
    }
    default:
      memory.i64[cells / 8 + at] = BigInt(Math.floor(value))
  }
}

function boundsOf(type: DataType): readonly [number, number] {
  switch (type.kind) {
    case 'tinyint':
      return [-128, 127]
    case 'smallint':
      return [-32768, 32767]
    case 'int':
      return [-2147483648, 2147483647]
    case 'bigint':
      return [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1]
    case 'decimal':
      return [0, 10 ** Math.min(type.precision - type.scale, 9) - 1]
    case 'date':
      return [0, 25_567]
    case 'time':
      return [0, 86_399_999_999]
    default:
      return [0, 1]
  }
}

function isWhole(type: DataType): boolean {
  return type.kind !== 'float' && type.kind !== 'double' && type.kind !== 'decimal'
}

function defaultLength(type: DataType): string {
  return (type.kind === 'char' || type.kind === 'varchar') && type.length < 100
    ? `${type.length}`
    : '100'
}

/** Uniform in [0, 1), 53 bits, by row and salt. */
function unit(row: number, salt: number): number {
  return (mix(row, salt) * 2097152 + (mix(row, ~salt) >>> 11)) / 9007199254740992
}

function mix(row: number, salt: number): number {
  let z =
    Math.imul(row | 0, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b) ^ Math.floor(row / 4294967296)
  z = Math.imul(z ^ (z >>> 16), 0x7feb352d)
  z = Math.imul(z ^ (z >>> 15), 0x846ca68b)
  return (z ^ (z >>> 16)) >>> 0
}

function integer(field: Field, name: string, text: string | undefined): number {
  const value = number(field, name, text)
  if (!Number.isSafeInteger(value)) throw invalid(field, name, text, 'it must be a whole number')
  return value
}

function number(field: Field, name: string, text: string | undefined): number {
  if (text === undefined) throw invalid(field, name, text, 'a sequence needs a start and an end')
  const value = Number(text)
  if (!Number.isFinite(value)) throw invalid(field, name, text, 'it must be a number')
  return value
}

function invalid(
  field: Field,
  name: string,
  value: string | undefined,
  hint: string,
): MillraceError {
  const option = `fields.${field.name}.${name}`
  return new MillraceError('OPTION_INVALID', {
    message: `option '${option}' of a datagen table can't be ${value === undefined ? 'missing' : `'${value}'`}`,
    hint,
    facts: { option, value },
  })
}
