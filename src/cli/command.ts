/** What a command's file gives: its arguments, options and example, and what it does. */
import { type Command, InvalidArgumentError } from 'commander'
import { MillraceError } from '../errors.ts'
import type { Io } from './io.ts'

/** Adds arguments, options, an example and the action to `command`. Errors are thrown; `main` prints them. */
export type Declare = (command: Command, io: Io) => void

/** Options of every command that works in a project. */
export interface ProjectOptions {
  readonly project?: string
  readonly data?: string
}

export function projectOptions(command: Command): Command {
  return command
    .option('--project <directory>', 'the project, if not the working directory')
    .option('--data <directory>', "the owner's data, if not the project's .millrace")
}

/** Examples stand below the options, ready to be copied. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  const word = lines.length === 1 ? 'Example' : 'Examples'
  return command.addHelpText('after', `\n${word}:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

/** Reads a whole number of at least `least`, as an option's value. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`)
  }
}

/** Of wrong usage that the command line's grammar can't tell: exits with 2. */
export function usageError(message: string, hint: string): MillraceError {
  return new MillraceError('USAGE_INVALID', { message, hint })
}
