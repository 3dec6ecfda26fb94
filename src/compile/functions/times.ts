/** Functions of dates and times. */
import { US_PER_DAY } from '../../data/civil.ts'
import type { DataType } from '../../data/types.ts'
import type { EvaluationContext } from '../compiled.ts'
import { type CallShape, type RowCall, type RowFunction, shaped, strict } from '../row-function.ts'
import { cut, parseDateText, parseTimestampText } from '../text-value.ts'
import type { Value } from '../value.ts'
import { instantOfLocal, localOfInstant } from '../zone.ts'
import { ceilLocal, fieldOf, floorLocal, movedLocal, unitsBetween } from './calendar.ts'
import { formatLocal, localFormatter, parseLocal } from './java-time-pattern.ts'

const DEFAULT_PATTERN = 'yyyy-MM-dd HH:mm:ss'
const MILLISECONDS = 3
const LONG_MIN = -(2n ** 63n)

export const timeFunctions: Readonly<Record<string, RowFunction>> = {
  EXTRACT: shaped(
    ({ args }) =>
      ([field, value], context) =>
        extracted(field as string, value as bigint, args[1]!, context),
  ),
  ...Object.fromEntries(
    Object.entries({
      YEAR: 'YEAR',
      QUARTER: 'QUARTER',
      MONTH: 'MONTH',
      WEEK: 'WEEK',
      HOUR: 'HOUR',
      MINUTE: 'MINUTE',
      SECOND: 'SECOND',
      DAYOFYEAR: 'DOY',
      DAYOFMONTH: 'DAY',
      DAYOFWEEK: 'DOW',
    }).map(([name, field]) => [
      name,
      shaped(
        ({ args }) =>
          ([value], context) =>
            extracted(field, value as bigint, args[0]!, context),
      ),
    ]),
  ),
  FLOOR: shaped((shape) => rounding(shape, floorLocal, Math.floor)),
  CEIL: shaped((shape) => rounding(shape, ceilLocal, Math.ceil)),
  TIMESTAMPADD: shaped(({ args, type }) => ([unit, count, value], context) => {
    const local = movedLocal(
      localOf(value as bigint, args[2]!, context),
      unit as string,
      count as bigint,
    )
    return ofLocal(local, type, context)
  }),
  TIMESTAMPDIFF: shaped(
    ({ args }) =>
      ([unit, from, to], context) =>
        BigInt.asIntN(
          32,
          unitsBetween(
            localOf(from as bigint, args[1]!, context),
            localOf(to as bigint, args[2]!, context),
            unit as string,
          ),
        ),
  ),
  DATE_FORMAT: shaped(({ args, constants }) => {
    const constant = constants[1]
    const format = typeof constant === 'string' ? localFormatter(constant) : undefined
    return ([value, pattern], context) => {
      const local = localOf(value as bigint, args[0]!, context)
      return format === undefined ? formatLocal(local, pattern as string) : format(local)
    }
  }),
  TO_DATE: strict(([text, pattern]) => {
    if (pattern === undefined) return wholeDays(parseDateText(text as string))
    const local = parseLocal(text as string, pattern as string)
    return local === undefined ? null : floorLocal(local, 'DAY') / US_PER_DAY
  }),
  TO_TIMESTAMP: strict(([text, pattern]) => readLocal(text as string, pattern)),
  TO_TIMESTAMP_LTZ: shaped(instantCall),
  FROM_UNIXTIME: strict(([seconds, pattern], { timeZone }) =>
    formatLocal(
      localOfInstant((seconds as bigint) * 1_000_000n, timeZone),
      (pattern ?? DEFAULT_PATTERN) as string,
    ),
  ),
  UNIX_TIMESTAMP: strict(([text, pattern], context) => {
    if (text === undefined) return context.nowUs() / 1_000_000n
    const local = readLocal(text as string, pattern ?? DEFAULT_PATTERN)
    return local === null ? LONG_MIN : floorSeconds(instantOfLocal(local, context.timeZone))
  }),
  CONVERT_TZ: strict(([text, from, to]) => {
    const local = parseLocal(text as string, DEFAULT_PATTERN)
    if (local === undefined) return null
    return formatLocal(
      localOfInstant(instantOfLocal(local, from as string), to as string),
      DEFAULT_PATTERN,
    )
  }),
  LOCALTIMESTAMP: strict((_, context) =>
    cut(localOfInstant(context.nowUs(), context.timeZone), MILLISECONDS),
  ),
  CURRENT_DATE: strict(
    (_, context) =>
      floorLocal(localOfInstant(context.nowUs(), context.timeZone), 'DAY') / US_PER_DAY,
  ),
  CURRENT_TIME: strict((_, context) => {
    const local = localOfInstant(context.nowUs(), context.timeZone)
    return cut(local - floorLocal(local, 'DAY'), 0)
  }),
}

