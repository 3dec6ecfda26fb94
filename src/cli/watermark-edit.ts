/** A watermark put into the CREATE TABLE of a file: in place of the one that is there, or behind the last column. */
import { lex } from '../sql/parse/lexer.ts'
import { parseScript } from '../sql/parse/parse-script.ts'
import type { CreateTable } from '../sql/statements.ts'
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
  const at = columnsEnd(text, found.at.offset)
  if (at === undefined) throw usageError(`${table} has no columns`, 'declare them first')
  return `${text.slice(0, at)},\n  ${line}${text.slice(at)}`
}

/** Behind the last thing in the parentheses of the columns: comments before the closing one stay where they are. */
function columnsEnd(text: string, from: number): number | undefined {
  let depth = 0
  let last = 0
  for (const { kind, text: symbol, at } of lex(text).tokens) {
    if (at.offset < from) continue
    if (kind === 'symbol' && symbol === '(') depth++
    if (kind === 'symbol' && symbol === ')') {
      depth--
      if (depth === 0) return last
    }
    if (kind === 'symbol' && symbol === ';') return undefined
    last = at.offset + at.length
  }
  return undefined
}
