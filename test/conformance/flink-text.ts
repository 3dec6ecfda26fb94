/** Values as Flink's `Row.toString` prints them. */
import { decodeNested } from '../../src/data/nested-cells.ts'
import type { DataType } from '../../src/data/types.ts'
import type { Plain } from '../builders/batch.ts'

export function flinkText(value: Plain, type: DataType): string {
  if (value === null) return 'null'
  if (value instanceof Uint8Array && (type.kind === 'array' || type.kind === 'map')) {
    const block = new DataView(value.buffer, value.byteOffset, value.byteLength)
    return flinkText(decodeNested(type, block) as Plain, type)
  }
  switch (type.kind) {
    case 'array':
      return `[${(value as readonly Plain[]).map((each) => flinkText(each, type.element)).join(', ')}]`
    case 'map': {
      const entries = value as readonly (readonly [Plain, Plain])[]
      const texts = entries.map(
        ([key, each]) => `${flinkText(key, type.key)}=${flinkText(each, type.value)}`,
      )
      return `{${texts.join(', ')}}`
    }
    case 'timestamp':
      return momentText(value as bigint)
    case 'timestamp_ltz':
      return `${momentText(value as bigint, true)}Z`
    case 'float':
    case 'double':
      return Number.isInteger(value) ? `${value}.0` : String(value)
    case 'decimal':
      return typeof value === 'bigint' ? decimalText(value, type.scale) : String(value)
    case 'row':
      return `+I[${(value as readonly Plain[]).map((each, index) => flinkText(each, type.fields[index]!.type)).join(', ')}]`
    default:
      return String(value)
  }
}

/** As java.time prints it: no seconds where they are zero (but in an Instant), fractions by three digits. */
function momentText(us: bigint, isInstant = false): string {
  const ms = us / 1000n - (us % 1000n < 0n ? 1n : 0n)
  const [head, fraction] = new Date(Number(ms)).toISOString().slice(0, -1).split('.') as [
    string,
    string,
  ]
  const micros = `${fraction}${`${((us % 1000n) + 1000n) % 1000n}`.padStart(3, '0')}`
  if (micros === '000000') return !isInstant && head.endsWith(':00') ? head.slice(0, -3) : head
  return `${head}.${micros.endsWith('000') ? micros.slice(0, 3) : micros}`
}

function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = `${unscaled < 0n ? -unscaled : unscaled}`.padStart(scale + 1, '0')
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
