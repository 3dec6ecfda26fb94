/** What a command has of the outside: lines out, lines in, the terminal's manners. Tests give their own. */
import type { Readable } from 'node:stream'
import { type Style, styleFor } from './render/style.ts'

/** 0 done, 1 the answer is no or it failed, 2 wrong usage. */
export const EXIT = { done: 0, no: 1, usage: 2 } as const

export interface Io {
  /** A line of the result, on stdout. */
  out(line: string): void
  /** A line about the work, on stderr: errors, progress. */
  err(line: string): void
  /** Bytes on stdout as they are: screens that are redrawn. */
  write(text: string): void
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** stdout is a terminal that can be redrawn. */
  readonly isTerminal: boolean
  readonly columns: () => number
  readonly rows: () => number
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The working directory. */
  readonly directory: string
  /** For stdout and stderr, which may go to different places. */
  readonly style: Style
  readonly errorStyle: Style
  /** Set by the command; `main` exits with it. */
  exitCode: number
}

const COLUMNS_WITHOUT_TERMINAL = 100
const ROWS_WITHOUT_TERMINAL = 40

export function processIo(): Io {
  const environment = process.env
  const isDumb = environment.TERM === 'dumb'
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    write: (text) => void process.stdout.write(text),
    stdin: process.stdin,
    isTerminal: process.stdout.isTTY === true && !isDumb,
    columns: () => process.stdout.columns ?? COLUMNS_WITHOUT_TERMINAL,
    rows: () => process.stdout.rows ?? ROWS_WITHOUT_TERMINAL,
    environment,
    directory: process.cwd(),
    style: styleFor(process.stdout.isTTY === true, environment),
    errorStyle: styleFor(process.stderr.isTTY === true, environment),
    exitCode: EXIT.done,
  }
}
