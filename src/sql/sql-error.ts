/** What is wrong with a SQL text, where, and how it is shown: the line, the place underlined, the way out. */
import { type ErrorCode, MillraceError, type Told } from '../errors.ts'
import type { Place } from './place.ts'

/** A MillraceError that knows its place in the text. */
export class SqlError extends MillraceError {
  readonly place: Place

  constructor(code: ErrorCode, place: Place, told: Told) {
    super(code, told)
    this.place = place
  }

  /** The same error, its place told within what stands behind `text`; itself if it is within `text`. */
  behind(text: string): SqlError {
    const { place, code, message, hint, facts } = this
    if (place.offset < text.length) return this
    const moved = {
      ...place,
      offset: place.offset - text.length,
      line: place.line - (text.split('\n').length - 1),
    }
    return new SqlError(code, moved, { message, hint, facts })
  }
}

const WIDTH_MAX = 160

/**
 * The error as lines of plain text: code and message, the line of `text` with the place underlined, and the hint.
 *
 * ```
 * COLUMN_UNKNOWN: there is no column `place_at`
 *   --> line 3, column 8
 * 3 | SELECT place_at FROM orders
 *   |        ^^^^^^^^
 *   = did you mean `placed_at`?
 * ```
 */
export function renderSqlError(text: string, error: SqlError, fileName?: string): string {
  const { line, column, length } = error.place
  const source = (text.split('\n')[line - 1] ?? '').replace(/\r$/, '')
  const shown = windowAround(source, column - 1)
  const gutter = ' '.repeat(String(line).length)
  const indent = shown.text.slice(0, shown.at).replace(/[^\t]/g, ' ')
  const marks = '^'.repeat(Math.max(1, Math.min(length, shown.text.length - shown.at)))
  const where = fileName === undefined ? '' : `${fileName}: `
  return [
    `${error.code}: ${error.message}`,
    `${gutter}--> ${where}line ${line}, column ${column}`,
    `${line} | ${shown.text}`,
    `${gutter} | ${indent}${marks}`,
    ...error.hint.split('\n').map((hint) => `${gutter} = ${hint}`),
  ].join('\n')
}

/** A part of a very long line that holds the place. */
function windowAround(source: string, at: number): { text: string; at: number } {
  if (source.length <= WIDTH_MAX) return { text: source, at }
  const start = Math.max(0, Math.min(at - 40, source.length - WIDTH_MAX))
  return { text: source.slice(start, start + WIDTH_MAX), at: at - start }
}
