/** Prose in a terminal: broken between words, colour not counted. */
import { widthOf } from './table.ts'

/** Lines of at most `width` columns, all but the first indented like the first. A longer word stands alone. */
export function wrapText(text: string, width: number, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? `${indent}${word}` : `${line} ${word}`
    if (line !== '' && widthOf(longer) > width) {
      lines.push(line)
      line = `${indent}${word}`
    } else line = longer
  }
  return line === '' ? lines : [...lines, line]
}
