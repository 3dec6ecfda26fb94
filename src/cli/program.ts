/** The command line: one program, of which only the command that was asked for is loaded. */
import { Command, CommanderError } from 'commander'
import { MillraceError } from '../errors.ts'
import { COMMANDS } from './command-list.ts'
import { EXIT, type Io } from './io.ts'
import { configure } from './program-style.ts'
import { errorJson, errorLines } from './render/error.ts'
import { VERSION } from './version.ts'

/** Runs the command line `args` (without node and script). Prints all errors; returns the exit code. */
export async function runCommandLine(args: readonly string[], io: Io): Promise<number> {
  try {
    const program = await createProgram(args, io)
    await program.parseAsync([...args], { from: 'user' })
    return io.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    // A program that reads this with `--json` gets the error in the same shape on the same stream.
    if (args.includes('--json')) io.out(JSON.stringify(errorJson(error)))
    else for (const line of errorLines(error, io.errorStyle)) io.err(line)
    const isUsage = error instanceof MillraceError && error.code === 'USAGE_INVALID'
    return isUsage ? EXIT.usage : EXIT.no
  }
}

/** The program with all commands named, and those declared that `args` name; `all` declares every one, for the docs. */
export async function createProgram(
  args: readonly string[],
  io: Io,
  all = false,
): Promise<Command> {
  const program = new Command('millrace')
  configure(program, io)
  // A command's options are its own, also where one above it has some of the same name.
  program
    .enablePositionalOptions()
    .description(
      'The streaming lakehouse in one npm install: events in, a queryable table out, exactly once.',
    )
    .usage('<command> [options]')
    .version(VERSION, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help; also of each command')
    .helpCommand(false)
    .addHelpText('after', HELP_END)
  // `millrace help run` is what people type as well.
  const named = args[0] === 'help' ? args[1] : args.find((arg) => !arg.startsWith('-'))
  for (const { name, summary, group, load } of COMMANDS) {
    const command = program.command(name).summary(summary).description(sentence(summary))
    command.helpGroup(group).helpOption('-h, --help', 'show this help').helpCommand(false)
    configure(command, io)
    if (all || name === named) (await load())(command, io)
  }
  program
    .command('help', { hidden: true })
    .argument('[command]')
    .action((name?: string) => {
      const command = program.commands.find((each) => each.name() === name)
      ;(command ?? program).outputHelp()
    })
  if (args.length === 0) program.action(() => program.outputHelp())
  return program
}

const HELP_END = `
Start with \`millrace demo\`, then \`millrace init my-project\`.
Exit codes: 0 done, 1 the answer is no or it failed, 2 wrong usage.`

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}
