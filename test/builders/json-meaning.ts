/** What a JSON record means in a schema, the slow way: JSON.parse, then one coercion a type. It shares no code with the decoder. */

import type { DataType, Schema } from '../../src/data/types.ts'
import type { Plain } from './batch.ts'

/** A number, with the text it was written as: 64-bit integers and decimals do not survive as doubles. */
class NumberToken {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

/** Undefined: the record is dead. */
export type Meant = readonly Plain[] | undefined
class Dead extends Error {}

export function meaningOf(bytes: Uint8Array, schema: Schema, iso = false): Meant {
  let parsed: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    parsed = JSON.parse(text, (_key, value, context?: { source?: string }) =>
      typeof value === 'number' ? new NumberToken(context!.source!) : value,
    )
  } catch {
    return undefined
  }
  try {
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return undefined
    if (parsed instanceof NumberToken) return undefined
    return rowOf(parsed, schema, iso)
  } catch (error) {
    if (error instanceof Dead) return undefined
    throw error
  }
}

function rowOf(object: object, schema: Schema, iso: boolean): Plain[] {
  return schema.map(({ name, type }) => {
    const value: unknown = Object.hasOwn(object, name) ? Reflect.get(object, name) : null
    if (value === null) {
      if (!type.nullable) throw new Dead()
      return null
    }
    return coerce(value, type, iso)
  })
}

function coerce(value: unknown, type: DataType, iso: boolean): Plain {
  switch (type.kind) {
    case 'boolean': {
      if (typeof value === 'boolean') return value
      const word = typeof value === 'string' ? value.replace(/^ +| +$/g, '').toLowerCase() : ''
      if (word === 'true' || word === 'false') return word === 'true'
      throw new Dead()
    }
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint': {
      const bits = { tinyint: 8, smallint: 16, int: 32, bigint: 64 }[type.kind]
      const integer = scaledOf(numberText(value), 0)
      if (BigInt.asIntN(bits, integer) !== integer) throw new Dead()
      return integer
    }
    case 'decimal': {
      const unscaled = scaledOf(numberText(value), type.scale)
      if (unscaled >= 10n ** BigInt(type.precision) || -unscaled >= 10n ** BigInt(type.precision))
        throw new Dead()
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(type.scale + 1, '0')
      const whole = digits.slice(0, digits.length - type.scale)
      const text = type.scale === 0 ? whole : `${whole}.${digits.slice(-type.scale)}`
      return unscaled < 0n ? `-${text}` : text
    }
    case 'float':
    case 'double': {
      if (typeof value === 'string' && /^ *(NaN|-?Infinity) *$/.test(value)) return Number(value)
      const number = Number(numberText(value))
      const rounded = type.kind === 'float' ? Math.fround(number) : number
      if (!Number.isFinite(rounded)) throw new Dead()
      return rounded
    }
    case 'char':
    case 'varchar':
      if (typeof value === 'string') return value.toWellFormed()
      if (value instanceof NumberToken) return value.source
      if (typeof value === 'boolean') return String(value)
      return '(json text)'
    case 'binary':
    case 'varbinary': {
      if (typeof value !== 'string') throw new Dead()
      const bytes = Buffer.from(value, 'base64')
      if (bytes.toString('base64') !== value) throw new Dead()
      return new Uint8Array(bytes)
    }
    case 'date':
      return dayOf(text(value))
    case 'time':
      return timeOf(text(value))
    case 'timestamp':
    case 'timestamp_ltz':
      return instantOf(text(value), iso ? 'T' : ' ', type.kind === 'timestamp_ltz')
    case 'row':
      if (typeof value !== 'object' || Array.isArray(value) || value instanceof NumberToken)
        throw new Dead()
      return rowOf(value!, type.fields, iso)
    default:
      throw new Error(`no oracle for ${type.kind}`)
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Dead()
  return value
}

function numberText(value: unknown): string {
  if (value instanceof NumberToken) return value.source
  const trimmed = text(value).replace(/^ +| +$/g, '')
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(trimmed)) throw new Dead()
  return trimmed
}

/** The number times 10^scale, if that is an integer of at most 38 digits. */
function scaledOf(number: string, scale: number): bigint {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(number)!
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  if (digits === '' || /^0*$/.test(digits)) return 0n
  const shift = Number(exponent) + scale - fraction.length
  if (shift >= 0) {
    if (digits.length + shift > 38) throw new Dead()
    return BigInt(`${sign}${digits}${'0'.repeat(shift)}`)
  }
  if (-shift >= digits.length || !/^0+$/.test(digits.slice(shift))) throw new Dead()
  if (digits.length + shift > 38) throw new Dead()
  return BigInt(`${sign}${digits.slice(0, shift)}`)
}

function dayOf(date: string): bigint {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) throw new Dead()
  const parsed = new Date(`${date}T00:00:00.000Z`)
  if (Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== date) throw new Dead()
  return BigInt(parsed.getTime()) / 86400000n
}

function timeOf(time: string): bigint {
  const parts = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/.exec(time)
  if (parts === null) throw new Dead()
  const [, hour, minute, second = '0', fraction = ''] = parts
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) throw new Dead()
  const seconds = BigInt(hour!) * 3600n + BigInt(minute!) * 60n + BigInt(second)
  return seconds * 1000000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}

function instantOf(instant: string, separator: string, zoned: boolean): bigint {
  if (instant[10] !== separator) throw new Dead()
  const day = dayOf(instant.slice(0, 10))
  let rest = instant.slice(11)
  let offset = 0n
  if (zoned) {
    const zone = /(Z|([-+])(\d\d):(\d\d))$/.exec(rest)
    if (zone === null) throw new Dead()
    rest = rest.slice(0, -zone[0].length)
    if (zone[2] !== undefined) {
      if (Number(zone[3]) > 18 || Number(zone[4]) > 59) throw new Dead()
      offset =
        (BigInt(zone[3]!) * 60n + BigInt(zone[4]!)) * (zone[2] === '-' ? -60000000n : 60000000n)
    }
  }
  return day * 86400000000n + timeOf(rest) - offset
}
