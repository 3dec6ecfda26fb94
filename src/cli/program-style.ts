/** How the program and its commands speak: through `io`, in calm colours, and never ending the process. */
import { type Command, Help } from 'commander'
import type { Io } from './io.ts'

const HELP_WIDTH = 100

/** No process is ended and nothing is printed but through `io`, subcommands included. */
export function configure(command: Command, io: Io): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .showHelpAfterError(`(see \`${pathOf(command)} --help\`)`)
    .configureOutput({
      writeOut: (text) => io.write(text),
      writeErr: (text) => io.err(text.replace(/\n$/, '')),
      getOutHelpWidth: () => Math.min(io.columns(), HELP_WIDTH),
      getErrHelpWidth: () => Math.min(io.columns(), HELP_WIDTH),
      getOutHasColors: () => true,
      getErrHasColors: () => true,
      outputError: (text, write) =>
        write(`${io.errorStyle.bad('USAGE')}${text.replace(/^error/, '')}`),
    })
    .configureHelp({
      sortSubcommands: false,
      styleTitle: (text) => io.style.strong(text),
      styleCommandText: (text) => io.style.name(text),
      styleSubcommandTerm: (text) => io.style.name(text),
      styleOptionTerm: (text) => io.style.name(text),
      styleArgumentTerm: (text) => io.style.name(text),
      subcommandTerm: (each) =>
        each.parent?.parent ? new Help().subcommandTerm(each) : each.name(),
    })
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
