/** Decimals as unscaled bigints, for what does not fit the kernels: exact to 38 digits, rounded HALF_UP, NULL beyond, as Flink. */

const POWERS = Array.from({ length: 78 }, (_, digits) => 10n ** BigInt(digits))

export function powerOfTen(digits: number): bigint {
  return POWERS[digits] ?? 10n ** BigInt(digits)
}

export function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}

/** Rounded half away from zero. `divisor` > 0. */
export function dividedHalfUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  const rest = absolute(value % divisor)
  if (rest * 2n < divisor) return quotient
  return value < 0n ? quotient - 1n : quotient + 1n
}

export function rescaled(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * powerOfTen(to - from)
  return dividedHalfUp(unscaled, powerOfTen(from - to))
}

/** NULL where `unscaled` has more than `precision` digits. */
export function fitting(unscaled: bigint, precision: number): bigint | null {
  return absolute(unscaled) < powerOfTen(precision) ? unscaled : null
}

const DECIMAL_TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** Unscaled at `scale`, rounded HALF_UP; undefined if the text is no number. */
export function parseDecimal(text: string, scale: number): bigint | undefined {
  const match = DECIMAL_TEXT.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  if (digits === '' || Math.abs(Number(exponent)) > 400) return undefined
  const scaleNow = fraction.length - Number(exponent)
  const unscaled = BigInt(digits)
  const moved =
    scaleNow >= 0 ? rescaled(unscaled, scaleNow, scale) : unscaled * powerOfTen(scale - scaleNow)
  return sign === '-' ? -moved : moved
}

/** With exactly `scale` fraction digits. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = absolute(unscaled)
    .toString()
    .padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** The double nearest to the decimal. */
export function decimalNumber(unscaled: bigint, scale: number): number {
  return Number(decimalText(unscaled, scale))
}

/** A finite double as decimal, by the digits that tell it (BigDecimal.valueOf), HALF_UP. */
export function decimalOfNumber(value: number, scale: number): bigint | undefined {
  return Number.isFinite(value) ? parseDecimal(String(value), scale) : undefined
}
