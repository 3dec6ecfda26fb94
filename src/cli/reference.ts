/** The reference of the command line, as Markdown, made from what `--help` says: so it can't say anything else. */
import type { Command } from 'commander'
import { EXIT, type Io, processIo } from './io.ts'
import { createProgram } from './program.ts'
import { PLAIN } from './render/style.ts'

const COLUMNS = 100

const INTRODUCTION = `# The command line

Made from the commands' own help by \`node scripts/cli-docs.ts\`: do not edit.

A **project** is a folder with \`tables/*.sql\`, \`pipelines/*.sql\` (or \`*.ts\`) and perhaps \`millrace.config.ts\`. Every command sees its
tables. Its **data** (checkpoints, the event log) is in \`.millrace\`, which one process owns at a time: the one that runs
\`millrace run\`. All other commands work while it does, over a local socket in that directory.

| exit code | meaning |
|---|---|
| ${EXIT.done} | done |
| ${EXIT.no} | the answer is no, or it failed: the error is on stderr, with its code and the way out |
| ${EXIT.usage} | wrong usage: unknown command or option, missing argument, a value that can't be |

With \`--json\` results are JSON on stdout, one object a line, and an error is one too: \`{"error":{"code","message","hint"}}\`. Colour
is used on terminals, unless \`NO_COLOR\` is set; \`FORCE_COLOR\` asks for it elsewhere. What may hold a secret is never printed.
`

export async function cliReference(): Promise<string> {
  let written = ''
  const io: Io = {
    ...processIo(),
    style: PLAIN,
    errorStyle: PLAIN,
    columns: () => COLUMNS,
    write: (text) => {
      written += text
    },
  }
  const program = await createProgram([], io, true)
  const helpOf = (command: Command) => {
    written = ''
    command.outputHelp()
    return written.trimEnd()
  }
  const section = (command: Command, title: string, depth: string): string => {
    const heading = `${depth} ${title}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`
    const below = command.commands.map((each) =>
      section(each, `${title} ${each.name()}`, `${depth}#`),
    )
    return [heading, ...below].join('\n')
  }
  const sections = program.commands
    .filter((command) => command.name() !== 'help')
    .map((command) => section(command, `millrace ${command.name()}`, '##'))
  return [INTRODUCTION, `\`\`\`text\n${helpOf(program)}\n\`\`\`\n`, ...sections].join('\n')
}
