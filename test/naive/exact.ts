/** Decimals as text with bigint beneath, for the oracle: written apart from the engine's own. */

export interface Exact {
  readonly digits: bigint
  readonly scale: number
}

/** Of '-12.50', or of a whole number. */
export function exactOf(value: string | bigint): Exact {
  const text = String(value)
  const dot = text.indexOf('.')
  if (dot < 0) return { digits: BigInt(text), scale: 0 }
  return { digits: BigInt(text.replace('.', '')), scale: text.length - dot - 1 }
}

export function aligned(a: Exact, b: Exact): readonly [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale)
  return [
    a.digits * 10n ** BigInt(scale - a.scale),
    b.digits * 10n ** BigInt(scale - b.scale),
    scale,
  ]
}

/** numerator / denominator at `scale`, half away from zero. */
export function quotient(numerator: bigint, denominator: bigint, scale: number): bigint {
  const shifted = 2n * numerator * 10n ** BigInt(scale)
  const negative = shifted < 0n !== denominator < 0n
  const [top, bottom] = [
    shifted < 0n ? -shifted : shifted,
    denominator < 0n ? -denominator : denominator,
  ]
  const rounded = (top / bottom + 1n) / 2n
  return negative ? -rounded : rounded
}

/** As text at a type's scale, null beyond its precision. */
export function told(value: Exact, precision: number, scale: number): string | null {
  const digits = quotient(value.digits, 10n ** BigInt(value.scale), scale)
  const bare = (digits < 0n ? -digits : digits).toString()
  if (bare !== '0' && bare.length > precision) return null
  const padded = bare.padStart(scale + 1, '0')
  const whole = padded.slice(0, padded.length - scale)
  return `${digits < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${padded.slice(padded.length - scale)}`}`
}
