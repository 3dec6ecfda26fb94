/** Errors as people meet them: code, message, the SQL underlined, the way out. A bug is called one. */
import { MillraceError } from '../../errors.ts'
import { ProjectError } from '../project-error.ts'
import type { Style } from './style.ts'

/** The lines of any error that a command threw. */
export function errorLines(error: unknown, style: Style): string[] {
  if (error instanceof ProjectError)
    return error.findings.flatMap((finding, index) => [
      ...(index === 0 ? [] : ['']),
      ...findingLines(finding.text, style),
    ])
  if (error instanceof MillraceError) return findingLines(plainError(error), style)
  return bugLines(error, style)
}

/** One error as plain lines; `renderSqlError` writes those of SQL in the same shape. */
export function plainError({ code, message, hint }: MillraceError, where?: string): string {
  return [
    `${code}: ${message}`,
    ...(where === undefined ? [] : [` --> ${where}`]),
    ...hint.split('\n').map((line) => `  = ${line}`),
  ].join('\n')
}

/** Paints the shape of an error that is plain lines: the code, the underlining, the place, the hint's mark. */
export function findingLines(text: string, style: Style): string[] {
  return text.split('\n').map((line, index) => {
    const code = index === 0 ? /^([A-Z][A-Z0-9_]+): (.*)$/.exec(line) : null
    if (code !== null) return `${style.bad(code[1]!)}${style.faint(':')} ${style.strong(code[2]!)}`
    const marks = /^(\s+\|\s*)(\^+)$/.exec(line)
    if (marks !== null) return `${style.faint(marks[1]!)}${style.bad(marks[2]!)}`
    const place = /^(\s*-->)(.*)$/.exec(line)
    if (place !== null) return `${style.faint(place[1]!)}${style.name(place[2]!)}`
    const source = /^(\d+ \|)(.*)$/.exec(line)
    if (source !== null) return `${style.faint(source[1]!)}${source[2]}`
    const hint = /^(\s+=)(.*)$/.exec(line)
    return hint === null ? line : `${style.faint(hint[1]!)}${hint[2]}`
  })
}

function bugLines(error: unknown, style: Style): string[] {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [
    `${style.bad('BUG')}${style.faint(':')} ${style.strong('Millrace met an error that it does not know')}`,
    ...stack.split('\n').map((line) => style.faint(`  | ${line}`)),
    `${style.faint('  =')} this is a mistake of Millrace, not yours: please report it with the lines above`,
  ]
}

/** An error as one JSON object, for `--json`. */
export function errorJson(error: unknown): Record<string, unknown> {
  if (error instanceof ProjectError)
    return {
      error: {
        code: error.findings[0]?.code,
        findings: error.findings.map(({ code, message, hint, file, line, column }) => ({
          code,
          message,
          hint,
          file,
          line,
          column,
        })),
      },
    }
  if (error instanceof MillraceError)
    return { error: { code: error.code, message: error.message, hint: error.hint } }
  return { error: { code: 'BUG', message: error instanceof Error ? error.message : String(error) } }
}
