/** Constants of the typed API as SQL. */
import type { Kind } from './columns.ts'

export type Constant = null | boolean | number | bigint | string | Date | Uint8Array

/** `beside` decides how a text is meant: '12.50' beside a DECIMAL is a number, '2026-01-31' beside a DATE a date. */
export function constantText(value: Constant, beside: Kind | undefined): string {
  if (value === null) return 'NULL'
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value === 'bigint') return `${value}`
  if (typeof value === 'number') return numberText(value)
  if (value instanceof Date) return `TO_TIMESTAMP_LTZ(${value.getTime()}, 3)`
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  return textAs(value, beside)
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A name in backquotes. */
export function named(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

function numberText(value: number): string {
  // SQL has no way to write these down: division by zero makes them.
  if (!Number.isFinite(value)) return `CAST('${value}' AS DOUBLE)`
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}` : value.toExponential()
}

function textAs(value: string, beside: Kind | undefined): string {
  switch (beside) {
    case 'decimal':
      return /^-?\d+(\.\d+)?$/.test(value) ? value : `CAST(${quoted(value)} AS DECIMAL(38, 18))`
    case 'date':
      return `DATE ${quoted(value)}`
    case 'time':
      return `TIME ${quoted(value)}`
    case 'timestamp':
      return `TIMESTAMP ${quoted(value)}`
    default:
      return quoted(value)
  }
}
