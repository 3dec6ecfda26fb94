/**
 * Functions of dates and times. Units stand as literals: EXTRACT('YEAR', t), FLOOR(t, 'HOUR'), CEIL(t, 'DAY'),
 * TIMESTAMPADD('MINUTE', n, t), TIMESTAMPDIFF('SECOND', a, b).
 */
import { type DataType, types } from '../../data/types.ts'
import type { LiteralValue } from '../expressions.ts'
import { isExact, isInterval, isNumeric, isText, isTimestamp } from './coercion.ts'
import {
  bigint,
  define,
  int,
  moment,
  numeric,
  optional,
  type Parameter,
  string,
  text,
} from './parameters.ts'
import type { FunctionSignature } from './signature.ts'
import { typeText } from './type-text.ts'

/** Of EXTRACT. */
export const TIME_FIELDS = [
  'MILLENNIUM',
  'CENTURY',
  'DECADE',
  'YEAR',
  'QUARTER',
  'MONTH',
  'WEEK',
  'DAY',
  'DOW',
  'DOY',
  'ISODOW',
  'ISOYEAR',
  'HOUR',
  'MINUTE',
  'SECOND',
  'MILLISECOND',
  'MICROSECOND',
  'NANOSECOND',
  'EPOCH',
] as const
/** Of FLOOR, CEIL, TIMESTAMPADD and TIMESTAMPDIFF. */
export const TIME_UNITS = [
  'MILLENNIUM',
  'CENTURY',
  'DECADE',
  'YEAR',
  'QUARTER',
  'MONTH',
  'WEEK',
  'DAY',
  'HOUR',
  'MINUTE',
  'SECOND',
  'MILLISECOND',
  'MICROSECOND',
] as const

const NULLABLE = { nullable: 'always' } as const
const NEVER = { nullable: 'never' } as const
const dateTime: Parameter = {
  expected: 'a DATE or TIMESTAMP',
  accept: (type) =>
    type.kind === 'null' || type.kind === 'date' || isTimestamp(type)
      ? moment.accept(type)
      : undefined,
}
const momentOrInterval: Parameter = {
  expected: 'a DATE, TIME, TIMESTAMP or INTERVAL',
  accept: (type) => (isInterval(type) ? type : moment.accept(type)),
}
/** Texts are read as TIMESTAMP(3). */
const dateTimeOrText: Parameter = {
  expected: 'a DATE, TIMESTAMP or a text that tells one',
  accept: (type) => (isText(type) ? types.timestamp(3) : dateTime.accept(type)),
}

export const timeFunctions: readonly FunctionSignature[] = [
  define(
    'EXTRACT',
    'A field of a date, time or interval, the unit first.',
    [text, momentOrInterval],
    extracted('EXTRACT'),
  ),
  ...['YEAR', 'QUARTER', 'MONTH', 'WEEK', 'HOUR', 'MINUTE', 'SECOND'].map((unit) =>
    define(unit, `EXTRACT(${unit} FROM t).`, [moment], types.bigint),
  ),
  define('DAYOFYEAR', 'EXTRACT(DOY FROM t).', [dateTime], types.bigint),
  define('DAYOFMONTH', 'EXTRACT(DAY FROM t).', [dateTime], types.bigint),
  define('DAYOFWEEK', 'EXTRACT(DOW FROM t): Sunday is 1.', [dateTime], types.bigint),
  rounding('FLOOR', 'down'),
  rounding('CEIL', 'up'),
  define('TIMESTAMPADD', 'A date or time moved by n units.', [text, bigint, dateTime], added),
  define(
    'TIMESTAMPDIFF',
    'Whole units from the second to the third.',
    [text, dateTimeOrText, dateTimeOrText],
    unitOf('TIMESTAMPDIFF', types.int),
  ),
  define(
    'DATE_FORMAT',
    "A timestamp as text by a pattern of Java's: 'yyyy-MM-dd HH:mm:ss'.",
    [dateTimeOrText, text],
    string,
    NULLABLE,
  ),
  define(
    'TO_DATE',
    "A date from text; the pattern is 'yyyy-MM-dd' unless told.",
    [text, optional(text)],
    types.date,
    NULLABLE,
  ),
  define(
    'TO_TIMESTAMP',
    "A TIMESTAMP(3) from text; the pattern is 'yyyy-MM-dd HH:mm:ss' unless told.",
    [text, optional(text)],
    types.timestamp(3),
    NULLABLE,
  ),
  define(
    'TO_TIMESTAMP_LTZ',
    'A TIMESTAMP_LTZ(3) from seconds (precision 0), milliseconds (3), or from text with pattern and zone.',
    [numericOrText(), optional(patternOrPrecision()), optional(text)],
    instant,
    NULLABLE,
  ),
  define(
    'FROM_UNIXTIME',
    "Seconds since the epoch as text in the session's zone.",
    [bigint, optional(text)],
    string,
    NULLABLE,
  ),
  define(
    'UNIX_TIMESTAMP',
    "Seconds since the epoch: now, or of a text in the session's zone.",
    [optional(text), optional(text)],
    types.bigint,
  ),
  define(
    'CONVERT_TZ',
    "A text 'yyyy-MM-dd HH:mm:ss' moved from one zone to another.",
    [text, text, text],
    string,
    NULLABLE,
  ),
  define('CURRENT_TIMESTAMP', 'Now.', [], types.timestampLtz(3), NEVER),
  define('NOW', 'Now.', [], types.timestampLtz(3), NEVER),
  define('CURRENT_ROW_TIMESTAMP', 'Now.', [], types.timestampLtz(3), NEVER),
  define(
    'CURRENT_WATERMARK',
    'The watermark that the row meets, of its event time column; NULL before the first.',
    [moment],
    ([type]) => type!,
    { nullable: 'always' },
  ),
  define('PROCTIME', 'Now: the time of processing.', [], types.timestampLtz(3), NEVER),
  define(
    'LOCALTIMESTAMP',
    "Now on the clocks of the session's zone.",
    [],
    types.timestamp(3),
    NEVER,
  ),
  define('CURRENT_DATE', "Today in the session's zone.", [], types.date, NEVER),
  define('CURRENT_TIME', "The time of day in the session's zone.", [], types.time(0), {
    ...NEVER,
    aliases: ['LOCALTIME'],
  }),
]

