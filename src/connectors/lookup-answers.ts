/** What a table answered as values: JSON texts of rows, read as strictly as the records of any source. */

import { nestedValue } from '../data/nested-values.ts'
import type { DataType } from '../data/types.ts'
import { type Row, valueAt } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { LookupRequest } from './contract/lookup.ts'
import { openValueFormat } from './formats.ts'

/** Rows of JSON objects. @throws LOOKUP_REFUSED if one is not as the table is declared */
export type AnswerReader = (texts: readonly string[]) => readonly Row[]

/** `options`: those of the format json. */
export async function openAnswerReader(
  { table, schema, ports, dataDirectory, memory }: LookupRequest,
  options: Readonly<Record<string, string>>,
): Promise<AnswerReader> {
  const element: DataType = { kind: 'row', fields: schema, nullable: false }
  const rows = [{ name: 'rows', type: { kind: 'array', element, nullable: false } as DataType }]
  const format = openValueFormat({ table, options, ports, dataDirectory }, table, 'json')
  const decoder = await format.openDecoder(memory, rows, rows)
  return (texts) => {
    const bytes = Buffer.from(`{"rows":[${texts.join(',')}]}`)
    const { arena } = memory
    const mark = arena.mark()
    const address = arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    const cell = arena.allocate(8)
    memory.u32.set([address, bytes.length], cell / 4)
    const { columns, dead } = decoder.decode(cell, 1)
    const told =
      dead.length > 0 ? undefined : valueAt(memory, columns[0]!, 0, { nested: nestedValue })
    arena.release(mark)
    if (told !== undefined) return told as readonly Row[]
    throw answerUnreadable(table, dead[0]!.reason)
  }
}

export function answerUnreadable(table: string, reason: string): MillraceError {
  return new MillraceError('LOOKUP_REFUSED', {
    message: `what was looked up in table ${table} is not as it is declared: ${reason}`,
    hint: 'declare the columns as the answers have them, or mend what answers; the pipeline goes on where it stopped when it is started again',
    facts: { table },
  })
}

/** `asked`: where, with nothing secret in it. */
export function lookupFailed(table: string, asked: string, reason: string): MillraceError {
  return new MillraceError('LOOKUP_FAILED', {
    message: `${asked}, asked for rows of table ${table}, gave no answer: ${reason}`,
    hint: 'no row is lost: the pipeline goes on from its last checkpoint when there is an answer',
    facts: { table },
  })
}

/** Another try would be answered the same. */
export function lookupRefused(
  table: string,
  asked: string,
  reason: string,
  hint: string,
): MillraceError {
  return new MillraceError('LOOKUP_REFUSED', {
    message: `${asked} refused to answer for table ${table}: ${reason}`,
    hint,
    facts: { table },
  })
}
