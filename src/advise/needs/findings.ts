/** What is wrong or doubtful in a file that people write, at its place, with what to write instead. */

export interface NeedsFinding {
  /** An error refuses the file; a doubt is shown beside the advice. */
  readonly severity: 'error' | 'doubt'
  readonly message: string
  readonly hint: string
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
  /** As it is shown: plain lines, the place underlined. */
  readonly text: string
}

export interface Place {
  /** Offsets into the text, the end exclusive. */
  readonly start: number
  readonly end: number
}

/** Tells of `place` in `source`, in the shape that errors in SQL have. */
export function findingAt(
  source: { readonly file: string; readonly text: string },
  place: Place,
  told: Pick<NeedsFinding, 'severity' | 'message' | 'hint'> & { readonly code: string },
): NeedsFinding {
  const before = source.text.slice(0, place.start)
  const line = before.split('\n').length
  const column = place.start - before.lastIndexOf('\n')
  const written = source.text.split('\n')[line - 1] ?? ''
  const width = Math.max(1, Math.min(place.end - place.start, written.length - column + 1))
  const margin = ' '.repeat(String(line).length)
  const { severity, message, hint, code } = told
  const text = [
    `${code}: ${message}`,
    `${margin}--> ${source.file}:${line}:${column}`,
    `${margin} |`,
    `${line} | ${written}`,
    `${margin} | ${' '.repeat(column - 1)}${'^'.repeat(width)}`,
    ...hint.split('\n').map((each) => `${margin} = ${each}`),
  ].join('\n')
  return { severity, message, hint, file: source.file, line, column, text }
}
