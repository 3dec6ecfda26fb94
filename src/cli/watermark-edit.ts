/** A watermark put into the CREATE TABLE of a file: in place of the one that is there, or behind the last column. */
import { parseScript } from '../sql/parse/parse-script.ts'
import type { CreateTable } from '../sql/statements.ts'
import { columnsEnd } from './audit-facts.ts'
import { usageError } from './command.ts'

/** `text` with `line` (WATERMARK FOR ...) in the table. @throws USAGE_INVALID if the file does not create it */
export function withWatermark(file: string, text: string, table: string, line: string): string {
  const found = parseScript(text).statements.find(
    (statement): statement is CreateTable =>
      statement.kind === 'create-table' && statement.name.parts.at(-1)!.name === table,
  )
  if (found === undefined)
    throw usageError(
      `${file} has no CREATE TABLE ${table}`,
      'name the file that declares the table that was measured',
    )
  if (found.watermark !== undefined) {
    const { offset, length } = found.watermark.at
    return `${text.slice(0, offset)}${line}${text.slice(offset + length)}`
  }
  const at = columnsEnd(found, text)
  if (at === undefined) throw usageError(`${table} has no columns`, 'declare them first')
  return `${text.slice(0, at)},\n  ${line}${text.slice(at)}`
}
