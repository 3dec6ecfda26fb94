/** Rows as an aligned table, as CSV, or as JSON lines. Widths are in terminal columns, not in code units. */
import { stripVTControlCharacters } from 'node:util'
import { jsonText, type Row, type Value } from '../../data/values.ts'
import type { Style } from './style.ts'

export interface TableColumn {
  readonly name: string
  /** Shown faint beneath the name; absent: no such line. */
  readonly type?: string
  readonly align?: 'left' | 'right'
}

/** A cell of a table: what is long is cut, so that one value can't push the others off the screen. */
const CELL_WIDTH_MAX = 60

/**
 * The table as lines: names, types, a rule, rows. Cells may hold colour.
 *
 *   shop   orders
 *   STRING BIGINT
 *   ────── ──────
 *   oslo       12
 */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  style: Style,
): string[] {
  const hasTypes = columns.some(({ type }) => type !== undefined)
  const cells = rows.map((row) => row.map((cell) => cut(cell, CELL_WIDTH_MAX)))
  const widths = columns.map(({ name, type }, index) =>
    Math.max(
      widthOf(name),
      hasTypes ? widthOf(type ?? '') : 0,
      ...cells.map((row) => widthOf(row[index] ?? '')),
    ),
  )
  const line = (texts: readonly string[], paint: (text: string) => string) =>
    texts
      .map((text, index) => paint(padded(text, widths[index]!, columns[index]!.align ?? 'left')))
      .join('  ')
      .trimEnd()
  return [
    line(
      columns.map(({ name }) => name),
      style.strong,
    ),
    ...(hasTypes
      ? [
          line(
            columns.map(({ type }) => type ?? ''),
            style.faint,
          ),
        ]
      : []),
    line(
      widths.map((width) => '─'.repeat(width)),
      style.faint,
    ),
    ...cells.map((row) => line(row, (text) => text)),
  ]
}

/** A value as a table's cell shows it: NULL faint, control characters as escapes, text without quotes. */
export function cellText(value: Value, style: Style): string {
  if (value === null) return style.faint('NULL')
  if (typeof value === 'string') return visible(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  if (typeof value === 'object') return visible(jsonText(value))
  return String(value)
}

/** A header and rows by RFC 4180: CRLF is not used, as every tool takes LF; NULL is the empty field, empty text is "". */
export function csvLine(values: readonly Value[]): string {
  return values.map(csvField).join(',')
}

function csvField(value: Value): string {
  if (value === null) return ''
  const text = typeof value === 'string' ? value : csvText(value)
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function csvText(value: Exclude<Value, null | string>): string {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return typeof value === 'object' ? jsonText(value) : String(value)
}

/** One row as one line of JSON. BIGINTs keep all digits. */
export function jsonLine(row: Row): string {
  return jsonText(row)
}

/** Escapes what a terminal would obey: a value must not move the cursor. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    character === '\n' ? '\\n' : character === '\t' ? '\\t' : `\\u${hex(character)}`,
  )
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0')
}

/** Terminal columns: wide characters and emoji are two, combining marks none; colour is not counted. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of GRAPHEMES.segment(stripVTControlCharacters(text)))
    width += WIDE.test(segment) ? 2 : 1
  return width
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

export function padded(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + space : space + text
}

/** No wider than `width`, with … where something is missing. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  const plain = stripVTControlCharacters(text)
  let kept = ''
  let used = 0
  for (const { segment } of GRAPHEMES.segment(plain)) {
    used += WIDE.test(segment) ? 2 : 1
    if (used > width - 1) break
    kept += segment
  }
  return `${kept}…`
}
