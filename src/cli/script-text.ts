/** Several SQL files as one script, and the way back: which file and line an error's place is in. */
import type { MillraceError } from '../errors.ts'
import { renderSqlError, SqlError } from '../sql/sql-error.ts'
import type { SqlFile } from './project.ts'
import type { Finding } from './project-error.ts'
import { plainError } from './render/error.ts'

export interface JoinedScript {
  readonly text: string
  /** The file that `line` (from 1, of the joined text) is in, and its line there. */
  locate(line: number): { readonly file: SqlFile; readonly line: number }
}

/** Each file begins on a line of its own, after a semicolon if the one before lacks its last. */
export function joinScripts(files: readonly SqlFile[]): JoinedScript {
  const starts: number[] = []
  let text = ''
  let line = 1
  for (const file of files) {
    const piece = `${file.text}${endsStatement(file.text) ? '' : '\n;'}\n`
    starts.push(line)
    text += piece
    line += piece.split('\n').length - 1
  }
  return {
    text,
    locate(at) {
      const index = starts.findLastIndex((start) => start <= at)
      const file = files[index]!
      // The semicolon that was added stands below the file: an error there is at its end.
      const last = file.text.split('\n').length
      return { file, line: Math.min(at - starts[index]! + 1, last) }
    },
  }
}

/** An error of the joined script, told of the file that it is in. */
export function findingOf(error: MillraceError, joined: JoinedScript, fallback: SqlFile): Finding {
  const { code, message, hint } = error
  if (!(error instanceof SqlError))
    return { code, message, hint, file: fallback.name, text: plainError(error, fallback.name) }
  const { file, line } = joined.locate(error.place.line)
  const place = { ...error.place, line }
  const text = renderSqlError(file.text, new SqlError(code, place, { message, hint }), file.name)
  return { code, message, hint, file: file.name, line, column: place.column, text }
}

/** True if nothing but space and comments stands after the last semicolon, or there is nothing at all. */
function endsStatement(text: string): boolean {
  const bare = text.replace(/'(?:[^']|'')*'|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\//g, (part) =>
    part.startsWith('--') || part.startsWith('/*') ? '' : '_',
  )
  return /(^|;)\s*$/.test(bare)
}
