/** Structured logs: JSON lines by pino, one event a line, to stderr or a file. */
import { type Logger as PinoLogger, pino } from 'pino'
import { MillraceError } from '../errors.ts'
import type { LogLevel } from './log-levels.ts'

export type Logger = PinoLogger

/**
 * Lines have `level` as a word, `time` as ISO text, `event` as the message, and what it concerns as fields.
 *
 * @param destination a path that is appended to; absent: stderr, so that stdout stays for results
 */
export function createLogger(level: LogLevel, destination?: string): Logger {
  const target = pino.destination(
    destination === undefined ? { dest: 2, sync: true } : { dest: destination, sync: true },
  )
  return pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: errorFields },
    },
    target,
  )
}

/** An error as fields: facts are for finding, the stack only where the mistake is Millrace's own. */
function errorFields(error: unknown): Record<string, unknown> {
  if (error instanceof MillraceError) {
    const { code, message, hint, facts } = error
    return { code, message, hint, facts: JSON.parse(JSON.stringify(facts, bigintAsText)) }
  }
  if (error instanceof Error) return { message: error.message, stack: error.stack }
  return { message: String(error) }
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
