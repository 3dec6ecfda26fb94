/** Places in a SQL text: what every token, syntax node and error carries. */

export interface Place {
  /** UTF-16 units from the start of the text. */
  readonly offset: number
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** UTF-16 units; 0 only at the end of the text. May span lines. */
  readonly length: number
}

/** From the start of `first` to the end of `last`. */
export function spanning(first: Place, last: Place): Place {
  return { ...first, length: Math.max(first.length, last.offset + last.length - first.offset) }
}
