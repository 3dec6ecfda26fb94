/** A part of the terminal that is drawn again in place: what scrolls away above it stays. */

export interface Screen {
  /** Replaces what was drawn before. */
  draw(lines: readonly string[]): void
  /** Lines above it, for good. */
  print(lines: readonly string[]): void
}

/** @param rows the terminal's height: more lines than that can't be drawn again, and are cut */
export function createScreen(write: (text: string) => void, rows: () => number): Screen {
  let drawn: readonly string[] = []
  const erase = () => (drawn.length === 0 ? '' : `\u001b[${drawn.length}A\r\u001b[J`)
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')
  return {
    draw(lines) {
      const before = erase()
      drawn = lines.slice(0, Math.max(1, rows() - 1))
      write(before + text(drawn))
    },
    print(lines) {
      write(erase() + text(lines) + text(drawn))
    },
  }
}
