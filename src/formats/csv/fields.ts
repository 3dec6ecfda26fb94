/**
 * One record of CSV as fields, and back.
 *
 * A field may stand in quotes, and a quote in it is doubled, or is behind the escaping character where there is one.
 * @see RFC 4180, section 2
 */
export interface CsvShape {
  readonly delimiter: string
  /** '' for none. */
  readonly quote: string
  /** '' for none. */
  readonly escaping: string
}

export interface CsvField {
  readonly text: string
  readonly isQuoted: boolean
}

/** A text: why the record is none. */
export function csvFields(
  record: string,
  { delimiter, quote, escaping }: CsvShape,
): CsvField[] | string {
  const fields: CsvField[] = []
  let at = 0
  for (;;) {
    let text = ''
    const isQuoted = quote !== '' && record[at] === quote
    if (isQuoted) {
      at++
      for (;;) {
        const unit = record[at]
        if (unit === undefined) return 'a quoted field does not end'
        if (escaping !== '' && unit === escaping && at + 1 < record.length) {
          text += record[at + 1]
          at += 2
        } else if (unit === quote) {
          if (record[at + 1] !== quote) break
          text += quote
          at += 2
        } else {
          text += unit
          at++
        }
      }
      at++
      if (at < record.length && record[at] !== delimiter)
        return 'something stands behind a quoted field'
    } else {
      for (; at < record.length && record[at] !== delimiter; at++) {
        if (escaping !== '' && record[at] === escaping && at + 1 < record.length) at++
        text += record[at]
      }
    }
    fields.push({ text, isQuoted })
    if (at >= record.length) return fields
    at++
  }
}

/** In quotes where it must be. @throws RangeError if it must be and there are no quotes */
export function csvField(text: string, { delimiter, quote, escaping }: CsvShape): string {
  const isPlain =
    !text.includes(delimiter) &&
    (quote === '' || !text.includes(quote)) &&
    (escaping === '' || !text.includes(escaping)) &&
    !/[\r\n]/.test(text)
  if (isPlain) return text
  if (quote === '') throw new RangeError(`${JSON.stringify(text.slice(0, 60))} needs quotes`)
  const escaped = escaping === '' ? text : text.replaceAll(escaping, escaping + escaping)
  return quote + escaped.replaceAll(quote, (escaping === '' ? quote : escaping) + quote) + quote
}
