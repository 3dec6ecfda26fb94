/** `millrace demo`: its own room does the work; here are its arguments. */
import { invariant } from '../../errors.ts'
import { type Declare, examples } from '../command.ts'
import type { Io } from '../io.ts'

interface DemoOptions {
  readonly sabotage?: 'lose' | 'duplicate'
  readonly directory?: string
}

/** What the demo's room exports; returns the exit code. */
type RunDemo = (io: Io, options: DemoOptions) => Promise<number>

const DEMO: string = '../demo/demo.ts'

export const declareDemo: Declare = (command, io) => {
  command
    .option('--directory <directory>', 'where the project is left', 'millrace-demo')
    .option('--sabotage <how>', 'damage the table, to see the check fail: lose or duplicate')
    .action((options: DemoOptions) => demo(io, options))
  examples(command, 'millrace demo', 'millrace demo --sabotage lose')
}

async function demo(io: Io, options: DemoOptions): Promise<void> {
  const room: { readonly runDemo?: RunDemo } = await import(DEMO)
  invariant(room.runDemo !== undefined, 'the demo is part of the package')
  io.exitCode = await room.runDemo(io, options)
}