function unitOf(name: string, type: DataType) {
  return (_args: readonly DataType[], literals: readonly (LiteralValue | undefined)[]) =>
    (TIME_UNITS as readonly unknown[]).includes(literals[0])
      ? type
      : `${name} knows the units ${TIME_UNITS.join(', ')}, not ${literals[0]}`
}

function extracted(name: string) {
  return (_args: readonly DataType[], literals: readonly (LiteralValue | undefined)[]) => {
    if (!(TIME_FIELDS as readonly unknown[]).includes(literals[0]))
      return `${name} knows the fields ${TIME_FIELDS.join(', ')}, not ${literals[0]}`
    return types.bigint
  }
}

function added(args: readonly DataType[], literals: readonly (LiteralValue | undefined)[]) {
  const type = args[2]!
  const unit = String(literals[0])
  if (!(TIME_UNITS as readonly unknown[]).includes(unit))
    return `TIMESTAMPADD knows the units ${TIME_UNITS.join(', ')}, not ${unit}`
  const isShort =
    TIME_UNITS.indexOf(unit as (typeof TIME_UNITS)[number]) > TIME_UNITS.indexOf('DAY')
  if (type.kind === 'date' && isShort) return types.timestamp(3)
  return type
}

/** FLOOR and CEIL of a number, or of a date or time to a unit. */
function rounding(name: 'FLOOR' | 'CEIL', direction: string): FunctionSignature {
  return {
    name,
    ...(name === 'CEIL' ? { aliases: ['CEILING'] } : {}),
    summary: `Rounded ${direction} to a whole number, or a date or time to a unit.`,
    resolve: (args, literals) => {
      const [type] = args
      if (args.length === 1 && type !== undefined && isNumeric(type)) {
        if (type.kind !== 'decimal') return { args, type }
        // As many whole digits as before: Calcite's DECIMAL_SCALE0.
        return { args, type: { ...type, scale: 0 } }
      }
      if (args.length !== 2 || type === undefined)
        return `${name} takes a number, or a time and a unit`
      if (moment.accept(type) === undefined)
        return `${name} to a unit takes a time, not ${typeText(type)}`
      if (!(TIME_UNITS as readonly unknown[]).includes(literals[1]))
        return `${name} knows the units ${TIME_UNITS.join(', ')}, not ${literals[1]}`
      return { args, type }
    },
  }
}

function numericOrText(): Parameter {
  return {
    expected: 'a number or a text',
    accept: (type) => (type.kind === 'null' || isText(type) ? string : numeric.accept(type)),
  }
}

function patternOrPrecision(): Parameter {
  return {
    expected: 'a pattern or a precision',
    accept: (type) => text.accept(type) ?? int.accept(type),
  }
}

function instant(args: readonly DataType[]): DataType | string {
  const [value, pattern] = args
  if (isText(value!) && pattern !== undefined && isExact(pattern))
    return 'TO_TIMESTAMP_LTZ of a text takes a pattern, not a precision'
  return types.timestampLtz(3)
}
