/** What a message must not be, whoever wrote it. */
import { MillraceError } from '../../errors.ts'
import type { ProtoMessage } from './schema.ts'

const NUMBER_MAX = 2 ** 29 - 1

/** @throws SCHEMA_INVALID for numbers out of range, used twice or reserved, and for names used twice */
export function checkMessage({ name, fields, reserved, reservedNames }: ProtoMessage): void {
  const numbers = new Set<number>()
  const names = new Set(reservedNames)
  const isReserved = reservedTest(reserved)
  for (const field of fields) {
    const { number } = field
    const wrong =
      number < 1 || number > NUMBER_MAX || (number >= 19000 && number <= 19999)
        ? `can't have the number ${number}`
        : numbers.has(number)
          ? `has the number ${number}, which another field has`
          : isReserved(number)
            ? `has the number ${number}, which is reserved`
            : names.has(field.name)
              ? 'has a name that is taken or reserved'
              : undefined
    if (wrong !== undefined)
      throw new MillraceError('SCHEMA_INVALID', {
        message: `the PROTOBUF schema is invalid: field ${name}.${field.name} ${wrong}`,
        hint: 'give the field another number or name',
        facts: { message: name, field: field.name, number },
      })
    numbers.add(number)
    names.add(field.name)
  }
}

/** Of many ranges the one is found by halving. */
function reservedTest(ranges: ProtoMessage['reserved']): (number: number) => boolean {
  const sorted = ranges.toSorted(([left], [right]) => left - right)
  let furthest = -1
  // Ranges may overlap: how far those up to each one reach.
  const ends = sorted.map(([, last]) => {
    furthest = Math.max(furthest, last)
    return furthest
  })
  return (number) => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sorted[middle]![0] <= number) low = middle + 1
      else high = middle
    }
    return low > 0 && ends[low - 1]! >= number
  }
}
