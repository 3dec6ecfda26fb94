/** Literals as written to literals of a plan, with the types that Flink gives them. */
import { parseDate, parseTime, parseTimestamp } from '../../data/civil.ts'
import type { DataType } from '../../data/types.ts'
import { types } from '../../data/types.ts'
import type { Expression, LiteralValue } from '../../plan/expressions.ts'
import { DECIMAL_PRECISION_MAX } from '../../plan/functions/coercion.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { LiteralSyntax } from '../syntax.ts'
import { intervalLiteral } from './interval.ts'

const nullable = false

/** @throws SQL_TYPE_MISMATCH for a date or time that there is not */
export function bindLiteral(literal: LiteralSyntax, at: Place): Expression {
  switch (literal.kind) {
    case 'exact':
      return exact(literal.text, at)
    case 'approximate':
      if (Number.isFinite(Number(literal.text)))
        return constant(Number(literal.text), { kind: 'double', nullable })
      throw tooLarge('a DOUBLE holds no such number', at)
    case 'string': {
      const length = [...literal.value].length
      return constant(literal.value, { kind: 'char', length, nullable })
    }
    case 'binary': {
      const bytes = Buffer.from(literal.digits, 'hex')
      return constant(bytes.toString('base64'), { kind: 'binary', length: bytes.length, nullable })
    }
    case 'boolean':
      return constant(literal.value, { kind: 'boolean', nullable })
    case 'null':
      return constant(null, types.null)
    case 'interval':
      return intervalLiteral(literal, at)
    default:
      return moment(literal.kind, literal.text, at)
  }
}

function constant(value: LiteralValue, type: DataType): Expression {
  return { kind: 'literal', value, type }
}

/** INT, or BIGINT, or DECIMAL by its digits. */
function exact(text: string, at: Place): Expression {
  const [whole, fraction] = text.split('.') as [string, string | undefined]
  if (fraction !== undefined) {
    const digits = (whole + fraction).replace(/^0+/, '').length
    const precision = Math.max(digits, fraction.length, 1)
    if (precision > DECIMAL_PRECISION_MAX) throw tooLarge('it has more than 38 digits', at)
    return constant(text, { kind: 'decimal', precision, scale: fraction.length, nullable })
  }
  const value = BigInt(text)
  if (value <= 2147483647n) return constant(text, { kind: 'int', nullable })
  if (value <= 9223372036854775807n) return constant(text, { kind: 'bigint', nullable })
  const precision = `${value}`.length
  if (precision > DECIMAL_PRECISION_MAX) throw tooLarge('it has more than 38 digits', at)
  return constant(text, { kind: 'decimal', precision, scale: 0, nullable })
}

function tooLarge(why: string, at: Place): SqlError {
  return new SqlError('SQL_TYPE_MISMATCH', at, {
    message: `this number can't be held: ${why}`,
    hint: 'write it shorter, or as a string',
  })
}

function moment(
  kind: 'date' | 'time' | 'timestamp' | 'timestamp_ltz',
  text: string,
  at: Place,
): Expression {
  const precision = Math.min(text.split('.')[1]?.length ?? 0, 9)
  const cell =
    kind === 'date' ? parseDate(text) : kind === 'time' ? parseTime(text) : parseTimestamp(text)
  if (cell === undefined) {
    throw new SqlError('SQL_TYPE_MISMATCH', at, {
      message: `'${text}' is no ${kind.toUpperCase()}`,
      hint: "write DATE '2026-01-31', TIME '23:59:59', TIMESTAMP '2026-01-31 23:59:59.123'",
    })
  }
  const type: DataType = kind === 'date' ? { kind, nullable } : { kind, precision, nullable }
  return constant(`${cell}`, type)
}
