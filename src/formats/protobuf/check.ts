/** What a message must not be, whoever wrote it. */
import { MillraceError } from '../../errors.ts'
import type { ProtoMessage } from './schema.ts'

const NUMBER_MAX = 2 ** 29 - 1

/** @throws SCHEMA_INVALID for numbers out of range, used twice or reserved, and for names used twice */
export function checkMessage({ name, fields, reserved, reservedNames }: ProtoMessage): void {
  const numbers = new Set<number>()
  const names = new Set<string>()
  for (const field of fields) {
    const { number } = field
    const wrong =
      number < 1 || number > NUMBER_MAX || (number >= 19000 && number <= 19999)
        ? `can't have the number ${number}`
        : numbers.has(number)
          ? `has the number ${number}, which another field has`
          : reserved.some(([first, last]) => number >= first && number <= last)
            ? `has the number ${number}, which is reserved`
            : names.has(field.name) || reservedNames.includes(field.name)
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