/** Local µs of a DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ. */
function localOf(value: bigint, type: DataType, context: EvaluationContext): bigint {
  if (type.kind === 'date') return value * US_PER_DAY
  return type.kind === 'timestamp_ltz' ? localOfInstant(value, context.timeZone) : value
}

function ofLocal(local: bigint, type: DataType, context: EvaluationContext): bigint {
  if (type.kind === 'date') return floorLocal(local, 'DAY') / US_PER_DAY
  if (type.kind === 'time') return ((local % US_PER_DAY) + US_PER_DAY) % US_PER_DAY
  return type.kind === 'timestamp_ltz' ? instantOfLocal(local, context.timeZone) : local
}

function extracted(
  field: string,
  value: bigint,
  type: DataType,
  context: EvaluationContext,
): bigint {
  if (type.kind === 'interval_year_month') return fieldOfMonths(field, value)
  if (type.kind === 'interval_day_second' && field === 'DAY') return value / US_PER_DAY
  if (field === 'EPOCH') return floorSeconds(type.kind === 'date' ? value * US_PER_DAY : value)
  return fieldOf(field, localOf(value, type, context))
}

/** Of an interval of months. */
function fieldOfMonths(field: string, months: bigint): bigint {
  return field === 'YEAR' ? months / 12n : field === 'MONTH' ? months % 12n : 0n
}

function floorSeconds(micros: bigint): bigint {
  return floorLocal(micros, 'SECOND') / 1_000_000n
}

/** FLOOR and CEIL: of a number, or of a time to the unit in the second argument. */
function rounding(
  { args, type }: CallShape,
  toUnit: (local: bigint, unit: string) => bigint,
  toWhole: (value: number) => number,
): RowCall {
  const [from] = args
  if (args.length === 2) {
    return ([value, unit], context) =>
      ofLocal(toUnit(localOf(value as bigint, from!, context), unit as string), type, context)
  }
  if (from!.kind !== 'decimal')
    return ([value]) => (typeof value === 'number' ? toWhole(value) : value!)
  const divisor = 10n ** BigInt(from!.scale)
  const up = toWhole(0.5) === 1 ? 1n : 0n
  return ([value]) => {
    const rest = (((value as bigint) % divisor) + divisor) % divisor
    return ((value as bigint) - rest) / divisor + (rest === 0n ? 0n : up)
  }
}

function readLocal(text: string, pattern: Value | undefined): bigint | null {
  const local =
    pattern === undefined ? parseTimestampText(text) : parseLocal(text, pattern as string)
  return local === undefined ? null : cut(local, MILLISECONDS)
}

function wholeDays(days: number | undefined): bigint | null {
  return days === undefined ? null : BigInt(days)
}

function instantCall({ args }: CallShape): RowCall {
  const [from] = args
  if (from!.kind === 'char' || from!.kind === 'varchar') {
    return ([text, pattern, zone]) => {
      const local = readLocal(text as string, pattern)
      return local === null ? null : instantOfLocal(local, (zone ?? 'UTC') as string)
    }
  }
  const scale = from!.kind === 'decimal' ? from!.scale : 0
  return ([value, told]) => {
    const precision = Number(told ?? 3n)
    if (precision !== 0 && precision !== 3) return null
    const units = precision === 0 ? 1000 : 1
    const ms =
      typeof value === 'number'
        ? BigInt(Math.trunc(value * units))
        : ((value as bigint) * BigInt(units)) / 10n ** BigInt(scale)
    return ms * 1000n
  }
}
