/** Values as Flink's CAST to STRING tells them. */
import { dateText, timestampText, timeText } from '../data/civil.ts'
import type { DataType } from '../data/types.ts'
import type { EvaluationContext } from './compiled.ts'
import { decimalText } from './decimals.ts'
import type { Value } from './value.ts'
import { localOfInstant } from './zone.ts'

/** Not NULL at the top; NULLs within are told 'NULL'. */
export function valueText(value: Value, type: DataType, context: EvaluationContext): string {
  if (value === null) return 'NULL'
  switch (type.kind) {
    case 'boolean':
      return value === true ? 'TRUE' : 'FALSE'
    case 'float':
      return floatText(value as number)
    case 'double':
      return doubleText(value as number)
    case 'decimal':
      return decimalText(value as bigint, type.scale)
    case 'char':
    case 'varchar':
      return value as string
    case 'binary':
    case 'varbinary':
      return new TextDecoder().decode(value as Uint8Array)
    case 'date':
      return dateText(Number(value))
    case 'time':
      return timeText(value as bigint, type.precision)
    case 'timestamp':
      return timestampText(value as bigint, type.precision)
    case 'timestamp_ltz':
      return timestampText(localOfInstant(value as bigint, context.timeZone), type.precision)
    case 'interval_day_second':
      return dayIntervalText(value as bigint)
    case 'interval_year_month':
      return monthIntervalText(Number(value))
    default:
      return nestedText(value, type, context)
  }
}

function nestedText(value: Value, type: DataType, context: EvaluationContext): string {
  if (type.kind === 'array') {
    const parts = (value as readonly Value[]).map((each) => valueText(each, type.element, context))
    return `[${parts.join(', ')}]`
  }
  if (type.kind === 'map') {
    const entries = value as readonly (readonly [Value, Value])[]
    const parts = entries.map(
      ([key, each]) =>
        `${valueText(key, type.key, context)}=${valueText(each, type.value, context)}`,
    )
    return `{${parts.join(', ')}}`
  }
  if (type.kind === 'row') {
    const parts = type.fields.map((field, index) =>
      valueText((value as readonly Value[])[index] ?? null, field.type, context),
    )
    return `(${parts.join(', ')})`
  }
  return String(value)
}

/** As Java's Double.toString. */
export function doubleText(value: number): string {
  return javaText(value, String(Math.abs(value)))
}

/** As Java's Float.toString: the fewest digits that are this single. */
export function floatText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return javaText(value, String(Math.abs(value)))
  for (let digits = 1; digits <= 9; digits++) {
    const text = Math.abs(value).toPrecision(digits)
    if (Math.fround(Number(text)) === Math.abs(value)) return javaText(value, String(Number(text)))
  }
  return doubleText(value)
}

/** `shortest` is how JavaScript tells the absolute value. */
function javaText(value: number, shortest: string): string {
  if (Number.isNaN(value)) return 'NaN'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (!Number.isFinite(value)) return `${sign}Infinity`
  const size = Math.abs(value)
  if (size === 0) return `${sign}0.0`
  if (size >= 1e-3 && size < 1e7)
    return sign + (shortest.includes('.') ? shortest : `${shortest}.0`)
  const [mantissa, exponent] = size === 0 ? ['0', '0'] : scientific(shortest)
  return `${sign}${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent}`
}

function scientific(shortest: string): readonly [string, string] {
  const text = shortest.includes('e') ? shortest : Number(shortest).toExponential()
  const [mantissa, exponent] = text.split('e') as [string, string]
  return [mantissa, String(Number(exponent))]
}

function dayIntervalText(micros: bigint): string {
  const sign = micros < 0n ? '-' : '+'
  const ms = Number((micros < 0n ? -micros : micros) / 1000n)
  const pad = (value: number, digits = 2) => String(Math.floor(value)).padStart(digits, '0')
  const clock = `${pad((ms / 3_600_000) % 24)}:${pad((ms / 60_000) % 60)}:${pad((ms / 1000) % 60)}.${pad(ms % 1000, 3)}`
  return `${sign}${Math.floor(ms / 86_400_000)} ${clock}`
}

function monthIntervalText(months: number): string {
  const size = Math.abs(months)
  return `${months < 0 ? '-' : '+'}${Math.floor(size / 12)}-${String(size % 12).padStart(2, '0')}`
}
